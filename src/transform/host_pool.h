#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "async/task_group.h"
#include "async/wheel.h"
#include "async/worker.h"
#include "base/metrics.h"
#include "base/time.h"
#include "core/limits.h"
#include "transform/host_failure.h"
#include "transform/host_plan.h"

namespace herald {

struct HostPoolOptions {
    std::size_t processes_each = limits::hosts_each;  ///< children of one plan
    std::size_t processes_total = limits::hosts;
    std::size_t depth = limits::host_depth;  ///< events given to one child ahead
    std::size_t waiting = limits::transform_waiting;  ///< events of one plan that no child has yet
    std::chrono::milliseconds idle = limits::host_idle;
    std::chrono::milliseconds start = limits::host_start;  ///< until it has loaded its code
};

struct HostAnswer {
    enum class Kind {
        body,  ///< the body as is
        request,  ///< the object of FrameKind::request
        failure,  ///< the object of FrameKind::failure, canonical JSON
    };
    Kind kind = Kind::failure;
    std::string payload;
    std::string notes;  ///< what the code printed, cut
    /// What the child took for it, from the answer before. 0 when none was asked.
    Duration took{0};
};

/// Runs the code of transformations in children: warm, several events ahead, each plan in its own.
/// A child that hangs, crashes or breaks a limit is ended, the event it was at fails, and those
/// behind go to another child. Lives on one loop thread; owns the thread that starts children.
class HostPool {
public:
    /// `wheel` and `metrics` are borrowed.
    HostPool(const boost::asio::any_io_executor& executor, Wheel& wheel, Metrics& metrics,
             HostPoolOptions options = {});
    /// stop() must have ended.
    ~HostPool();
    HostPool(const HostPool&) = delete;
    HostPool& operator=(const HostPool&) = delete;

    /// Runs the plan's code on one event's body. Always answers; a caller that is cancelled gets a
    /// failure at once. `input` must live until then.
    boost::asio::awaitable<HostAnswer> run(std::shared_ptr<const HostPlan> plan,
                                           std::string_view input);
    /// Ends all children, and fails what waits for them.
    boost::asio::awaitable<void> stop();

    [[nodiscard]] std::size_t processes() const { return children_.size(); }

private:
    struct Request;
    struct Child;
    struct Crew;
    using ChildPtr = std::shared_ptr<Child>;
    using CrewPtr = std::shared_ptr<Crew>;
    using RequestPtr = std::shared_ptr<Request>;
    using Instant = std::chrono::steady_clock::time_point;

    /// Who of a crew is to have the next event; nullptr: nobody can take more.
    struct Choice {
        Child* child = nullptr;
        std::size_t children = 0;  ///< that take events at all
        bool starting = false;  ///< one of them loads its code
    };

    // Who works for whom
    [[nodiscard]] CrewPtr crew_of(const std::shared_ptr<const HostPlan>& plan);
    [[nodiscard]] Choice choose(const Crew& crew) const;
    void dispatch(const CrewPtr& crew);
    void start_child(const CrewPtr& crew);
    void make_room();
    void serve_starved();
    void sweep();

    // One child
    boost::asio::awaitable<void> live(ChildPtr child);
    boost::asio::awaitable<void> write(ChildPtr child);
    boost::asio::awaitable<void> read(Child& child);
    void give(Child& child, const RequestPtr& request);
    void take(Child& child, const Frame& frame);
    void loaded(Child& child);
    void answered(Child& child, HostAnswer answer);
    void next_at_head(Child& child);
    void watch(Child& child, std::chrono::steady_clock::duration after);
    void look(Child& child);
    void end(Child& child, HostFault why);
    void removed(const ChildPtr& child, const HostEnd& how);
    [[nodiscard]] std::string load_failure(const Child& child, HostFault fault,
                                           const HostEnd& how) const;
    void refuse(Crew& crew, const std::string& payload);
    void fail(Request& request, HostFault fault, std::string payload);

    TaskGroup tasks_;
    Wheel& wheel_;
    const HostPoolOptions options_;
    Gauge& processes_;
    Histogram& took_;
    std::array<Counter*, host_fault_names.size()> failures_{};
    std::map<std::string, CrewPtr, std::less<>> crews_;
    std::vector<ChildPtr> children_;
    std::deque<CrewPtr> starved_;  ///< have events and no child, since there are too many
    Wheel::Deadline sweep_;
    bool stopping_ = false;
    // Last: it finishes its jobs before what they use goes.
    Worker worker_{"hosts"};
};

}  // namespace herald
