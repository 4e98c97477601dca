// Signal, Worker and TaskGroup.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/signal.h"
#include "async/task_group.h"
#include "async/worker.h"
#include "support/run.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using test::run;

awaitable<void> note_when_woken(Signal& signal, std::vector<std::string>& notes) {
    co_await signal.wait();
    notes.emplace_back("woken");
}

TEST(Signal, AWakeBeforeTheWaitIsNotLost) {
    boost::asio::io_context loop;
    Signal signal(loop.get_executor());
    signal.wake();
    run(loop, signal.wait());
}

TEST(Signal, WakesTheOneThatWaits) {
    boost::asio::io_context loop;
    Signal signal(loop.get_executor());
    std::vector<std::string> notes;
    TaskGroup tasks(loop.get_executor());
    tasks.start(note_when_woken(signal, notes));
    loop.poll();
    EXPECT_TRUE(notes.empty());
    signal.wake();
    run(loop, tasks.join());
    EXPECT_EQ(notes, std::vector<std::string>{"woken"});
}

TEST(Signal, OneWakeIsForOneWait) {
    boost::asio::io_context loop;
    Signal signal(loop.get_executor());
    signal.wake();
    signal.wake();
    run(loop, signal.wait());
    const auto began = std::chrono::steady_clock::now();
    run(loop, signal.wait_until(began + 20ms));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

TEST(Worker, GivesBackWhatTheJobReturns) {
    boost::asio::io_context loop;
    Worker worker("test");
    std::string text = "a text that is too long for a small string";
    auto job = [text] { return text + "!"; };
    EXPECT_EQ(run(loop, worker.run(std::move(job))), text + "!");
}

awaitable<bool> runs_elsewhere_and_resumes(Worker& worker, std::thread::id here) {
    auto job = [] { return std::this_thread::get_id(); };
    const auto there = co_await worker.run(job);
    const bool as_promised = there != here && std::this_thread::get_id() == here;
    co_return as_promised;
}

TEST(Worker, RunsItsJobsOnAThreadOfItsOwnAndResumesOnTheLoop) {
    boost::asio::io_context loop;
    Worker worker("test");
    EXPECT_TRUE(run(loop, runs_elsewhere_and_resumes(worker, std::this_thread::get_id())));
}

TEST(Worker, KeepsTheOrderAndFinishesWhatIsQueuedWhenItGoes) {
    std::vector<int> seen;
    {
        Worker worker("test");
        for (int i = 0; i < 1'000; ++i) worker.post([&seen, i] { seen.push_back(i); });
    }
    ASSERT_EQ(seen.size(), 1'000U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(Worker, TakesJobsFromManyThreads) {
    std::atomic<int> count = 0;
    {
        Worker worker("test");
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 1'000; ++i) worker.post([&] { ++count; });
            });
        }
    }
    EXPECT_EQ(count, 4'000);
}

awaitable<void> sleep_long(std::vector<std::string>& notes, std::string name) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(1h);
    const auto [error] =
        co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error == boost::asio::error::operation_aborted) notes.push_back(name + " stopped");
}

awaitable<void> sleep_long_and_clean_up(std::vector<std::string>& notes) {
    co_await sleep_long(notes, "a");
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(1ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
    notes.emplace_back("cleaned up");
}

awaitable<void> count_soon(int& ended) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(5ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
    ++ended;
}

TEST(TaskGroup, JoinWaitsForAll) {
    boost::asio::io_context loop;
    TaskGroup tasks(loop.get_executor());
    int ended = 0;
    for (int i = 0; i < 3; ++i) tasks.start(count_soon(ended));
    EXPECT_EQ(tasks.size(), 3U);
    run(loop, tasks.join());
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(tasks.size(), 0U);
}

TEST(TaskGroup, JoinOfAnEmptyOneEndsAtOnce) {
    boost::asio::io_context loop;
    TaskGroup tasks(loop.get_executor());
    run(loop, tasks.join());
}

TEST(TaskGroup, CancelEndsWhatTasksWaitFor) {
    boost::asio::io_context loop;
    TaskGroup tasks(loop.get_executor());
    std::vector<std::string> notes;
    tasks.start(sleep_long(notes, "a"));
    tasks.start(sleep_long(notes, "b"));
    loop.poll();
    tasks.cancel();
    run(loop, tasks.join());
    EXPECT_EQ(notes, (std::vector<std::string>{"a stopped", "b stopped"}));
}

TEST(TaskGroup, ACancelledTaskMayStillWaitForItsCleanUp) {
    boost::asio::io_context loop;
    TaskGroup tasks(loop.get_executor());
    std::vector<std::string> notes;
    tasks.start(sleep_long_and_clean_up(notes));
    loop.poll();
    tasks.cancel();
    run(loop, tasks.join());
    EXPECT_EQ(notes, (std::vector<std::string>{"a stopped", "cleaned up"}));
}

awaitable<void> loop_until_cancelled(Signal& signal, int& rounds) {
    for (;;) {
        co_await signal.wait();
        ++rounds;
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    }
}

TEST(TaskGroup, ATaskSeesThatItWasCancelled) {
    boost::asio::io_context loop;
    TaskGroup tasks(loop.get_executor());
    Signal signal(loop.get_executor());
    int rounds = 0;
    tasks.start(loop_until_cancelled(signal, rounds));
    loop.poll();
    signal.wake();
    loop.poll();
    EXPECT_EQ(rounds, 1);
    tasks.cancel();
    run(loop, tasks.join());
    EXPECT_EQ(rounds, 2);
}

awaitable<void> throw_up() {
    co_await boost::asio::this_coro::executor;
    throw std::runtime_error("a defect");
}

TEST(TaskGroupDeathTest, AnExceptionOutOfATaskEndsTheProcess) {
    EXPECT_DEATH(
        {
            boost::asio::io_context loop;
            TaskGroup tasks(loop.get_executor());
            tasks.start(throw_up());
            loop.run();
        },
        "");
}

}  // namespace
}  // namespace herald
