#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "async/wheel.h"
#include "net/read_buffer.h"
#include "net/response_parser.h"
#include "net/tls.h"
#include "net/way_options.h"

namespace herald {

class Connection;

/// Whom connections go to: those of one origin may stand in for each other.
struct OriginKey {
    bool tls = false;
    bool verify = true;
    std::uint16_t port = 80;
    std::string host;
    std::shared_ptr<const WayOptions> way_options;  ///< the same one, not an equal one

    bool operator==(const OriginKey&) const = default;
};

/// What the options mean for one origin.
struct Way {
    std::shared_ptr<const TlsContext> tls;  ///< null: as all others
    std::shared_ptr<const Proxy> proxy;     ///< null: directly
    bool proxy_is_own = false;              ///< the webhook names it, not the environment
    std::string target_prefix;  ///< before the request's path: "http://host" for a plain proxy
    std::string proxy_fields;   ///< whole lines, for requests that a plain proxy reads
};

struct Origin {
    OriginKey key;
    std::string host_header;
    std::optional<Way> way;  ///< known once the first connection was tried
    std::vector<std::unique_ptr<Connection>> idle;  ///< the one used last is at the back
    TlsSessionPtr ticket;        ///< to resume the last TLS session
    TlsSessionPtr proxy_ticket;  ///< the same with the proxy
};

/// Requests and answers written out in full, without a copy of a large body.
struct OutgoingRequest {
    std::string_view head;  ///< with the body, when it is small
    std::string_view body;  ///< what is not in `head`
};

/// One TCP connection to a receiver, plain or TLS. Reads, writes and waits; decides nothing.
class Connection {
public:
    Connection(const boost::asio::any_io_executor& executor, std::shared_ptr<Origin> origin);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    boost::asio::awaitable<boost::system::error_code> connect(
        boost::asio::ip::tcp::endpoint endpoint);
    /// After an earlier one the new TLS connection runs inside of that.
    boost::asio::awaitable<boost::system::error_code> handshake(TlsPeer peer);
    /// Sends the request, and stops when the receiver has answered in full before it took it all:
    /// then sent_all() is false.
    boost::asio::awaitable<boost::system::error_code> send(OutgoingRequest request);
    /// Reads the answer to its end.
    boost::asio::awaitable<boost::system::error_code> receive();

    /// Begins the next exchange; `tunnel`: a CONNECT.
    void reset(bool tunnel = false);
    /// Whether an idle connection is still open and silent. Surplus bytes would be taken for the
    /// answer to the next request.
    [[nodiscard]] bool usable();
    /// Ends what waits on it, and all that would wait from now on, with operation_aborted.
    void cancel();

    [[nodiscard]] ResponseParser& answer() { return parser_; }
    [[nodiscard]] std::string& out() { return out_; }
    [[nodiscard]] Origin& origin() { return *origin_; }
    [[nodiscard]] const std::shared_ptr<Origin>& shared_origin() const { return origin_; }
    /// Whether any byte of an answer has come.
    [[nodiscard]] bool heard() const { return heard_; }
    [[nodiscard]] bool sent_all() const { return sent_all_; }
    /// Whether bytes came behind the answer.
    [[nodiscard]] bool has_surplus() const { return !in_.empty(); }
    /// OpenSSL's reason after an error; empty: it was not TLS.
    [[nodiscard]] std::string tls_error() const { return tls_ ? tls_->error() : std::string{}; }
    [[nodiscard]] bool tls_resumed() const { return tls_ && tls_->resumed(); }
    /// Gives back large buffers before it idles.
    void rest();

    Wheel::Deadline idle_deadline;
    std::chrono::steady_clock::time_point idle_since;

private:
    enum class Wait { nothing, read, write };
    struct Step {
        std::size_t n = 0;
        Wait wait = Wait::nothing;
        boost::system::error_code error;
    };
    struct Readiness;

    Step try_read();
    Step try_write(OutgoingRequest request);
    Step judge(TlsStream::Step step, std::size_t n);
    boost::asio::awaitable<boost::system::error_code> wait(Wait wait);
    /// Ends when either is possible.
    boost::asio::awaitable<boost::system::error_code> wait_for_either();
    boost::asio::awaitable<Step> read_some();
    /// Takes what has come while the request was being sent.
    boost::system::error_code read_early();
    void take_in(std::size_t n);

    boost::asio::ip::tcp::socket socket_;
    std::shared_ptr<Origin> origin_;
    std::unique_ptr<TlsStream> outer_tls_;  ///< with the proxy, when tls_ is inside of it
    std::unique_ptr<TlsStream> tls_;
    std::shared_ptr<Readiness> readiness_;
    ReadBuffer in_;
    ResponseParser parser_;
    std::string out_;
    bool heard_ = false;
    bool sent_all_ = false;
    bool cancelled_ = false;
};

}  // namespace herald
