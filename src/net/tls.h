#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "core/tls_options.h"

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
    /// As `others`, but for what the options say.
    TlsContext(const TlsContext& others, const TlsOptions& options);

    /// Why nothing can be verified; empty when it can.
    [[nodiscard]] const std::string& trust_error() const { return trust_error_; }
    /// Why the options cannot be used, in one sentence; empty: they can.
    [[nodiscard]] const std::string& option_error() const { return option_error_; }
    [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

private:
    TlsContext();
    void trust_only(const std::string& ca);
    void show_certificate(const TlsOptions& options);

    TlsContextPtr context_;
    std::string trust_error_;
    std::string option_error_;
};

/// Whom a TLS connection is with.
struct TlsPeer {
    const TlsContext& context;
    const std::string& host;  ///< whose name the certificate must have
    bool verify = true;
    TlsSessionPtr& ticket;  ///< keeps the peer's last session; must outlive the connection
};

/// The client's side of TLS on a connected, non-blocking socket, or inside of another TLS
/// connection. Never waits: it says what it waits for.
class TlsStream {
public:
    /// Where the bytes come from, and how many more may.
    struct Wire {
        int socket = -1;
        std::size_t left = 0;
    };

    enum class Step { done, want_read, want_write, closed, failed };

    TlsStream(const TlsPeer& peer, int socket);
    /// Inside of `outer`, which must outlive it.
    TlsStream(const TlsPeer& peer, TlsStream& outer);
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
    void begin(const TlsPeer& peer, BIO* bio);
    [[nodiscard]] Wire& wire() { return outer_ != nullptr ? outer_->wire() : wire_; }
    Step judge(int result);
    void note_error();
    static int keep_session(SSL* ssl, SSL_SESSION* session);
    static int note_request(SSL* ssl, X509** certificate, EVP_PKEY** key);
    friend class TlsContext;

    Wire wire_;
    TlsStream* outer_ = nullptr;
    TlsSessionPtr* ticket_;
    bool asked_for_certificate_ = false;  ///< and there was none to show
    TlsPtr ssl_;
    std::string error_;
    bool broken_ = false;
};

}  // namespace herald
