#include "net/dialer.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "net/descriptors.h"
#include "net/network_check.h"
#include "net/tunnel.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

/// So many addresses of one name are tried.
constexpr std::size_t tries = 16;
/// How long one address may take when there are others to try.
constexpr steady_clock::duration one_address = std::chrono::seconds{2};

/// How often it is tried again to get a file descriptor.
constexpr auto descriptor_pause = std::chrono::milliseconds{250};

bool is_over(steady_clock::time_point until) { return steady_clock::now() >= until; }

/// What was cancelled: by its deadline, or by the end of the task.
Outcome called_off(const Dialer::Patience& patience) {
    if (!is_over(patience.until)) {
        return {FailureClass::connection, "The request was called off."};
    }
    return {FailureClass::timeout,
            "There was no connection within " + seconds_text(patience.whole) + "."};
}

Outcome no_connection(const std::string& to, error_code error, const Dialer::Patience& patience) {
    if (is_starved(error)) {
        return {FailureClass::connection,
                "No connection to " + to +
                    ": this server has no file descriptor left. Raise its limit (LimitNOFILE of "
                    "systemd, ulimit -n)."};
    }
    if (error == boost::asio::error::operation_aborted || is_over(patience.until)) {
        return called_off(patience);
    }
    return {FailureClass::connection, "No connection to " + to + ": " + error.message() + "."};
}

}  // namespace

std::string seconds_text(steady_clock::duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    std::string text = std::to_string(ms / 1000);
    if (ms % 1000 != 0) {
        text += "." + std::to_string(1000 + ms % 1000).substr(1);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + " s";
}

Dialer::Dialer(const boost::asio::any_io_executor& executor, Wheel& wheel,
               const HttpClientOptions& options, GiveWay give_way)
    : executor_(executor),
      wheel_(wheel),
      give_way_(std::move(give_way)),
      network_(options.network),
      name_timeout_(options.name_timeout),
      user_agent_(options.user_agent),
      proxies_(options.proxies),
      tls_(options.ca_bundle),
      resolver_(executor, options.ask_names) {
    if (tls_.trust_error().empty()) return;
    log::error("http.no_trusted_certificates", {{"error", tls_.trust_error()}});
}

awaitable<Outcome> Dialer::dial(Connection& connection, Patience patience) {
    auto expire = [&connection] { connection.cancel(); };
    const auto deadline = wheel_.arm(patience.until - steady_clock::now(), expire);
    Outcome outcome = choose_way(connection.origin());
    if (outcome.ok()) outcome = co_await go(connection, patience);
    // It came too late: the deadline has cancelled it on its way.
    if (outcome.ok() && is_over(patience.until)) outcome = called_off(patience);
    co_return outcome;
}

Outcome Dialer::choose_way(Origin& origin) {
    if (origin.way) return {};
    const OriginKey& key = origin.key;
    static const WayOptions usual;
    const WayOptions& options = key.way_options ? *key.way_options : usual;
    auto proxy = own_proxy(options.proxy);
    const bool is_own = proxy != nullptr;
    if (!is_own && options.proxy.from_environment) {
        proxy = proxies_.for_url({.tls = key.tls, .host = key.host, .port = key.port});
    }
    Way way = way_through(std::move(proxy), origin);
    way.proxy_is_own = is_own;
    if (key.tls && options.tls != usual.tls) {
        way.tls = std::make_shared<const TlsContext>(tls_, options.tls);
        if (!way.tls->option_error().empty()) {
            return {FailureClass::config, way.tls->option_error()};
        }
    }
    origin.way = std::move(way);
    return {};
}

awaitable<Outcome> Dialer::go(Connection& connection, Patience patience) {
    Origin& origin = connection.origin();
    const Way& way = *origin.way;
    Outcome outcome;
    if (way.proxy) {
        outcome = co_await go_through(connection, *way.proxy, patience);
    } else {
        const Hop receiver{origin.key.host, origin.key.port, origin.host_header, network_};
        outcome = co_await reach(connection, receiver, patience);
    }
    if (outcome.ok() && origin.key.tls) {
        const TlsContext& context = way.tls ? *way.tls : tls_;
        const TlsPeer peer{context, origin.key.host, origin.key.verify, origin.ticket};
        outcome = co_await secure(connection, peer, "the receiver", patience);
    }
    co_return outcome;
}

awaitable<Outcome> Dialer::go_through(Connection& connection, const Proxy& proxy,
                                      Patience patience) {
    Origin& origin = connection.origin();
    const std::string name = "the proxy " + proxy.name();
    // Who runs herald chooses its environment; a webhook's own proxy may be anybody's choice.
    const bool is_own = origin.way->proxy_is_own;
    const Hop hop{proxy.host, proxy.port, name, is_own ? network_ : nullptr};
    Outcome outcome = co_await check_behind_proxy(origin.key, patience);
    if (outcome.ok()) outcome = co_await reach(connection, hop, patience);
    if (outcome.ok() && proxy.tls) {
        // Whose certificates a webhook trusts or does not verify is about its receiver.
        const TlsPeer peer{tls_, proxy.host, true, origin.proxy_ticket};
        outcome = co_await secure(connection, peer, name, patience);
    }
    if (outcome.ok() && origin.key.tls) {
        outcome = co_await open_tunnel(connection, proxy, patience);
    }
    co_return outcome;
}

awaitable<Outcome> Dialer::open_tunnel(Connection& connection, const Proxy& proxy,
                                       Patience patience) {
    const OriginKey& key = connection.origin().key;
    connection.reset(true);
    connection.out() = tunnel_request(proxy, key, user_agent_);
    const OutgoingRequest request{connection.out(), {}};
    error_code error = co_await connection.send(request);
    if (!error) error = co_await connection.receive();
    const ResponseParser& answer = connection.answer();
    const std::string name = "The proxy " + proxy.name();
    Outcome outcome;
    if (answer.fault()) {
        outcome = {FailureClass::connection, name +
                                                 " gives an answer that is not valid HTTP/1.1: " +
                                                 std::string(answer.fault()->what) + "."};
    } else if (answer.done()) {
        outcome = judge_tunnel(proxy, key, answer.status());
        // TLS begins with us: what is here already is not the receiver's.
        if (outcome.ok() && connection.has_surplus()) {
            outcome = {FailureClass::connection,
                       name + " sent bytes into the tunnel that nobody had asked for."};
        }
    } else if (error && error != boost::asio::error::eof) {
        outcome = no_connection("the receiver through the proxy " + proxy.name(), error, patience);
    } else {
        outcome = {FailureClass::connection,
                   name + " closed the connection instead of opening a tunnel."};
    }
    connection.reset();
    co_return outcome;
}

awaitable<Outcome> Dialer::check_behind_proxy(const OriginKey& key, Patience patience) {
    if (network_ == nullptr) co_return Outcome{};
    if (auto refused = check_name(network_, key.host, key.port); !refused.ok()) co_return refused;
    const auto until = std::min(patience.until, steady_clock::now() + name_timeout_);
    const auto found = co_await resolver_.resolve(key.host, until);
    // Behind a proxy there may be names that only the proxy knows.
    if (!found || found->addresses.empty()) co_return Outcome{};
    co_return check_addresses(network_, key.host, key.port, *found);
}

awaitable<std::expected<std::shared_ptr<const NameAnswer>, Outcome>> Dialer::look_up(
    const Hop& hop, Patience patience) {
    if (auto refused = check_name(hop.policy, hop.host, hop.port); !refused.ok()) {
        co_return std::unexpected(std::move(refused));
    }
    const auto until = std::min(patience.until, steady_clock::now() + name_timeout_);
    const auto found = co_await resolver_.resolve(hop.host, until);
    const std::string name = "The host name " + hop.host;
    if (!found && (is_over(patience.until) || !is_over(until))) {
        co_return std::unexpected(called_off(patience));
    }
    if (!found) {
        co_return std::unexpected(
            Outcome{FailureClass::timeout,
                    name + " was not resolved within " + seconds_text(name_timeout_) + "."});
    }
    if (found->addresses.empty()) {
        co_return std::unexpected(
            Outcome{FailureClass::connection, name + " cannot be resolved: " + found->error + "."});
    }
    auto refused = check_addresses(hop.policy, hop.host, hop.port, *found);
    if (!refused.ok()) co_return std::unexpected(std::move(refused));
    co_return found;
}

awaitable<Outcome> Dialer::reach(Connection& connection, Hop hop, Patience patience) {
    const auto looked_up = co_await look_up(hop, patience);
    if (!looked_up) co_return looked_up.error();
    const auto& addresses = (*looked_up)->addresses;
    error_code error;
    std::size_t left = std::min(addresses.size(), tries);
    for (const auto& address : std::views::take(addresses, left)) {
        const tcp::endpoint endpoint(address, hop.port);
        const auto turn = std::min(patience.until, steady_clock::now() + one_address);
        error = co_await try_address(connection, endpoint, left == 1 ? patience.until : turn);
        if (!error) {
            resolver_.prefer(hop.host, address);
            co_return Outcome{};
        }
        if (is_over(patience.until) || error == boost::asio::error::operation_aborted) break;
        --left;
    }
    co_return no_connection(hop.name, error, patience);
}

awaitable<error_code> Dialer::try_address(Connection& connection, tcp::endpoint endpoint,
                                          steady_clock::time_point until) {
    auto expire = [&connection] { connection.cancel(); };
    Wheel::Deadline deadline = wheel_.arm(until - steady_clock::now(), expire);
    error_code error = co_await connection.connect(endpoint);
    while (is_starved(error) && !is_over(until)) {
        if (!give_way_()) {
            boost::asio::steady_timer pause(executor_, descriptor_pause);
            co_await pause.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        error = co_await connection.connect(endpoint);
    }
    if (deadline.fired() && !is_starved(error)) co_return boost::asio::error::timed_out;
    co_return error;
}

awaitable<Outcome> Dialer::secure(Connection& connection, TlsPeer peer, std::string name,
                                  Patience patience) {
    if (const auto& wrong = peer.context.trust_error(); peer.verify && !wrong.empty()) {
        co_return Outcome{FailureClass::tls,
                          "The certificate of " + name + " cannot be verified: " + wrong + "."};
    }
    const error_code error = co_await connection.handshake(peer);
    if (!error) co_return Outcome{};
    if (const std::string why = connection.tls_error(); !why.empty()) {
        co_return Outcome{FailureClass::tls,
                          "The TLS handshake with " + name + " failed: " + why + "."};
    }
    co_return no_connection(connection.origin().host_header, error, patience);
}

}  // namespace herald
