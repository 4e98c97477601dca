#include "net/http_client.h"

#include <array>
#include <cmath>
#include <utility>

#include <boost/asio/error.hpp>

#include "base/log.h"
#include "net/connection.h"
#include "net/connection_pool.h"
#include "net/http_answer.h"
#include "net/request_text.h"
#include "net/resolver.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

/// How long one address may take when there are others to try.
constexpr steady_clock::duration one_address = std::chrono::seconds{2};

/// "15 s", "0.25 s".
std::string seconds_text(steady_clock::duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    std::string text = std::to_string(ms / 1000);
    if (ms % 1000 != 0) {
        text += "." + std::to_string(1000 + ms % 1000).substr(1);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + " s";
}

Outcome failed(FailureClass failure, std::string message) { return {failure, std::move(message)}; }

Outcome judge_status(int status) {
    const FailureClass failure = classify_status(status);
    if (failure == FailureClass::none) return {};
    std::string message = "The receiver answered " + std::to_string(status);
    const std::string_view phrase = reason_phrase(status);
    if (phrase != "Unknown") message.append(" ").append(phrase);
    return {failure, message + "."};
}

class PooledHttpClient final : public HttpClient {
public:
    PooledHttpClient(boost::asio::any_io_executor executor, Wheel& wheel, HttpClientOptions options)
        : wheel_(wheel),
          options_(std::move(options)),
          tls_(options_.ca_bundle),
          resolver_(executor),
          pool_(executor, wheel) {
        if (!tls_.trust_error().empty()) {
            log::error("http.no_trusted_certificates", {{"error", tls_.trust_error()}});
        }
    }

    awaitable<HttpAnswer> post(const HttpRequest& request) override;
    void close() override { pool_.close(); }

private:
    /// One call of post(). Lives in its frame.
    struct Exchange {
        const HttpRequest& request;
        steady_clock::time_point began;
        std::shared_ptr<Origin> origin;
        std::unique_ptr<Connection> connection;
        bool expired = false;          ///< the deadline for everything has passed
        bool connect_expired = false;  ///< the deadline for the connection has
        bool connecting = false;
        bool reused = false;
        HttpAnswer answer;

        void fail(FailureClass failure, std::string message) {
            answer.outcome = failed(failure, std::move(message));
        }
        void stop() {
            if (connection) connection->cancel();
        }
    };

    /// False: the connection that was kept alive had died. Nothing was answered.
    awaitable<bool> try_once(Exchange& x);
    awaitable<bool> connect(Exchange& x);
    awaitable<bool> connect_to_any(Exchange& x, steady_clock::time_point until);
    awaitable<error_code> connect_to(Exchange& x, tcp::endpoint endpoint,
                                     steady_clock::duration patience);
    awaitable<bool> shake_hands(Exchange& x);
    void note_connect_error(Exchange& x, error_code error, const std::string& what);
    void note_error(Exchange& x, error_code error);
    void note_timeout(Exchange& x);
    void finish(Exchange& x, error_code error);

    Wheel& wheel_;
    HttpClientOptions options_;
    TlsContext tls_;
    Resolver resolver_;
    ConnectionPool pool_;
};

awaitable<HttpAnswer> PooledHttpClient::post(const HttpRequest& request) {
    Exchange x{.request = request};
    x.began = steady_clock::now();
    if (auto wrong = check_request(request); !wrong.empty()) {
        x.fail(FailureClass::config, std::move(wrong));
        co_return std::move(x.answer);
    }
    x.origin = pool_.origin(request.url, request.verify_certificates);
    auto expire = [&x] {
        x.expired = true;
        x.stop();
    };
    const auto deadline = wheel_.arm(request.timeout, expire);
    x.connection = pool_.take_idle(*x.origin);
    x.reused = x.connection != nullptr;
    bool settled = co_await try_once(x);
    if (!settled) {
        // Nothing came back, so the receiver had most likely closed before it saw the request.
        x.reused = false;
        pool_.drop(std::move(x.connection));
        settled = co_await try_once(x);
    }
    if (x.connection) pool_.drop(std::move(x.connection));
    co_return std::move(x.answer);
}

awaitable<bool> PooledHttpClient::try_once(Exchange& x) {
    if (!x.connection) {
        const bool connected = co_await connect(x);
        if (!connected) co_return true;
    }
    x.answer.reused_connection = x.reused;
    Connection& connection = *x.connection;
    const OutgoingRequest out =
        write_request(x.request, x.origin->host_header, options_.user_agent, connection.out());
    const error_code not_sent = co_await connection.send(out);
    error_code error = not_sent;
    // A receiver that refuses a large request may answer and close before it has read it all: its
    // answer is worth more than the error it leaves.
    if (error != boost::asio::error::operation_aborted) {
        error = co_await connection.receive();
        if (error && not_sent) error = not_sent;
    }
    if (x.reused && error && !connection.heard() && !x.expired &&
        error != boost::asio::error::operation_aborted && connection.tls_error().empty()) {
        co_return false;
    }
    finish(x, error);
    co_return true;
}

void PooledHttpClient::finish(Exchange& x, error_code error) {
    Connection& connection = *x.connection;
    ResponseParser& parsed = connection.answer();
    x.answer.status = parsed.status();
    x.answer.headers = std::move(parsed.headers());
    x.answer.body = std::move(parsed.body());
    x.answer.body_cut = parsed.body_cut(x.answer.body.size());
    if (parsed.fault()) {
        x.fail(FailureClass::connection, "The receiver's answer is not valid HTTP/1.1: " +
                                             std::string(parsed.fault()->what) + ".");
    } else if (!parsed.done()) {
        note_error(x, error);
    } else {
        x.answer.outcome = judge_status(parsed.status());
        const bool keep = !error && parsed.keep_alive() && connection.sent_all() &&
                          !connection.has_surplus() && !x.expired;
        if (keep) pool_.keep(std::move(x.connection));
    }
}

void PooledHttpClient::note_error(Exchange& x, error_code error) {
    const Connection& connection = *x.connection;
    if (x.expired) {
        note_timeout(x);
    } else if (error == boost::asio::error::operation_aborted) {
        x.fail(FailureClass::connection, "The request was called off.");
    } else if (const std::string tls = connection.tls_error(); !tls.empty()) {
        x.fail(FailureClass::tls, "The TLS connection to the receiver broke: " + tls + ".");
    } else if (!connection.heard()) {
        const bool closed = error == boost::asio::error::eof;
        x.fail(FailureClass::connection, "The receiver closed the connection without an answer" +
                                             (closed ? "." : ": " + error.message() + "."));
    } else {
        const bool closed = error == boost::asio::error::eof;
        x.fail(FailureClass::connection,
               "The receiver closed the connection in the middle of its answer" +
                   (closed ? "." : ": " + error.message() + "."));
    }
}

void PooledHttpClient::note_timeout(Exchange& x) {
    const HttpRequest& request = x.request;
    if (!x.connecting) {
        x.fail(FailureClass::timeout,
               "There was no complete answer within " + seconds_text(request.timeout) + ".");
        return;
    }
    const auto patience = std::min(request.timeout, request.connect_timeout);
    x.fail(FailureClass::timeout, "There was no connection within " + seconds_text(patience) + ".");
}

awaitable<bool> PooledHttpClient::connect(Exchange& x) {
    if (pool_.closed()) {
        x.fail(FailureClass::connection, "The client is closed: the server is stopping.");
        co_return false;
    }
    x.connection = pool_.make(x.origin);
    if (!x.connection) {
        x.fail(FailureClass::connection, "All connections to receivers are in use.");
        co_return false;
    }
    x.connecting = true;
    const auto until = x.began + std::min(x.request.timeout, x.request.connect_timeout);
    auto expire = [&x] {
        x.connect_expired = true;
        x.stop();
    };
    const auto deadline = wheel_.arm(until - steady_clock::now(), expire);
    bool connected = co_await connect_to_any(x, until);
    if (connected && x.request.url.tls) connected = co_await shake_hands(x);
    if (connected && (x.expired || x.connect_expired)) {
        note_timeout(x);
        connected = false;
    }
    x.connecting = !connected;
    co_return connected;
}

awaitable<bool> PooledHttpClient::connect_to_any(Exchange& x, steady_clock::time_point until) {
    const std::string& host = x.request.url.host;
    const auto found = co_await resolver_.resolve(host, until);
    if (!found) {
        const bool late = steady_clock::now() >= until;
        note_connect_error(
            x, late ? boost::asio::error::timed_out : boost::asio::error::operation_aborted, host);
        co_return false;
    }
    if (found->addresses.empty()) {
        x.fail(FailureClass::connection,
               "The host name " + host + " cannot be resolved: " + found->error + ".");
        co_return false;
    }
    error_code error;
    std::size_t left = found->addresses.size();
    for (const auto& address : found->addresses) {
        const auto rest = until - steady_clock::now();
        const tcp::endpoint endpoint(address, x.request.url.port);
        error = co_await connect_to(x, endpoint, left == 1 ? rest : std::min(rest, one_address));
        if (!error) {
            resolver_.prefer(host, address);
            co_return true;
        }
        if (x.expired || x.connect_expired || error == boost::asio::error::operation_aborted) break;
        --left;
    }
    note_connect_error(x, error, x.origin->host_header);
    co_return false;
}

awaitable<error_code> PooledHttpClient::connect_to(Exchange& x, tcp::endpoint endpoint,
                                                   steady_clock::duration patience) {
    Wheel::Deadline deadline = wheel_.arm(patience, [&x] { x.stop(); });
    const error_code error = co_await x.connection->connect(endpoint);
    if (deadline.fired()) co_return boost::asio::error::timed_out;
    co_return error;
}

awaitable<bool> PooledHttpClient::shake_hands(Exchange& x) {
    if (x.request.verify_certificates && !tls_.trust_error().empty()) {
        x.fail(FailureClass::tls,
               "The receiver's certificate cannot be verified: " + tls_.trust_error() + ".");
        co_return false;
    }
    const error_code error = co_await x.connection->handshake(tls_);
    if (!error) co_return true;
    const std::string why = x.connection->tls_error();
    if (why.empty()) {
        note_connect_error(x, error, x.origin->host_header);
    } else {
        x.fail(FailureClass::tls, "The TLS handshake with the receiver failed: " + why + ".");
    }
    co_return false;
}

void PooledHttpClient::note_connect_error(Exchange& x, error_code error, const std::string& what) {
    if (x.expired || x.connect_expired || error == boost::asio::error::timed_out) {
        note_timeout(x);
    } else if (error == boost::asio::error::operation_aborted) {
        x.fail(FailureClass::connection, "The request was called off.");
    } else {
        x.fail(FailureClass::connection, "No connection to " + what + ": " + error.message() + ".");
    }
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor, Wheel& wheel,
                                             HttpClientOptions options) {
    return std::make_unique<PooledHttpClient>(std::move(executor), wheel, std::move(options));
}

}  // namespace herald
