#include "net/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/signal.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr auto result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t read_least = std::size_t{4} * 1024;
constexpr std::size_t read_most = std::size_t{64} * 1024;
constexpr std::size_t kept_bytes = std::size_t{16} * 1024;

}  // namespace

/// Both waits of one socket. They may outlive the coroutine that began them, so they share it.
struct Connection::Readiness {
    explicit Readiness(const boost::asio::any_io_executor& executor) : changed(executor) {}

    Signal changed;
    bool waits_read = false;
    bool waits_write = false;
    bool ready = false;
    error_code error;
};

Connection::Connection(const boost::asio::any_io_executor& executor, std::shared_ptr<Origin> origin)
    : socket_(executor), origin_(std::move(origin)) {}

Connection::~Connection() {
    if (tls_) tls_->shut_down();
    if (outer_tls_) outer_tls_->shut_down();
}

awaitable<error_code> Connection::connect(tcp::endpoint endpoint) {
    tls_.reset();
    outer_tls_.reset();
    cancelled_ = false;
    error_code error;
    socket_.close(error);
    socket_.open(endpoint.protocol(), error);
    if (error) co_return error;
    socket_.set_option(tcp::no_delay(true), error);
    const auto [failed] = co_await socket_.async_connect(endpoint, result);
    if (failed) co_return failed;
    socket_.non_blocking(true, error);
    co_return error;
}

awaitable<error_code> Connection::handshake(TlsPeer peer) {
    if (tls_) {
        outer_tls_ = std::move(tls_);
        tls_ = std::make_unique<TlsStream>(peer, *outer_tls_);
    } else {
        tls_ = std::make_unique<TlsStream>(peer, socket_.native_handle());
    }
    for (;;) {
        const Step step = judge(tls_->handshake(), 0);
        if (step.wait == Wait::nothing) co_return step.error;
        const error_code error = co_await wait(step.wait);
        if (error) co_return error;
    }
}

awaitable<error_code> Connection::send(OutgoingRequest request) {
    for (;;) {
        const Step step = try_write(request);
        if (step.error) co_return step.error;
        const std::size_t of_head = std::min(step.n, request.head.size());
        request.head.remove_prefix(of_head);
        request.body.remove_prefix(step.n - of_head);
        if (request.head.empty() && request.body.empty()) break;
        if (step.wait == Wait::nothing) continue;
        const error_code waited = co_await wait_for_either();
        if (waited) co_return waited;
        const error_code early = read_early();
        if (early) co_return early;
        // Answered, or refused by the parser: the rest of the request interests nobody.
        if (parser_.done() || parser_.fault()) co_return error_code{};
    }
    sent_all_ = true;
    co_return error_code{};
}

awaitable<error_code> Connection::receive() {
    while (!parser_.done() && !parser_.fault()) {
        const Step step = co_await read_some();
        if (step.error == boost::asio::error::eof && parser_.end_of_stream()) break;
        if (step.error) co_return step.error;
        take_in(step.n);
    }
    co_return error_code{};
}

void Connection::take_in(std::size_t n) {
    if (n == 0) return;
    heard_ = true;
    in_.filled(n);
    in_.used(parser_.feed(in_.view()));
}

void Connection::reset(bool tunnel) {
    parser_.reset(tunnel);
    out_.clear();
    heard_ = sent_all_ = false;
}

void Connection::rest() {
    in_.shrink(kept_bytes);
    if (out_.capacity() > 2 * kept_bytes) out_ = {};
}

bool Connection::usable() {
    if (tls_) {
        // Reading lets OpenSSL take in late session tickets and see a goodbye.
        const Step step = try_read();
        return step.wait == Wait::read && !step.error;
    }
    char byte = 0;
    const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::cancel() {
    // What has ended well already may not have been resumed yet: the flag stops what it does next.
    cancelled_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

Connection::Step Connection::judge(TlsStream::Step step, std::size_t n) {
    switch (step) {
        case TlsStream::Step::done: return {n, Wait::nothing, {}};
        case TlsStream::Step::want_read: return {0, Wait::read, {}};
        case TlsStream::Step::want_write: return {0, Wait::write, {}};
        case TlsStream::Step::closed: return {0, Wait::nothing, boost::asio::error::eof};
        case TlsStream::Step::failed: break;
    }
    if (!tls_->error().empty()) {
        return {0, Wait::nothing, boost::asio::error::no_protocol_option};
    }
    const int code = errno == 0 ? ECONNRESET : errno;
    return {0, Wait::nothing, error_code(code, boost::system::system_category())};
}

Connection::Step Connection::try_read() {
    const auto room = in_.room(parser_.status() != 0 ? read_most : read_least);
    if (tls_) {
        std::size_t n = 0;
        const auto step = tls_->read(room, n);
        return judge(step, n);
    }
    Step step;
    step.n = socket_.receive(boost::asio::buffer(room.data(), room.size()), 0, step.error);
    if (step.error == boost::asio::error::would_block) return {0, Wait::read, {}};
    return step;
}

Connection::Step Connection::try_write(OutgoingRequest request) {
    if (tls_) {
        std::size_t n = 0;
        const auto step = tls_->write(request.head.empty() ? request.body : request.head, n);
        return judge(step, n);
    }
    Step step;
    if (request.body.empty()) {
        const auto one = boost::asio::buffer(request.head.data(), request.head.size());
        step.n = socket_.send(one, 0, step.error);
    } else {
        const std::array both{boost::asio::buffer(request.head.data(), request.head.size()),
                              boost::asio::buffer(request.body.data(), request.body.size())};
        step.n = socket_.send(both, 0, step.error);
    }
    if (step.error == boost::asio::error::would_block) return {0, Wait::write, {}};
    return step;
}

awaitable<error_code> Connection::wait(Wait wait) {
    if (cancelled_) co_return boost::asio::error::operation_aborted;
    const auto what = wait == Wait::read ? tcp::socket::wait_read : tcp::socket::wait_write;
    const auto [error] = co_await socket_.async_wait(what, result);
    co_return error;
}

awaitable<error_code> Connection::wait_for_either() {
    if (cancelled_) co_return boost::asio::error::operation_aborted;
    if (!readiness_) readiness_ = std::make_shared<Readiness>(socket_.get_executor());
    const auto shared = readiness_;
    shared->ready = false;
    const auto begin = [&](tcp::socket::wait_type what, bool Readiness::* waits) {
        if (std::exchange((*shared).*waits, true)) return;  // the last one has not ended yet
        socket_.async_wait(what, [shared, waits](error_code error) {
            (*shared).*waits = false;
            shared->error = error;
            shared->ready = true;
            shared->changed.wake();
        });
    };
    begin(tcp::socket::wait_read, &Readiness::waits_read);
    begin(tcp::socket::wait_write, &Readiness::waits_write);
    co_await shared->changed.wait();
    if (!shared->ready) co_return boost::asio::error::operation_aborted;
    co_return shared->error;
}

/// A plain read goes straight to Asio: it tries, waits and reads with one system call each.
awaitable<Connection::Step> Connection::read_some() {
    if (!tls_) {
        Step step;
        step.error = boost::asio::error::operation_aborted;
        if (cancelled_) co_return step;
        const auto room = in_.room(parser_.status() != 0 ? read_most : read_least);
        const auto buffer = boost::asio::buffer(room.data(), room.size());
        const auto [error, n] = co_await socket_.async_read_some(buffer, result);
        step.n = n;
        step.error = error;
        co_return step;
    }
    // An answer takes its time: the first read would find nothing.
    bool wait_first = !heard_ && !tls_->has_pending();
    for (;;) {
        Step step{0, Wait::read, {}};
        if (!wait_first) step = try_read();
        wait_first = false;
        if (step.wait == Wait::nothing) co_return step;
        const error_code error = co_await wait(step.wait);
        if (error) {
            step.error = error;
            co_return step;
        }
    }
}

error_code Connection::read_early() {
    const Step step = try_read();
    if (step.error == boost::asio::error::eof && parser_.end_of_stream()) return {};
    if (step.error) return step.error;
    take_in(step.n);
    return {};
}

}  // namespace herald
