#include "net/dialer.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "net/network_check.h"

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

/// There are no file descriptors, in the process or in the system.
bool is_starved(error_code error) {
    return error == boost::asio::error::no_descriptors ||
           error == boost::system::errc::too_many_files_open_in_system;
}

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
               const HttpClientOptions& options, std::function<bool()> give_way)
    : executor_(executor),
      wheel_(wheel),
      give_way_(std::move(give_way)),
      network_(options.network),
      name_timeout_(options.name_timeout),
      tls_(options.ca_bundle),
      resolver_(executor, options.ask_names) {
    if (tls_.trust_error().empty()) return;
    log::error("http.no_trusted_certificates", {{"error", tls_.trust_error()}});
}

awaitable<Outcome> Dialer::dial(Connection& connection, Patience patience) {
    auto expire = [&connection] { connection.cancel(); };
    const auto deadline = wheel_.arm(patience.until - steady_clock::now(), expire);
    Outcome outcome = co_await reach(connection, patience);
    if (outcome.ok() && connection.origin().key.tls) {
        outcome = co_await secure(connection, patience);
    }
    // It came too late: the deadline has cancelled it on its way.
    if (outcome.ok() && is_over(patience.until)) outcome = called_off(patience);
    co_return outcome;
}

awaitable<std::expected<std::shared_ptr<const NameAnswer>, Outcome>> Dialer::look_up(
    const OriginKey& key, Patience patience) {
    if (auto refused = check_name(network_, key.host, key.port); !refused.ok()) {
        co_return std::unexpected(std::move(refused));
    }
    const auto until = std::min(patience.until, steady_clock::now() + name_timeout_);
    const auto found = co_await resolver_.resolve(key.host, until);
    const std::string name = "The host name " + key.host;
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
    auto refused = check_addresses(network_, key.host, key.port, *found);
    if (!refused.ok()) co_return std::unexpected(std::move(refused));
    co_return found;
}

awaitable<Outcome> Dialer::reach(Connection& connection, Patience patience) {
    const Origin& origin = connection.origin();
    const auto looked_up = co_await look_up(origin.key, patience);
    if (!looked_up) co_return looked_up.error();
    const auto& addresses = (*looked_up)->addresses;
    error_code error;
    std::size_t left = std::min(addresses.size(), tries);
    for (const auto& address : std::views::take(addresses, left)) {
        const tcp::endpoint endpoint(address, origin.key.port);
        const auto turn = std::min(patience.until, steady_clock::now() + one_address);
        error = co_await try_address(connection, endpoint, left == 1 ? patience.until : turn);
        if (!error) {
            resolver_.prefer(origin.key.host, address);
            co_return Outcome{};
        }
        if (is_over(patience.until) || error == boost::asio::error::operation_aborted) break;
        --left;
    }
    co_return no_connection(origin.host_header, error, patience);
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

awaitable<Outcome> Dialer::secure(Connection& connection, Patience patience) {
    const OriginKey& key = connection.origin().key;
    if (key.verify && !tls_.trust_error().empty()) {
        co_return Outcome{FailureClass::tls, "The receiver's certificate cannot be verified: " +
                                                 tls_.trust_error() + "."};
    }
    const error_code error = co_await connection.handshake(tls_);
    if (!error) co_return Outcome{};
    if (const std::string why = connection.tls_error(); !why.empty()) {
        co_return Outcome{FailureClass::tls,
                          "The TLS handshake with the receiver failed: " + why + "."};
    }
    co_return no_connection(connection.origin().host_header, error, patience);
}

}  // namespace herald
