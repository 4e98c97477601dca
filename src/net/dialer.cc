#include "net/dialer.h"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>

#include "base/log.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

/// How long one address may take when there are others to try.
constexpr steady_clock::duration one_address = std::chrono::seconds{2};

bool is_over(const Dialer::Patience& patience) { return steady_clock::now() >= patience.until; }

Outcome no_connection(const std::string& to, const std::string& why) {
    return {FailureClass::connection, "No connection to " + to + ": " + why + "."};
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
               const std::string& ca_bundle)
    : wheel_(wheel), tls_(ca_bundle), resolver_(executor) {
    if (tls_.trust_error().empty()) return;
    log::error("http.no_trusted_certificates", {{"error", tls_.trust_error()}});
}

awaitable<Outcome> Dialer::dial(Connection& connection, Patience patience) {
    auto expire = [&connection] { connection.cancel(); };
    const auto deadline = wheel_.arm(patience.until - steady_clock::now(), expire);
    Outcome outcome = co_await reach(connection, patience);
    if (outcome.ok() && connection.origin().key.tls) outcome = co_await secure(connection);
    // What has come too late was cancelled on its way, whatever it says.
    const bool late = is_over(patience) && outcome.failure != FailureClass::tls;
    if (late) {
        co_return Outcome{FailureClass::timeout,
                          "There was no connection within " + seconds_text(patience.whole) + "."};
    }
    co_return outcome;
}

awaitable<Outcome> Dialer::reach(Connection& connection, Patience patience) {
    const Origin& origin = connection.origin();
    const auto found = co_await resolver_.resolve(origin.key.host, patience.until);
    if (!found) co_return Outcome{FailureClass::connection, "The request was called off."};
    if (found->addresses.empty()) {
        co_return Outcome{
            FailureClass::connection,
            "The host name " + origin.key.host + " cannot be resolved: " + found->error + "."};
    }
    error_code error;
    std::size_t left = found->addresses.size();
    for (const auto& address : found->addresses) {
        const auto rest = patience.until - steady_clock::now();
        const tcp::endpoint endpoint(address, origin.key.port);
        const auto turn = left == 1 ? rest : std::min(rest, one_address);
        error = co_await try_address(connection, endpoint, turn);
        if (!error) {
            resolver_.prefer(origin.key.host, address);
            co_return Outcome{};
        }
        if (is_over(patience) || error == boost::asio::error::operation_aborted) break;
        --left;
    }
    if (error == boost::asio::error::operation_aborted) {
        co_return Outcome{FailureClass::connection, "The request was called off."};
    }
    co_return no_connection(origin.host_header, error.message());
}

awaitable<error_code> Dialer::try_address(Connection& connection, tcp::endpoint endpoint,
                                          steady_clock::duration patience) {
    auto expire = [&connection] { connection.cancel(); };
    Wheel::Deadline deadline = wheel_.arm(patience, expire);
    const error_code error = co_await connection.connect(endpoint);
    if (deadline.fired()) co_return boost::asio::error::timed_out;
    co_return error;
}

awaitable<Outcome> Dialer::secure(Connection& connection) {
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
    if (error == boost::asio::error::operation_aborted) {
        co_return Outcome{FailureClass::connection, "The request was called off."};
    }
    co_return no_connection(connection.origin().host_header, error.message());
}

}  // namespace herald
