#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "sink.h"

namespace herald::bench {

struct Load {
    std::uint16_t port = 0;
    std::size_t connections = 64;
    std::size_t events_each = 1;  ///< in one request, as NDJSON
    double seconds = 4;
    double per_second = 0;  ///< events; 0: as fast as answers come
};

struct Sent {
    std::uint64_t events = 0;
    std::uint64_t refused = 0;  ///< requests that were not answered 2xx
    std::uint64_t began = 0;    ///< steady nanoseconds
};

/// Sends events over kept connections, one request at a time each.
class Generator {
public:
    Generator(const Load& load, StampedEvent& event) : load_(load), event_(event) {
        for (std::size_t i = 0; i < load.connections; ++i) {
            Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(load.port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
                std::abort();
            }
            const int one = 1;
            ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            poll_.add(fd.get(), static_cast<std::uint32_t>(i));
            connections_.push_back({std::move(fd), {}, false});
        }
    }

    /// Until the time is over and everything that was sent is answered.
    Sent run() {
        Sent sent;
        sent.began = steady_nanoseconds();
        const auto end = sent.began + static_cast<std::uint64_t>(load_.seconds * 1e9);
        std::size_t next = 0;
        for (std::size_t waiting = 0; waiting > 0 || steady_nanoseconds() < end;) {
            const bool sending = steady_nanoseconds() < end;
            for (std::size_t tried = 0; sending && tried < connections_.size(); ++tried) {
                if (!is_due(sent)) break;
                Connection& connection = connections_[next++ % connections_.size()];
                if (connection.waiting) continue;
                post(connection);
                sent.events += load_.events_each;
                ++waiting;
            }
            poll_.wait(sending ? until_due(sent) : longest_wait, [&](std::uint32_t index) {
                if (answered(connections_[index], sent)) --waiting;
            });
        }
        return sent;
    }

private:
    static constexpr std::chrono::nanoseconds longest_wait{20'000'000};

    struct Connection {
        Fd fd;
        std::string in;
        bool waiting = false;
    };

    [[nodiscard]] bool is_due(const Sent& sent) const {
        if (load_.per_second <= 0) return true;
        const double elapsed = static_cast<double>(steady_nanoseconds() - sent.began) * 1e-9;
        return static_cast<double>(sent.events) < elapsed * load_.per_second;
    }
    /// At a fixed rate it sleeps meanwhile, and leaves the core to those that are measured.
    [[nodiscard]] std::chrono::nanoseconds until_due(const Sent& sent) const {
        if (load_.per_second <= 0) return longest_wait;
        const double due = static_cast<double>(sent.events) * 1e9 / load_.per_second;
        const auto elapsed = static_cast<double>(steady_nanoseconds() - sent.began);
        return std::clamp(std::chrono::nanoseconds{static_cast<std::int64_t>(due - elapsed)},
                          std::chrono::nanoseconds{0}, longest_wait);
    }
    void post(Connection& to) {
        std::string body;
        for (std::size_t i = 0; i < load_.events_each; ++i) {
            body += event_.next();
            if (load_.events_each > 1) body += '\n';
        }
        std::string request = "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ";
        request += load_.events_each > 1 ? "application/x-ndjson" : "application/json";
        request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        request += body;
        if (::send(to.fd.get(), request.data(), request.size(), 0) !=
            static_cast<ssize_t>(request.size())) {
            std::abort();
        }
        to.waiting = true;
    }
    bool answered(Connection& from, Sent& sent) {
        const ssize_t n = ::recv(from.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (n <= 0) std::abort();
        from.in.append(buffer_.data(), static_cast<std::size_t>(n));
        const auto size = message_size(from.in);
        if (!size) return false;
        if (!from.in.starts_with("HTTP/1.1 2")) ++sent.refused;
        from.in.clear();
        from.waiting = false;
        return true;
    }

    const Load load_;
    StampedEvent& event_;
    Poll poll_;
    std::vector<Connection> connections_;
    std::string buffer_ = std::string(1 << 18, '\0');
};

}  // namespace herald::bench
