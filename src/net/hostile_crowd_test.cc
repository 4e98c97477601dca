// A thousand hostile receivers at once: what they cost is bounded.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "base/sanitizers.h"
#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr std::size_t crowd = 1'000;

/// A sanitizer's own is most of it.
constexpr bool memory_is_measured = !watches_addresses && !watches_threads;

/// What one connection of the crowd sends: a beginning, then the same for ever. Empty: nothing.
struct Manner {
    std::string first;
    std::string forever;
    bool reads = true;
};

const std::vector<Manner>& manners() {
    static const std::string lots(16'384, 'x');
    static const std::vector<Manner> all{
        {"HTTP/1.1 200 OK\r\n\r\n", lots},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4000\r\n" + lots + "\r\n"},
        {"HTTP/1.1 200 OK\r\nA: ", lots},
        {"HTTP/1.1 200 OK\r\nA: " + std::string(60'000, 'x'), ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(800'000, 'x'), ""},
        {"", "HTTP/1.1 100 Continue\r\n\r\n"},
        {"", ""},
        {"", "", false},
    };
    return all;
}

/// All of them on one thread; the n-th connection has the n-th manner, in turn.
class Crowd {
public:
    Crowd() : poll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listen()) {
        thread_ = std::jthread([this](const std::stop_token& stop) {
            while (!stop.stop_requested()) turn();
        });
    }
    ~Crowd() {
        thread_.request_stop();
        thread_.join();
        for (const auto& [fd, peer] : peers_) ::close(fd);
        ::close(listener_);
        ::close(poll_);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::size_t met() const { return met_; }
    /// Connections that it has not closed.
    [[nodiscard]] std::size_t open() const { return open_; }

private:
    struct Peer {
        const Manner* manner = nullptr;
        std::string_view left;  ///< of what is being sent
    };

    int listen() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int small = 4'096;  // what the kernel holds shall not be what is tested
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(fd, 4'096);
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        watch(fd, EPOLLIN);
        return fd;
    }
    void watch(int fd, std::uint32_t events) const {
        epoll_event event{.events = events, .data = {.fd = fd}};
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
    }
    void turn() {
        constexpr std::uint32_t gone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
        std::array<epoll_event, 64> events{};
        const int n = ::epoll_wait(poll_, events.data(), events.size(), 10);
        for (int i = 0; i < n; ++i) {
            const epoll_event& event = events.at(static_cast<std::size_t>(i));
            const int fd = event.data.fd;
            if (fd == listener_) {
                meet();
            } else if ((event.events & gone) != 0 || !go_on(fd, peers_[fd])) {
                ::close(fd);
                peers_.erase(fd);
                --open_;
            }
        }
    }
    void meet() {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        const Manner& manner = manners()[met_++ % manners().size()];
        peers_[fd] = {&manner, manner.first};
        ++open_;
        const bool sends = !manner.first.empty() || !manner.forever.empty();
        const std::uint32_t reads = manner.reads ? EPOLLIN : 0U;
        watch(fd, reads | (sends ? EPOLLOUT : 0U) | EPOLLET | EPOLLRDHUP);
    }
    /// False: the client has gone.
    static bool go_on(int fd, Peer& peer) {
        std::array<char, 4'096> seen{};
        while (peer.manner->reads) {
            const auto n = ::recv(fd, seen.data(), seen.size(), 0);
            if (n < 0) break;
            if (n == 0) return false;
        }
        for (int i = 0; i < 64; ++i) {
            if (peer.left.empty()) peer.left = peer.manner->forever;
            if (peer.left.empty()) return true;
            const auto n = ::send(fd, peer.left.data(), peer.left.size(), MSG_NOSIGNAL);
            if (n < 0) return errno == EAGAIN;
            peer.left.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    int poll_;
    std::uint16_t port_ = 0;
    int listener_;
    std::atomic<std::size_t> met_ = 0;
    std::atomic<std::size_t> open_ = 0;
    std::map<int, Peer> peers_;
    std::jthread thread_;
};

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Of the process, in bytes: "VmRSS" is what it has, "VmHWM" the most it had.
std::size_t memory(const std::string& what) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
        std::size_t kib = 0;
        if (word == what + ":" && file >> kib) return kib * 1'024;
    }
    return 0;
}

awaitable<void> note_class(HttpClient& client, const HttpRequest& request,
                           std::map<std::string, std::size_t>& classes, std::size_t& most_open) {
    const HttpAnswer answer = co_await client.post(request);
    if (classes.empty()) most_open = open_descriptors();
    ++classes[std::string(to_text(answer.outcome.failure))];
}

TEST_F(ClientTest, AThousandHostileReceiversAtOnceCostWhatTheirBoundsSay) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Crowd receivers;
    HttpRequest request;
    request.url = {.host = "127.0.0.1", .port = receivers.port(), .target = "/"};
    request.body.assign(50'000, 'x');
    request.timeout = 2s;
    TaskGroup tasks(loop.get_executor());
    std::map<std::string, std::size_t> classes;
    const std::size_t open_before = open_descriptors();
    const std::size_t memory_before = memory("VmRSS");
    std::ofstream("/proc/self/clear_refs") << "5";  // begins VmHWM anew

    std::size_t most_open = 0;
    for (std::size_t i = 0; i < crowd; ++i) {
        tasks.start(note_class(*client, request, classes, most_open));
    }
    const auto began = steady_clock::now();
    run(loop, tasks.join());
    EXPECT_LT(steady_clock::now() - began, 60s) << "the deadline of each is 2 s";

    EXPECT_EQ(receivers.met(), crowd);
    const std::size_t each = crowd / manners().size();
    // Endless bodies are cut, endless headers and floods of interim answers are refused, the rest
    // is late. On a machine that is busy the deadline may come first for any of them.
    EXPECT_LE(classes[""], 2 * each);
    EXPECT_LE(classes["CONNECTION"], 2 * each);
    EXPECT_EQ(classes[""] + classes["CONNECTION"] + classes["TIMEOUT"], crowd);
    EXPECT_LE(most_open, open_before + 2 * crowd) << "one descriptor for each end";
    if (memory_is_measured) {
        // A header of up to 64 KiB, read by steps of 4 KiB, or 16 KiB that are kept of a body.
        EXPECT_LT(memory("VmHWM") - memory_before, crowd * 96 * 1'024);
    }
    // Those who never read do not even see that they were left. A sanitizer opens pipes of its own
    // for a moment, so that a count may be too high, the first one too.
    const auto all_closed = [&] { return open_descriptors() - receivers.open() <= open_before; };
    const auto patience = steady_clock::now() + 30s;
    bool closed = all_closed();
    while (!closed && steady_clock::now() < patience) {
        std::this_thread::sleep_for(5ms);
        closed = all_closed();
    }
    EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace herald
