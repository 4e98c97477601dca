#include "net/http_client.h"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>

#include "net/connection.h"
#include "net/connection_pool.h"
#include "net/dialer.h"
#include "net/http_answer.h"
#include "net/request_text.h"
#include "net/tunnel.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::system::error_code;
using std::chrono::steady_clock;

Outcome judge_status(int status, const Origin& origin) {
    const FailureClass failure = classify_status(status);
    if (failure == FailureClass::none) return {};
    // Only without TLS a proxy can answer in the receiver's place.
    const Proxy* proxy = origin.key.tls || !origin.way ? nullptr : origin.way->proxy.get();
    if (proxy != nullptr && status == 407) return refused_credentials(*proxy);
    std::string message =
        proxy == nullptr ? "The receiver" : "The receiver, or the proxy " + proxy->name() + ",";
    message += " answered " + std::to_string(status);
    const std::string_view phrase = reason_phrase(status);
    if (phrase != "Unknown") message.append(" ").append(phrase);
    return {failure, message + "."};
}

class PooledHttpClient final : public HttpClient {
public:
    PooledHttpClient(boost::asio::any_io_executor executor, Wheel& wheel, HttpClientOptions options)
        : wheel_(wheel),
          options_(std::move(options)),
          dialer_(executor, wheel, options_, [this] { return pool_.close_oldest_idle(); }),
          pool_(executor, wheel) {}

    awaitable<HttpAnswer> post(const HttpRequest& request) override;
    bool close_oldest_idle() override { return pool_.close_oldest_idle(); }
    void close() override { pool_.close(); }

private:
    /// One call of post(). Lives in its frame.
    struct Exchange {
        const HttpRequest& request;
        steady_clock::time_point began;
        std::shared_ptr<Origin> origin;
        std::unique_ptr<Connection> connection;
        bool expired = false;  ///< the deadline for everything has passed
        bool reused = false;
        HttpAnswer answer;

        void fail(FailureClass failure, std::string message) {
            answer.outcome = {failure, std::move(message)};
        }
        void stop() {
            if (connection) connection->cancel();
        }
    };

    /// False: the connection that was kept alive had died. Nothing was answered.
    awaitable<bool> try_once(Exchange& x);
    awaitable<bool> connect(Exchange& x);
    [[nodiscard]] bool leads_back(const HttpAnswer& answer) const;
    void note_error(Exchange& x, error_code error);
    void finish(Exchange& x, error_code error);

    Wheel& wheel_;
    HttpClientOptions options_;
    Dialer dialer_;
    ConnectionPool pool_;
};

awaitable<HttpAnswer> PooledHttpClient::post(const HttpRequest& request) {
    Exchange x{.request = request};
    x.began = steady_clock::now();
    if (auto wrong = check_request(request); !wrong.empty()) {
        x.fail(FailureClass::config, std::move(wrong));
        co_return std::move(x.answer);
    }
    x.origin = pool_.origin(request.url, request.verify_certificates, request.way_options);
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
    const OutgoingRequest out = write_request(x.request, *x.origin, options_, connection.out());
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

/// Only the herald that sent the request knows the id that is in it (api/api.cc).
bool PooledHttpClient::leads_back(const HttpAnswer& answer) const {
    constexpr int loop_detected = 508;
    return answer.status == loop_detected && !options_.node.empty() &&
           std::ranges::any_of(answer.headers, [&](const auto& field) {
               return same_field_name(field.first, node_field) && field.second == options_.node;
           });
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
        x.answer.outcome = judge_status(parsed.status(), *x.origin);
        if (leads_back(x.answer)) {
            x.fail(FailureClass::config,
                   "The URL leads back to this herald, by way of a proxy or another address.");
        }
        const bool keep = !error && parsed.keep_alive() && connection.sent_all() &&
                          !connection.has_surplus() && !x.expired;
        if (keep) pool_.keep(std::move(x.connection));
    }
}

void PooledHttpClient::note_error(Exchange& x, error_code error) {
    const Connection& connection = *x.connection;
    if (x.expired) {
        x.fail(FailureClass::timeout,
               "There was no complete answer within " + seconds_text(x.request.timeout) + ".");
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
    const auto whole = std::min(x.request.timeout, x.request.connect_timeout);
    const Dialer::Patience patience{x.began + whole, whole};
    x.answer.outcome = co_await dialer_.dial(*x.connection, patience);
    co_return x.answer.outcome.ok();
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor, Wheel& wheel,
                                             HttpClientOptions options) {
    return std::make_unique<PooledHttpClient>(std::move(executor), wheel, std::move(options));
}

}  // namespace herald
