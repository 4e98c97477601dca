#include "async/task_group.h"

#include <cassert>
#include <cstdlib>
#include <exception>
#include <list>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"

namespace herald {

namespace {

[[noreturn]] void end_process(const std::exception_ptr& broken) {
    try {
        std::rethrow_exception(broken);
    } catch (const std::exception& e) {
        log::error("task.broken", {{"error", std::string_view(e.what())}});
    } catch (...) {
        log::error("task.broken");
    }
    std::abort();
}

/// A cancelled task runs on with the result operation_aborted, and may still wait for what it must
/// not leave behind: without this, each later co_await would throw.
boost::asio::awaitable<void> run_task(boost::asio::awaitable<void> task) {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    co_await std::move(task);
}

}  // namespace

struct TaskGroup::State {
    explicit State(boost::asio::any_io_executor executor_in)
        : executor(std::move(executor_in)), ended(executor) {
        ended.expires_at(std::chrono::steady_clock::time_point::max());
    }

    boost::asio::any_io_executor executor;
    std::list<boost::asio::cancellation_signal> tasks;
    boost::asio::steady_timer ended;  ///< cancelled when the last task has ended: wakes join()
};

TaskGroup::TaskGroup(boost::asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { assert(state_->tasks.empty()); }

void TaskGroup::start(boost::asio::awaitable<void> task) {
    State& state = *state_;
    const auto place = state.tasks.emplace(state.tasks.end());
    auto done = [kept = state_, place](const std::exception_ptr& broken) {
        if (broken) end_process(broken);
        kept->tasks.erase(place);
        if (kept->tasks.empty()) kept->ended.cancel();
    };
    boost::asio::co_spawn(state.executor, run_task(std::move(task)),
                          boost::asio::bind_cancellation_slot(place->slot(), std::move(done)));
}

void TaskGroup::cancel() {
    // A task may end within emit() and take its place along, so the next is found first.
    auto& tasks = state_->tasks;
    for (auto next = tasks.begin(); next != tasks.end();) {
        auto& signal = *next++;
        // A coroutine listens to "terminal" by default, its operations to each kind.
        signal.emit(boost::asio::cancellation_type::all);
    }
}

boost::asio::awaitable<void> TaskGroup::join() {
    const auto state = state_;
    while (!state->tasks.empty()) {
        co_await state->ended.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
}

std::size_t TaskGroup::size() const { return state_->tasks.size(); }

const boost::asio::any_io_executor& TaskGroup::executor() const { return state_->executor; }

}  // namespace herald
