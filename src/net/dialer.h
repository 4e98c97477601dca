#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "async/wheel.h"
#include "core/attempt.h"
#include "net/connection.h"
#include "net/descriptors.h"
#include "net/http_client.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace herald {

/// "15 s", "0.25 s".
[[nodiscard]] std::string seconds_text(std::chrono::steady_clock::duration time);

/// Brings a new connection to its origin, directly or through a proxy: name, addresses in turn,
/// tunnel, TLS. When the process has no file descriptor left it waits for one. Lives on one loop
/// thread.
class Dialer {
public:
    /// How long a connection may take.
    struct Patience {
        std::chrono::steady_clock::time_point until;
        std::chrono::steady_clock::duration whole{0};  ///< for people
    };

    /// `give_way` closes a connection that nobody uses; false: there is none.
    Dialer(const boost::asio::any_io_executor& executor, Wheel& wheel,
           const HttpClientOptions& options, GiveWay give_way);

    /// When the outcome is ok, `connection` is ready for a request. What the receiver does and a
    /// cancelled task are outcomes too.
    boost::asio::awaitable<Outcome> dial(Connection& connection, Patience patience);

private:
    /// The next one who takes a connection: the receiver or a proxy.
    struct Hop {
        const std::string& host;
        std::uint16_t port;
        std::string name;  ///< for people
        const NetworkPolicy* policy = nullptr;  ///< null: it needs none
    };

    /// Finds out what the options mean, once for each origin.
    Outcome choose_way(Origin& origin);
    boost::asio::awaitable<Outcome> go(Connection& connection, Patience patience);
    boost::asio::awaitable<Outcome> go_through(Connection& connection, const Proxy& proxy,
                                               Patience patience);
    boost::asio::awaitable<Outcome> open_tunnel(Connection& connection, const Proxy& proxy,
                                                Patience patience);
    /// The network policy over a receiver that a proxy calls, as far as its name is known here.
    boost::asio::awaitable<Outcome> check_behind_proxy(const OriginKey& key, Patience patience);
    /// Addresses that the network policy lets pass, or why there are none.
    boost::asio::awaitable<std::expected<std::shared_ptr<const NameAnswer>, Outcome>> look_up(
        const Hop& hop, Patience patience);
    boost::asio::awaitable<Outcome> reach(Connection& connection, Hop hop, Patience patience);
    boost::asio::awaitable<boost::system::error_code> try_address(
        Connection& connection, boost::asio::ip::tcp::endpoint endpoint,
        std::chrono::steady_clock::time_point until);
    boost::asio::awaitable<Outcome> secure(Connection& connection, TlsPeer peer, std::string name,
                                           Patience patience);

    boost::asio::any_io_executor executor_;
    Wheel& wheel_;
    GiveWay give_way_;
    const NetworkPolicy* network_;
    std::chrono::steady_clock::duration name_timeout_;
    std::string user_agent_;
    EnvironmentProxies proxies_;
    TlsContext tls_;
    Resolver resolver_;
};

}  // namespace herald
