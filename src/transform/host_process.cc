#include "transform/host_process.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace herald {

namespace {

using boost::asio::awaitable;
using namespace std::chrono_literals;

constexpr auto result = boost::asio::as_tuple(boost::asio::use_awaitable);

/// How long a child may take to end after it has closed its socket, until it is ended.
constexpr auto leave_time = 100ms;
constexpr auto leave_step = 1ms;
constexpr std::size_t kept_bytes = std::size_t{64} * 1024;

/// Whether the child has ended; it stays to be waited for.
bool has_ended(pid_t pid) {
    siginfo_t info{};
    const int flags = WEXITED | WNOHANG | WNOWAIT;
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, flags) == 0 && info.si_pid == pid;
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

HostProcess::HostProcess(const boost::asio::any_io_executor& executor,
                         std::shared_ptr<const HostPlan> plan)
    : plan_(std::move(plan)),
      socket_(executor),
      reader_(plan_->limits.output_bytes),
      queue_changed_(executor) {
    if (!plan_->program.empty()) send(FrameKind::host, plan_->program);
    send(FrameKind::load, plan_->load);
}

HostProcess::~HostProcess() { assert(child_.pid == 0); }

awaitable<Result<>> HostProcess::start(Worker& worker) {
    auto job = [plan = plan_] { return spawn_host(*plan); };
    auto started = co_await worker.run(std::move(job));
    if (!started) co_return fail(started.error());
    child_ = std::move(*started);
    boost::system::error_code error;
    socket_.assign(boost::asio::local::stream_protocol(), child_.socket.number(), error);
    if (error) co_return fail(Errc::unavailable, "its socket: " + error.message());
    static_cast<void>(child_.socket.release());
    co_return Result<>{};
}

void HostProcess::send(FrameKind kind, std::string_view payload) {
    const bool first = queued_.empty();
    append_frame(queued_, kind, payload);
    if (first) queue_changed_.wake();
}

awaitable<void> HostProcess::write() {
    while (!closed_) {
        if (queued_.empty()) {
            co_await queue_changed_.wait();
            continue;
        }
        writing_.clear();
        // What a burst has taken is given back.
        if (writing_.capacity() > kept_bytes) writing_.shrink_to_fit();
        std::swap(queued_, writing_);
        const auto bytes = boost::asio::buffer(writing_);
        const auto [error, size] = co_await boost::asio::async_write(socket_, bytes, result);
        if (error) co_return;
    }
}

awaitable<bool> HostProcess::fill() {
    const auto room = reader_.room();
    const auto bytes = boost::asio::buffer(room.data, room.size);
    const auto [error, size] = co_await socket_.async_read_some(bytes, result);
    if (!error) reader_.added(size);
    co_return !error;
}

void HostProcess::allow_cpu(std::uint32_t seconds) {
    if (child_.pid == 0 || seconds == 0) return;
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(child_.pid, &clock) != 0) return;
    if (::clock_gettime(clock, &used) != 0) return;
    // A second more since the kernel counts whole ones, and another for what was used since this
    // was looked at last: it has at least what it was promised.
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(used.tv_sec) + 2 + seconds,
                       .rlim_max = RLIM_INFINITY};
    ::prlimit(child_.pid, RLIMIT_CPU, &limit, nullptr);
}

void HostProcess::kill() {
    if (child_.pid == 0) return;
    ::kill(-child_.pid, SIGKILL);
    ::kill(child_.pid, SIGKILL);
}

HostEnd HostProcess::wait(const SpawnedHost& child) {
    HostEnd end;
    for (auto waited = 0ms; !has_ended(child.pid); waited += leave_step) {
        if (waited >= leave_time) {
            end.left = true;
            ::kill(child.pid, SIGKILL);
            break;
        }
        std::this_thread::sleep_for(leave_step);
    }
    // What it has started, where the system has no filter that forbids it; the group exists as long
    // as its first process has not been waited for.
    ::kill(-child.pid, SIGKILL);
    rusage used{};
    while (::wait4(child.pid, &end.status, 0, &used) < 0 && errno == EINTR) {
    }
    end.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    end.peak_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    std::error_code ignored;
    std::filesystem::remove_all(child.folder, ignored);
    return end;
}

awaitable<HostEnd> HostProcess::end(Worker& worker) {
    closed_ = true;
    queue_changed_.wake();
    boost::system::error_code ignored;
    socket_.close(ignored);
    auto job = [child = std::exchange(child_, {})]() { return wait(child); };
    const HostEnd end = co_await worker.run(std::move(job));
    co_return end;
}

}  // namespace herald
