#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace herald {

template <auto free>
struct TlsFree {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};
using TlsContextPtr = std::unique_ptr<SSL_CTX, TlsFree<SSL_CTX_free>>;
using TlsSessionPtr = std::unique_ptr<SSL_SESSION, TlsFree<SSL_SESSION_free>>;
using TlsPtr = std::unique_ptr<SSL, TlsFree<SSL_free>>;

/// What all TLS connections of a client share: TLS 1.2 at least, and whom to trust.
class TlsContext {
public:
    /// `ca_bundle`: path of a PEM file; empty: the system's certificates.
    explicit TlsContext(const std::string& ca_bundle);

    /// Why nothing can be verified; empty when it can.
    [[nodiscard]] const std::string& trust_error() const { return trust_error_; }
    [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

private:
    TlsContextPtr context_;
    std::string trust_error_;
};

/// The client's side of TLS on a connected, non-blocking socket. Never waits: it says what it
/// waits for.
class TlsStream {
public:
    /// Where the bytes come from, and how many more may.
    struct Wire {
        int socket = -1;
        std::size_t left = 0;
    };

    enum class Step { done, want_read, want_write, closed, failed };

    /// `ticket` keeps the origin's last session for the next connection, and must outlive this.
    TlsStream(const TlsContext& context, int socket, const std::string& host, bool verify,
              TlsSessionPtr& ticket);
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    [[nodiscard]] Step handshake();
    /// `n`: how many bytes were read or written, when done.
    [[nodiscard]] Step read(std::span<char> room, std::size_t& n);
    [[nodiscard]] Step write(std::string_view bytes, std::size_t& n);
    /// Tells the receiver that nothing more comes, without waiting.
    void shut_down();

    /// Whether bytes are here that the socket no longer shows.
    [[nodiscard]] bool has_pending() const;
    [[nodiscard]] bool resumed() const;
    /// After `failed`: why, for people. Empty: the socket failed, not TLS; see errno.
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    Step judge(int result);
    void note_error();

    Wire wire_;
    TlsPtr ssl_;
    std::string error_;
    bool broken_ = false;
};

}  // namespace herald
