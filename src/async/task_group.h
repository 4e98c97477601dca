#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace herald {

/// The only thing in herald that starts coroutines. Its owner cancels and joins it before it dies.
/// Lives on one loop thread; not thread-safe.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::any_io_executor executor);
    /// Every task must have ended: asserts that.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts a coroutine that owns its arguments. An exception out of it ends the process: tasks
    /// handle their own failures.
    void start(boost::asio::awaitable<void> task);
    /// Asks every task to stop: what it waits for right now ends with operation_aborted. It is
    /// asked once and no co_await throws, so it can still wait for what it must not leave behind; a
    /// task that loops looks at this_coro::cancellation_state.
    void cancel();
    /// Ends when the last task has ended.
    boost::asio::awaitable<void> join();
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const boost::asio::any_io_executor& executor() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace herald
