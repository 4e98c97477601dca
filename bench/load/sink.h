#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "poll.h"
#include "stamped_event.h"

namespace herald::bench {

/// The end of the headers and the length of the body behind them, of a message that is complete so
/// far; nullopt: more has to come.
struct MessageSize {
    std::size_t head = 0;
    std::size_t body = 0;
};
[[nodiscard]] inline std::optional<MessageSize> message_size(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    std::size_t length = 0;
    const std::string_view head = text.substr(0, end);
    for (const std::string_view name : {"\nContent-Length:", "\ncontent-length:"}) {
        const std::size_t at = head.find(name);
        if (at == std::string_view::npos) continue;
        const std::size_t digits = head.find_first_of("0123456789", at);
        std::from_chars(head.data() + digits, head.data() + head.size(), length);
    }
    if (text.size() < end + 4 + length) return std::nullopt;
    return MessageSize{end + 4, length};
}

/// Takes connections on a free port of loopback, up to its backlog also when nobody accepts them.
class Listener {
public:
    Listener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
        ::listen(listener_.get(), 1024);
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
    }

    [[nodiscard]] int get() const { return listener_.get(); }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    Fd listener_;
    std::uint16_t port_ = 0;
};

/// A receiver that answers 200 to everything, as cheaply as it can, and notes when it came.
class Sink {
public:
    Sink() {
        thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
    }

    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
    [[nodiscard]] std::uint64_t received() const { return received_; }
    [[nodiscard]] std::uint64_t last_receipt() const { return last_receipt_; }
    /// Nanoseconds from send to receipt of all since the last call. Only while nothing comes.
    [[nodiscard]] std::vector<std::uint64_t> take_latencies() {
        return std::exchange(latencies_, {});
    }

private:
    struct Connection {
        Fd fd;
        std::string in;
    };

    void loop(const std::stop_token& stop) {
        poll_.add(listener_.get(), 0);
        while (!stop.stop_requested()) {
            poll_.wait(std::chrono::milliseconds{50}, [this](std::uint32_t index) {
                if (index == 0) {
                    accept();
                } else {
                    read(connections_[index - 1]);
                }
            });
        }
    }
    void accept() {
        Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const int one = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        const int raw = fd.get();
        connections_.push_back({std::move(fd), {}});
        poll_.add(raw, static_cast<std::uint32_t>(connections_.size()));
    }
    void read(Connection& from) {
        const ssize_t n = ::recv(from.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (n <= 0) {
            from = {};
            return;
        }
        from.in.append(buffer_.data(), static_cast<std::size_t>(n));
        std::string answers;
        while (const auto size = message_size(from.in)) {
            note(std::string_view(from.in).substr(size->head, size->body));
            from.in.erase(0, size->head + size->body);
            answers += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        }
        if (!answers.empty()) (void)::send(from.fd.get(), answers.data(), answers.size(), 0);
    }
    void note(std::string_view body) {
        const std::uint64_t now = steady_nanoseconds();
        if (const auto stamp = StampedEvent::stamp(body)) latencies_.push_back(now - *stamp);
        last_receipt_ = now;
        ++received_;
    }

    Listener listener_;
    Poll poll_;
    std::deque<Connection> connections_;
    std::string buffer_ = std::string(1 << 16, '\0');
    std::vector<std::uint64_t> latencies_;
    std::atomic<std::uint64_t> received_ = 0;
    std::atomic<std::uint64_t> last_receipt_ = 0;
    std::jthread thread_;
};

}  // namespace herald::bench
