#include "net/http_server.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/signal.h"
#include "async/task_group.h"
#include "base/log.h"
#include "net/descriptors.h"
#include "net/http_session.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;

constexpr auto answer = boost::asio::as_tuple(boost::asio::use_awaitable);

/// When the process has no more file descriptors, trying at once would only burn the processor.
constexpr auto accept_again_after = std::chrono::milliseconds{100};

}  // namespace

struct HttpServer::State {
    State(const boost::asio::any_io_executor& executor, Wheel& wheel, HttpServerOptions options,
          Handler handler)
        : context(wheel, std::move(options), std::move(handler)),
          acceptor(executor),
          room(executor),
          tasks(executor) {}

    Result<> listen();
    void close_acceptor();
    void close_sessions(bool all);
    /// Whether somebody closed a file for a new connection.
    [[nodiscard]] bool gives_way() const {
        return context.options.give_way && context.options.give_way();
    }

    static awaitable<void> run_accepting(std::shared_ptr<State> self);
    static awaitable<void> serve_connection(std::shared_ptr<State> self, tcp::socket socket);

    SessionContext context;
    tcp::acceptor acceptor;
    std::uint16_t port = 0;
    Signal room;           ///< woken when a connection ended, and at the stop
    std::size_t open = 0;  ///< connections
    bool starved = false;  ///< the last accept failed
    TaskGroup tasks;
};

Result<> HttpServer::State::listen() {
    const HttpServerOptions& options = context.options;
    const std::string where = options.address + ":" + std::to_string(options.port);
    const std::string literal = options.address == "localhost" ? "127.0.0.1" : options.address;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(literal, error);
    if (error) return fail(Errc::invalid, "cannot listen on " + where + ": not an IP address");
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) port = acceptor.local_endpoint(error).port();
    if (error) {
        close_acceptor();
        return fail(Errc::unavailable, "cannot listen on " + where + ": " + error.message());
    }
    return {};
}

void HttpServer::State::close_acceptor() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    room.wake();
}

void HttpServer::State::close_sessions(bool all) {
    for (HttpSession* session : context.sessions) {
        if (all || session->idle()) session->close();
    }
}

awaitable<void> HttpServer::State::run_accepting(std::shared_ptr<State> self) {
    while (!self->context.stopping) {
        if (self->open >= self->context.options.max_connections) {
            co_await self->room.wait();
            continue;
        }
        auto [error, socket] = co_await self->acceptor.async_accept(answer);
        if (self->context.stopping) break;
        if (error == boost::asio::error::connection_aborted) continue;
        if (is_starved(error) && self->gives_way()) continue;
        if (error) {
            // Said once, not ten times a second for as long as it lasts.
            if (!self->starved) log::warn("http.accept_failed", {{"error", error.message()}});
            self->starved = true;
            const auto until = std::chrono::steady_clock::now() + accept_again_after;
            co_await self->room.wait_until(until);
            continue;
        }
        if (std::exchange(self->starved, false)) log::info("http.accepts_again", {});
        ++self->open;
        self->tasks.start(serve_connection(self, std::move(socket)));
    }
}

awaitable<void> HttpServer::State::serve_connection(std::shared_ptr<State> self,
                                                    tcp::socket socket) {
    {
        HttpSession session(self->context, std::move(socket));
        co_await session.serve();
    }
    --self->open;
    self->room.wake();
}

HttpServer::HttpServer(boost::asio::any_io_executor executor, Wheel& wheel,
                       HttpServerOptions options, Handler handler)
    : state_(std::make_shared<State>(executor, wheel, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() {
    state_->context.stopping = true;
    state_->close_acceptor();
    state_->close_sessions(true);
}

Result<> HttpServer::start() {
    auto listening = state_->listen();
    if (listening) state_->tasks.start(State::run_accepting(state_));
    return listening;
}

std::uint16_t HttpServer::port() const { return state_->port; }

awaitable<void> HttpServer::stop(std::chrono::steady_clock::duration grace) {
    const auto state = state_;
    state->context.stopping = true;
    state->close_acceptor();
    state->close_sessions(false);
    auto force = [state = state.get()] {
        state->close_sessions(true);
        state->tasks.cancel();
    };
    const auto deadline = state->context.wheel.arm(grace, std::move(force));
    co_await state->tasks.join();
}

}  // namespace herald
