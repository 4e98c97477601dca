#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace herald::bench {

/// A file descriptor that is closed with its owner.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_ = -1;
};

/// Readiness of many sockets, each known by an index.
class Poll {
public:
    Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

    void add(int fd, std::uint32_t index) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = index;
        if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) std::abort();
    }
    /// Calls `ready(index)` for each that can be read, waiting that long at most.
    template <class Ready>
    void wait(std::chrono::nanoseconds at_most, Ready ready) {
        const timespec time{at_most / std::chrono::seconds{1},
                            (at_most % std::chrono::seconds{1}).count()};
        const int n = ::epoll_pwait2(fd_.get(), events_.data(), static_cast<int>(events_.size()),
                                     &time, nullptr);
        for (int i = 0; i < n; ++i) ready(events_[static_cast<std::size_t>(i)].data.u32);
    }

private:
    Fd fd_;
    std::array<epoll_event, 512> events_{};
};

}  // namespace herald::bench
