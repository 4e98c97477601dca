#include "net/http_session.h"

#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;

constexpr auto answer = boost::asio::as_tuple(boost::asio::use_awaitable);

constexpr std::size_t read_least = std::size_t{4} * 1024;
constexpr std::size_t read_body = std::size_t{64} * 1024;
constexpr std::size_t kept_out = std::size_t{64} * 1024;
constexpr auto linger_time = std::chrono::seconds{1};
constexpr std::size_t linger_bytes = 1'048'576;

std::string remote_text(const tcp::socket& socket) {
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return {};
    const std::string address = peer.address().to_string();
    const std::string port = std::to_string(peer.port());
    return peer.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

}  // namespace

SessionContext::SessionContext(Wheel& wheel_in, HttpServerOptions options_in,
                               HttpServer::Handler handler_in)
    : wheel(wheel_in), options(std::move(options_in)), handler(std::move(handler_in)) {}

HttpSession::HttpSession(SessionContext& context, tcp::socket socket)
    : context_(context),
      socket_(std::move(socket)),
      place_(context.sessions.insert(context.sessions.end(), this)),
      parser_(context.options.max_body) {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    parser_.request().remote = remote_text(socket_);
}

HttpSession::~HttpSession() { context_.sessions.erase(place_); }

void HttpSession::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void HttpSession::limit(std::chrono::steady_clock::duration time) {
    deadline_ = context_.wheel.arm(time, [this] {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    });
}

awaitable<void> HttpSession::serve() {
    while (keep_alive_) {
        const bool complete = co_await read_request();
        if (!complete) break;
        co_await answer_request();
    }
    deadline_.disarm();
    close();
}

awaitable<bool> HttpSession::read_request() {
    parser_.reset();
    request_began_ = said_continue_ = false;
    for (;;) {
        in_.used(parser_.feed(in_.view()));
        if (parser_.fault()) {
            co_await refuse(*parser_.fault());
            co_return false;
        }
        if (parser_.done()) break;
        if (!said_continue_ && parser_.wants_continue()) {
            said_continue_ = true;
            out_ = "HTTP/1.1 100 Continue\r\n\r\n";
            const bool sent = co_await send();
            if (!sent) co_return false;
        }
        const bool more = co_await read_more();
        if (!more) co_return false;
    }
    deadline_.disarm();
    co_return true;
}

awaitable<bool> HttpSession::read_more() {
    idle_ = in_.empty() && !parser_.in_body();
    if (idle_ && context_.stopping) co_return false;
    if (idle_) {
        in_.shrink(read_body);
        limit(context_.options.idle_timeout);
    } else if (!request_began_) {
        request_began_ = true;
        limit(context_.options.read_timeout);
    }
    const auto room = in_.room(parser_.in_body() ? read_body : read_least);
    const auto buffer = boost::asio::buffer(room.data(), room.size());
    const auto [error, n] = co_await socket_.async_read_some(buffer, answer);
    const bool was_idle = std::exchange(idle_, false);
    if (!error) {
        in_.filled(n);
        co_return true;
    }
    if (deadline_.fired() && !was_idle) {
        constexpr HttpFault too_slow{408, "the request did not arrive in time"};
        co_await refuse(too_slow);
    }
    co_return false;
}

awaitable<ServerAnswer> HttpSession::ask_handler() {
    // No exception of a handler may end more than its own request.
    try {
        co_return co_await context_.handler(parser_.request());
    } catch (const std::exception& e) {
        log::error("http.handler_failed",
                   {{"path", parser_.request().path}, {"error", std::string_view(e.what())}});
    }
    co_return problem_answer(500, "the server failed to handle the request");
}

awaitable<void> HttpSession::answer_request() {
    ServerAnswer given = co_await ask_handler();
    keep_alive_ = parser_.keep_alive() && !context_.stopping;
    const bool head_only = parser_.request().method == "HEAD";
    append_answer(out_, given, context_.date, keep_alive_, head_only);
    const bool sent = co_await send();
    if (!sent) keep_alive_ = false;
    if (sent && !keep_alive_) co_await linger();
}

awaitable<void> HttpSession::refuse(HttpFault fault) {
    keep_alive_ = false;
    const ServerAnswer problem = problem_answer(fault.status, fault.what);
    append_answer(out_, problem, context_.date, false, false);
    const bool sent = co_await send();
    if (sent) co_await linger();
}

awaitable<bool> HttpSession::send() {
    std::size_t sent = 0;
    boost::system::error_code error;
    while (sent < out_.size()) {
        const auto rest = boost::asio::buffer(out_.data() + sent, out_.size() - sent);
        sent += socket_.send(rest, 0, error);
        if (error != boost::asio::error::would_block) {
            if (error) break;
            continue;
        }
        // A client that does not take its answer has as long as one that does not send.
        limit(context_.options.read_timeout);
        const auto [failed] = co_await socket_.async_wait(tcp::socket::wait_write, answer);
        error = failed;
        if (error) break;
    }
    request_began_ = false;
    out_.clear();
    if (out_.capacity() > kept_out) out_ = {};
    co_return !error;
}

awaitable<void> HttpSession::linger() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    limit(linger_time);
    in_ = {};
    for (std::size_t seen = 0; seen < linger_bytes;) {
        const auto room = in_.room(read_least);
        const auto buffer = boost::asio::buffer(room.data(), room.size());
        const auto [error, n] = co_await socket_.async_read_some(buffer, answer);
        if (error) break;
        seen += n;
    }
}

}  // namespace herald
