#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "async/wheel.h"
#include "core/attempt.h"
#include "core/network_policy.h"
#include "core/proxy.h"
#include "core/url.h"
#include "net/resolver.h"
#include "net/way_options.h"

namespace herald {

/// One request to send. Borrowed by post() until it returns.
struct HttpRequest {
    Url url;
    bool verify_certificates = true;
    /// Its own certificates or proxy; null: as all others.
    std::shared_ptr<const WayOptions> way_options = {};
    /// Field lines in order, without Host, Content-Length and Connection, which the client writes.
    /// Checked by validate_header before they come here; checked again here for CR, LF and NUL.
    HeaderList headers;
    std::string body;
    /// For everything: name, connect, handshake, send, answer with its whole body.
    std::chrono::steady_clock::duration timeout{std::chrono::seconds{15}};
    /// For name, connect and handshake; never longer than `timeout`.
    std::chrono::steady_clock::duration connect_timeout{std::chrono::seconds{10}};
    std::string method = "POST";
};

/// What came back. `status` 0: nothing was answered, and `outcome` says why. An answer that is not
/// 2xx is an outcome of class HTTP_CLIENT_ERROR or HTTP_SERVER_ERROR.
struct HttpAnswer {
    int status = 0;
    HeaderList headers;
    std::string body;  ///< at most limits::response_capture bytes
    bool body_cut = false;
    bool reused_connection = false;
    Outcome outcome;
};

struct HttpClientOptions {
    std::string user_agent;
    /// Sent as the field herald-node; an answer 508 that carries it back is a loop. Empty: not
    /// sent.
    std::string node;
    std::string ca_bundle;  ///< path of a PEM file; empty: the system's certificates
    /// Which addresses may be called; null: all. Outlives the client.
    const NetworkPolicy* network = nullptr;
    Resolver::Ask ask_names = ask_system;
    /// For one look-up of a name; the rest of the time stays for the connection.
    std::chrono::steady_clock::duration name_timeout{std::chrono::seconds{5}};
    EnvironmentProxies proxies = {};
};

/// Sends requests to receivers. The second of the five doors. Lives on the loop thread.
/// Never follows redirects, never throws for what a receiver does.
class HttpClient {
public:
    virtual ~HttpClient() = default;

    /// One request. When a kept-alive connection turns out to be stale (closed before any byte of
    /// an answer), it is sent once more on a fresh one, within the same deadline.
    virtual boost::asio::awaitable<HttpAnswer> post(const HttpRequest& request) = 0;
    /// Closes the connection that idles for the longest time, for somebody who needs its file
    /// descriptor. False: none idles.
    virtual bool close_oldest_idle() = 0;
    /// Closes idle connections and refuses new requests.
    virtual void close() = 0;
};

/// The pooled keep-alive client over plain sockets and OpenSSL (docs/internals/net.md). `wheel`
/// must outlive it.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor,
                                                           Wheel& wheel, HttpClientOptions options);

}  // namespace herald
