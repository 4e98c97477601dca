#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "async/signal.h"
#include "async/worker.h"
#include "base/result.h"
#include "transform/frame.h"
#include "transform/host_plan.h"
#include "transform/sandbox.h"
#include "transform/spawn.h"

namespace herald {

/// How a child ended.
struct HostEnd {
    int status = 0;            ///< as waitpid() gives it
    bool left = false;         ///< it closed its socket and ran on, until it was ended
    double cpu_seconds = 0;    ///< used in its whole life
    std::uint64_t peak_bytes = 0;  ///< of memory
};

/// One child: a sandboxed process and the socket to it. Lives on the loop; what blocks is done on a
/// Worker. The worker's thread must live as long as the child, which the kernel ends with the
/// thread that started it. end() must have ended before it dies, when start() succeeded.
class HostProcess {
public:
    HostProcess(const boost::asio::any_io_executor& executor, std::shared_ptr<const HostPlan> plan);
    ~HostProcess();
    HostProcess(const HostProcess&) = delete;
    HostProcess& operator=(const HostProcess&) = delete;

    /// Starts the child in its sandbox and sends what it is to load. The Error says why it cannot
    /// be started.
    boost::asio::awaitable<Result<>> start(Worker& worker);

    /// Queues a frame; any number may be sent ahead, also before start() has ended.
    void send(FrameKind kind, std::string_view payload);
    /// Writes what is queued until the child has ended. To run in a task of its own.
    boost::asio::awaitable<void> write();

    /// The next frame that has been read; nullopt: fill() first, or fault() says what is wrong.
    [[nodiscard]] std::optional<Frame> next() { return reader_.next(); }
    [[nodiscard]] FrameReader::Fault fault() const { return reader_.fault(); }
    /// Waits for more from the child; false: there is no more.
    boost::asio::awaitable<bool> fill();

    /// Gives the child so much CPU time from now on; 0: without limit.
    void allow_cpu(std::uint32_t seconds);
    /// Ends the child and what it started, at once.
    void kill();
    /// Gives up the socket, waits for the child's end (which it brings about when it does not come
    /// by itself) and removes its folder.
    boost::asio::awaitable<HostEnd> end(Worker& worker);

    [[nodiscard]] pid_t pid() const { return child_.pid; }
    [[nodiscard]] SandboxReport sandbox() const { return child_.sandbox; }

private:
    static HostEnd wait(const SpawnedHost& child);

    std::shared_ptr<const HostPlan> plan_;
    boost::asio::local::stream_protocol::socket socket_;
    SpawnedHost child_;
    FrameReader reader_;
    std::string queued_;
    std::string writing_;
    Signal queue_changed_;
    bool closed_ = false;
};

}  // namespace herald
