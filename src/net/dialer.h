#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "async/wheel.h"
#include "core/attempt.h"
#include "net/connection.h"
#include "net/http_client.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace herald {

/// "15 s", "0.25 s".
[[nodiscard]] std::string seconds_text(std::chrono::steady_clock::duration time);

/// Brings a new connection to its origin: name, addresses in turn, TLS. When the process has no
/// file descriptor left it waits for one. Lives on one loop thread.
class Dialer {
public:
    /// How long a connection may take.
    struct Patience {
        std::chrono::steady_clock::time_point until;
        std::chrono::steady_clock::duration whole{0};  ///< for people
    };

    /// `give_way` closes a connection that nobody uses; false: there is none.
    Dialer(const boost::asio::any_io_executor& executor, Wheel& wheel,
           const HttpClientOptions& options, std::function<bool()> give_way);

    /// When the outcome is ok, `connection` is ready for a request. What the receiver does and a
    /// cancelled task are outcomes too.
    boost::asio::awaitable<Outcome> dial(Connection& connection, Patience patience);

private:
    /// Addresses that the network policy lets pass, or why there are none.
    boost::asio::awaitable<std::expected<std::shared_ptr<const NameAnswer>, Outcome>> look_up(
        const OriginKey& key, Patience patience);
    boost::asio::awaitable<Outcome> reach(Connection& connection, Patience patience);
    boost::asio::awaitable<boost::system::error_code> try_address(
        Connection& connection, boost::asio::ip::tcp::endpoint endpoint,
        std::chrono::steady_clock::time_point until);
    boost::asio::awaitable<Outcome> secure(Connection& connection, Patience patience);

    boost::asio::any_io_executor executor_;
    Wheel& wheel_;
    std::function<bool()> give_way_;
    const NetworkPolicy* network_;
    std::chrono::steady_clock::duration name_timeout_;
    TlsContext tls_;
    Resolver resolver_;
};

}  // namespace herald
