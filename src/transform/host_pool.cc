#include "transform/host_pool.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <tuple>
#include <utility>

#include "async/signal.h"
#include "base/json.h"
#include "transform/frame.h"
#include "transform/host_process.h"
#include "transform/spawn.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// What could not be loaded is not tried again for so long: each attempt is a process.
constexpr auto refusal_time = 1s;
/// How often a child is promised CPU time anew; each is two system calls.
constexpr auto cpu_renewal = 250ms;
/// Work that a child is given ahead. What takes longer waits for the next child that is free, so
/// that it shares the children and is not behind one that hangs.
constexpr Duration work_ahead = 10ms;

HostAnswer failed(std::string payload) {
    HostAnswer answer;
    answer.payload = std::move(payload);
    return answer;
}

}  // namespace

/// One event that waits for its answer.
struct HostPool::Request {
    Request(const boost::asio::any_io_executor& executor, std::string_view text)
        : input(text), done(executor) {}

    std::string_view input;  ///< ends with the wait of the caller
    Signal done;
    std::optional<HostAnswer> answer;
    std::string notes;
    bool abandoned = false;  ///< the caller has gone
    bool spared = false;     ///< its child left by itself, perhaps for the event before
};

/// The children of one plan and what waits for them.
struct HostPool::Crew {
    std::shared_ptr<const HostPlan> plan;
    std::deque<RequestPtr> waiting;
    Instant used;
    std::string refusal;    ///< why the plan cannot be loaded,
    Instant refused_until;  ///< as was found shortly before this
    bool starved = false;   ///< is in starved_
};

struct HostPool::Child {
    Child(const boost::asio::any_io_executor& executor, CrewPtr of)
        : crew(std::move(of)), process(executor, crew->plan), since(steady_clock::now()) {}

    [[nodiscard]] bool usable() const { return !fault && !retiring; }
    [[nodiscard]] std::size_t room(std::size_t depth) const {
        const auto ahead = static_cast<std::size_t>(work_ahead / std::max(typical, Duration{1}));
        return ready ? std::clamp<std::size_t>(ahead, 1, depth) : 0;
    }
    [[nodiscard]] bool idle() const { return ready && frames.empty() && !fault; }

    CrewPtr crew;
    HostProcess process;
    std::deque<RequestPtr> frames;  ///< given to it; it is at the first
    Instant since;       ///< it is at the first frame, loads, or has nothing to do
    Duration typical = work_ahead;  ///< what an event takes
    Instant cpu_given;   ///< when it was promised CPU time last
    bool ready = false;
    bool retiring = false;  ///< gets no more; ends when it has nothing more to do
    bool watched = false;   ///< `deadline` runs
    bool failed_last = false;
    std::optional<HostFault> fault;  ///< why the pool has ended it
    std::string start_error;
    Wheel::Deadline deadline;
};

HostPool::HostPool(const boost::asio::any_io_executor& executor, Wheel& wheel, Metrics& metrics,
                   HostPoolOptions options)
    : tasks_(executor),
      wheel_(wheel),
      options_(options),
      processes_(metrics.gauge("herald_transform_processes", "Processes that run transformations")),
      took_(metrics.histogram("herald_transform_seconds",
                              "Time a transformation takes in its process")) {
    for (std::size_t i = 0; i < host_fault_names.size(); ++i) {
        failures_[i] = &metrics.counter("herald_transform_failures_total",
                                        "Transformations that gave no result",
                                        Metrics::label("reason", host_fault_names[i]));
    }
    worker_.post([] { remove_left_folders(); });
}

HostPool::~HostPool() { assert(children_.empty()); }

awaitable<HostAnswer> HostPool::run(std::shared_ptr<const HostPlan> plan, std::string_view input) {
    const CrewPtr crew = crew_of(plan);
    crew->used = steady_clock::now();
    const auto request = std::make_shared<Request>(tasks_.executor(), input);
    if (stopping_) {
        fail(*request, HostFault::stopped, {});
    } else if (crew->used < crew->refused_until) {
        fail(*request, HostFault::start, crew->refusal);
    } else if (crew->waiting.size() >= options_.waiting) {
        fail(*request, HostFault::busy, {});
    } else {
        crew->waiting.push_back(request);
        dispatch(crew);
    }
    if (!request->answer) co_await request->done.wait();
    if (!request->answer) {
        request->abandoned = true;
        std::erase(crew->waiting, request);
        co_return failed(failure_json(false, fault_message(HostFault::stopped, {}, {})));
    }
    co_return std::move(*request->answer);
}

awaitable<void> HostPool::stop() {
    stopping_ = true;
    sweep_.disarm();
    starved_.clear();
    for (const auto& [key, crew] : crews_) {
        for (const RequestPtr& request : crew->waiting) fail(*request, HostFault::stopped, {});
        crew->waiting.clear();
    }
    for (const ChildPtr& child : children_) end(*child, HostFault::stopped);
    co_await tasks_.join();
    crews_.clear();
}

// --- Who works for whom -------------------------------------------------------------------------

HostPool::CrewPtr HostPool::crew_of(const std::shared_ptr<const HostPlan>& plan) {
    CrewPtr& crew = crews_[plan->key];
    if (!crew) {
        crew = std::make_shared<Crew>();
        crew->plan = plan;
    }
    return crew;
}

/// The child that is to have the next event: the least loaded one with room.
HostPool::Choice HostPool::choose(const Crew& crew) const {
    Choice choice;
    for (const ChildPtr& child : children_) {
        if (child->crew.get() != &crew || !child->usable()) continue;
        ++choice.children;
        choice.starting = choice.starting || !child->ready;
        if (child->frames.size() >= child->room(options_.depth)) continue;
        const Child* best = choice.child;
        if (best == nullptr || child->frames.size() < best->frames.size()) {
            choice.child = child.get();
        }
    }
    return choice;
}

void HostPool::dispatch(const CrewPtr& crew) {
    while (!crew->waiting.empty() && !stopping_) {
        const Choice choice = choose(*crew);
        const bool at_work = choice.child == nullptr || !choice.child->frames.empty();
        if (at_work && !choice.starting && choice.children < options_.processes_each) {
            if (children_.size() < options_.processes_total) {
                start_child(crew);
                continue;
            }
            if (choice.children == 0) {
                if (!crew->starved) starved_.push_back(crew);
                crew->starved = true;
                make_room();
            }
        }
        if (choice.child == nullptr) return;
        const RequestPtr request = std::move(crew->waiting.front());
        crew->waiting.pop_front();
        give(*choice.child, request);
    }
}

void HostPool::start_child(const CrewPtr& crew) {
    const auto child = std::make_shared<Child>(tasks_.executor(), crew);
    children_.push_back(child);
    processes_.set(static_cast<std::int64_t>(children_.size()));
    watch(*child, options_.start);
    tasks_.start(live(child));
    if (children_.size() == 1) sweep();
}

/// For a crew that has no child when there are as many as may be: one of another crew goes, an idle
/// one first, else one that is not the only one of its crew, else the one whose crew was asked for
/// least recently. Who is at work finishes what it has.
void HostPool::make_room() {
    const auto going =
        std::ranges::count_if(children_, [](const ChildPtr& child) { return !child->usable(); });
    if (static_cast<std::size_t>(going) >= starved_.size()) return;
    Child* goes = nullptr;
    const auto rank = [this](const Child& child) {
        const bool only = choose(*child.crew).children == 1;
        return std::tuple(!child.idle(), only, child.crew->used);
    };
    for (const ChildPtr& child : children_) {
        // One that loads its code has not done anything for its crew yet.
        if (!child->usable() || !child->ready) continue;
        if (goes == nullptr || rank(*child) < rank(*goes)) goes = child.get();
    }
    if (goes == nullptr) return;
    goes->retiring = true;
    if (goes->idle()) end(*goes, HostFault::stopped);
}

void HostPool::serve_starved() {
    while (!starved_.empty() && children_.size() < options_.processes_total) {
        const CrewPtr crew = std::move(starved_.front());
        starved_.pop_front();
        crew->starved = false;
        dispatch(crew);
    }
    if (!starved_.empty()) make_room();
}

/// Ends children that have had nothing to do for long, and forgets plans that are not in use.
void HostPool::sweep() {
    const Instant now = steady_clock::now();
    for (const ChildPtr& child : children_) {
        if (child->idle() && now - child->since >= options_.idle) {
            end(*child, HostFault::stopped);
        }
    }
    std::erase_if(crews_, [this, now](const auto& entry) {
        const Crew& crew = *entry.second;
        return crew.waiting.empty() && now - crew.used >= options_.idle &&
               std::ranges::none_of(children_, [&crew](const ChildPtr& child) {
                   return child->crew.get() == &crew;
               });
    });
    if (crews_.empty() && children_.empty()) return;
    sweep_ = wheel_.arm(options_.idle / 2, [this] { sweep(); });
}

// --- One child ----------------------------------------------------------------------------------

awaitable<void> HostPool::live(ChildPtr child) {
    HostEnd how;
    const auto started = co_await child->process.start(worker_);
    if (started) {
        if (child->fault) child->process.kill();
        tasks_.start(write(child));
        co_await read(*child);
    } else {
        child->start_error = started.error().message;
    }
    if (child->process.pid() != 0) how = co_await child->process.end(worker_);
    removed(child, how);
}

awaitable<void> HostPool::write(ChildPtr child) { co_await child->process.write(); }

awaitable<void> HostPool::read(Child& child) {
    for (;;) {
        while (!child.fault) {
            const auto frame = child.process.next();
            if (!frame) break;
            take(child, *frame);
        }
        if (child.process.fault() == FrameReader::Fault::too_long) end(child, HostFault::output);
        if (child.process.fault() == FrameReader::Fault::broken) end(child, HostFault::protocol);
        if (child.fault) co_return;
        const bool more = co_await child.process.fill();
        if (!more) co_return;
    }
}

void HostPool::give(Child& child, const RequestPtr& request) {
    const bool first = child.frames.empty();
    child.frames.push_back(request);
    child.process.send(FrameKind::transform, request->input);
    if (!first) return;
    child.since = steady_clock::now();
    next_at_head(child);
}

void HostPool::take(Child& child, const Frame& frame) {
    if (frame.kind == FrameKind::notes) {
        if (child.frames.empty()) return;
        std::string& notes = child.frames.front()->notes;
        notes += frame.payload.substr(0, limits::host_notes_bytes - notes.size());
        return;
    }
    if (frame.kind == FrameKind::ready) return loaded(child);
    std::string failure;
    if (frame.kind == FrameKind::failure) {
        auto read = canonical_json(frame.payload);
        if (!read || !JsonView(*read).is_object()) return end(child, HostFault::protocol);
        failure = std::move(*read);
        if (!child.ready) {
            refuse(*child.crew, failure);
            return end(child, HostFault::start);
        }
    }
    if (!child.ready || child.frames.empty()) return end(child, HostFault::protocol);
    HostAnswer answer;
    if (frame.kind == FrameKind::failure) {
        answer.payload = std::move(failure);
    } else {
        answer.kind =
            frame.kind == FrameKind::body ? HostAnswer::Kind::body : HostAnswer::Kind::request;
        answer.payload = frame.payload;
    }
    answered(child, std::move(answer));
}

void HostPool::loaded(Child& child) {
    if (child.ready) return end(child, HostFault::protocol);
    child.ready = true;
    // What it may take from now on is another time than that of its start.
    child.deadline.disarm();
    child.watched = false;
    child.since = steady_clock::now();
    dispatch(child.crew);
    if (!starved_.empty()) make_room();
}

void HostPool::answered(Child& child, HostAnswer answer) {
    const RequestPtr request = std::move(child.frames.front());
    child.frames.pop_front();
    const Instant now = steady_clock::now();
    answer.took = std::chrono::duration_cast<Duration>(now - child.since);
    child.typical = (child.typical + answer.took) / 2;
    answer.notes = std::move(request->notes);
    child.since = now;
    child.failed_last = answer.kind == HostAnswer::Kind::failure;
    took_.observe(std::chrono::duration<double>(answer.took).count());
    if (child.failed_last) failures_[static_cast<std::size_t>(HostFault::code)]->add();
    request->answer = std::move(answer);
    request->done.wake();
    next_at_head(child);
    if (!child.crew->waiting.empty()) dispatch(child.crew);
    if (child.frames.empty() && child.retiring) end(child, HostFault::stopped);
}

void HostPool::next_at_head(Child& child) {
    if (child.frames.empty()) return;
    const HostLimits& limits = child.crew->plan->limits;
    if (child.since - child.cpu_given >= cpu_renewal) {
        child.cpu_given = child.since;
        child.process.allow_cpu(limits.cpu_seconds);
    }
    if (!child.watched && limits.timeout > 0ms) watch(child, limits.timeout);
}

/// One deadline for all of a child's frames: it is set again for the rest when it ends too early.
void HostPool::watch(Child& child, steady_clock::duration after) {
    child.watched = true;
    child.deadline = wheel_.arm(after, [this, &child] { look(child); });
}

void HostPool::look(Child& child) {
    child.watched = false;
    if (child.fault || (child.ready && child.frames.empty())) return;
    const auto most = child.ready ? child.crew->plan->limits.timeout : options_.start;
    if (most <= 0ms) return;
    const auto passed = steady_clock::now() - child.since;
    if (passed < most) return watch(child, most - passed);
    end(child, HostFault::hang);
}

void HostPool::end(Child& child, HostFault why) {
    if (child.fault) return;
    child.fault = why;
    child.process.kill();
}

/// Hands on what the child leaves behind. Who was at the head fails, when it is to blame.
void HostPool::removed(const ChildPtr& child, const HostEnd& how) {
    std::erase(children_, child);
    processes_.set(static_cast<std::int64_t>(children_.size()));
    const CrewPtr crew = child->crew;
    const HostLimits& limits = crew->plan->limits;
    const HostFault fault = child->fault.value_or(fault_of(how, limits));
    auto& frames = child->frames;
    if (stopping_) {
        for (const RequestPtr& request : frames) fail(*request, HostFault::stopped, {});
        return;
    }
    if (!child->ready && fault != HostFault::stopped && fault != HostFault::start) {
        refuse(*crew, failure_json(true, load_failure(*child, fault, how)));
    } else if (!frames.empty() && fault != HostFault::stopped) {
        // A host that leaves after a failure, since the code has left threads behind, may do so
        // when the next event is there: this is none of its fault, once.
        const RequestPtr first = frames.front();
        const bool spared = fault == HostFault::exit && child->failed_last && !first->spared;
        first->spared = true;
        if (!spared) {
            frames.pop_front();
            fail(*first, fault, failure_json(false, fault_message(fault, how, limits)));
        }
    }
    for (; !frames.empty(); frames.pop_back()) {
        frames.back()->notes.clear();
        if (!frames.back()->abandoned) crew->waiting.push_front(frames.back());
    }
    dispatch(crew);
    serve_starved();
}

std::string HostPool::load_failure(const Child& child, HostFault fault, const HostEnd& how) const {
    if (!child.start_error.empty()) return child.start_error;
    if (fault == HostFault::hang) {
        return "was not ready after " + duration_text(options_.start) + " and was ended";
    }
    return fault_message(fault, how, child.crew->plan->limits) + " while it loaded its code";
}

/// The plan cannot be loaded: all its events fail, those of the next moments too.
void HostPool::refuse(Crew& crew, const std::string& payload) {
    crew.refusal = payload;
    crew.refused_until = steady_clock::now() + refusal_time;
    for (const RequestPtr& request : crew.waiting) fail(*request, HostFault::start, payload);
    crew.waiting.clear();
}

/// An empty `payload`: what the fault itself says.
void HostPool::fail(Request& request, HostFault fault, std::string payload) {
    if (payload.empty()) payload = failure_json(false, fault_message(fault, {}, {}));
    failures_[static_cast<std::size_t>(fault)]->add();
    request.answer = failed(std::move(payload));
    request.answer->notes = std::move(request.notes);
    request.done.wake();
}

}  // namespace herald
