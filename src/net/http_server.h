#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "async/wheel.h"
#include "base/result.h"
#include "core/attempt.h"
#include "net/descriptors.h"

namespace herald {

/// A request as it came in. Field names are lower case. Owned by the session; borrowed by the
/// handler until its answer is complete.
struct ServerRequest {
    std::string method;
    std::string target;  ///< as sent: path and query
    std::string path;    ///< percent-decoded; no query
    std::string query;   ///< as sent, without "?"
    HeaderList headers;
    std::string body;
    std::string remote;  ///< "127.0.0.1:49152"

    /// The first field of that (lower-case) name, or empty.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct ServerAnswer {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    HeaderList headers;  ///< besides Content-Type, Content-Length, Date and Connection
};

struct HttpServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free one; see port()
    std::size_t max_body = 16'777'216;
    std::size_t max_connections = 4'096;
    std::chrono::steady_clock::duration idle_timeout{std::chrono::seconds{75}};
    /// For one whole request to arrive, once its first byte has.
    std::chrono::steady_clock::duration read_timeout{std::chrono::seconds{30}};
    /// Called when there is no file descriptor for a connection; empty: nobody can spare one.
    GiveWay give_way = {};
};

/// Accepts HTTP/1.1 with keep-alive and pipelined requests in order, one coroutine a connection.
/// Answers 400, 408, 413, 414, 417 (unknown Expect), 431, 501 and 505 by itself, as problem+json,
/// and closes. Understands chunked bodies and Expect: 100-continue. Lives on the loop thread.
class HttpServer {
public:
    using Handler = std::function<boost::asio::awaitable<ServerAnswer>(const ServerRequest&)>;

    HttpServer(boost::asio::any_io_executor executor, Wheel& wheel, HttpServerOptions options,
               Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds and begins to accept. The error names the address and why.
    Result<> start();
    [[nodiscard]] std::uint16_t port() const;

    /// Stops accepting, closes idle connections, lets requests in hand finish within `grace`, then
    /// closes the rest.
    boost::asio::awaitable<void> stop(std::chrono::steady_clock::duration grace);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace herald
