#include "transform/host_pool.h"

#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "support/small_host.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using std::chrono::steady_clock;
using test::HostPoolTest;
using test::member;
using test::message;
using test::plan_of;
using test::run;
using test::shared_plan;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view echo = "def transform(text): return text";
/// Does what its input says.
constexpr std::string_view obeys = R"(
import os, time
def transform(text):
    if text == 'hang': time.sleep(1000)
    if text == 'abort': os.abort()
    if text == 'exit': os._exit(3)
    if text == 'raise': raise ValueError('no such thing')
    if text == 'slow': time.sleep(0.3)
    return text + ' by ' + str(os.getpid())
)";

HostPoolOptions one_child() { return {.processes_each = 1}; }

std::shared_ptr<const HostPlan> hurried(std::string_view source) {
    HostPlan plan = plan_of(source);
    plan.limits.timeout = 1s;
    return shared_plan(plan);
}

awaitable<void> sleep(std::chrono::milliseconds time) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(time);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

TEST_F(HostPoolTest, GivesTheEventToTheCodeAndItsResultBack) {
    const HostAnswer answer = ask("def transform(text): return text + '!'", R"({"a":1})");
    EXPECT_EQ(answer.kind, HostAnswer::Kind::body);
    EXPECT_EQ(answer.payload, R"({"a":1}!)");
    EXPECT_GT(answer.took, 0ms);
    EXPECT_EQ(pool().processes(), 1U);
}

TEST_F(HostPoolTest, AResultMayBeARequestAndHaveNotes) {
    const HostAnswer answer = ask(R"(
def transform(text):
    put(b'N', 'printed')
    put(b'Q', '{"body":"b"}')
    put(b'N', 'x' * 10000)
    return 'second')");
    EXPECT_EQ(answer.kind, HostAnswer::Kind::request);
    EXPECT_EQ(answer.payload, R"({"body":"b"})");
    EXPECT_EQ(answer.notes, "printed");
}

TEST_F(HostPoolTest, NotesAreCut) {
    const HostAnswer answer = ask(R"(
def transform(text):
    for i in range(3): put(b'N', 'x' * 3000)
    return text)");
    EXPECT_EQ(answer.notes, std::string(limits::host_notes_bytes, 'x'));
}

TEST_F(HostPoolTest, ManyEventsAreGivenAheadAndAnsweredInOrder) {
    pool(one_child());
    std::vector<std::string> inputs;
    inputs.reserve(200);
    for (int i = 0; i < 200; ++i) inputs.push_back("event " + std::to_string(i));
    const auto answers = ask_all(shared_plan(echo), inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_EQ(answers[i].payload, inputs[i]);
    EXPECT_EQ(ended, inputs);
    EXPECT_EQ(pool().processes(), 1U);
}

TEST_F(HostPoolTest, LargeEventsAndResultsPassWhole) {
    const std::vector<std::string> inputs(20, std::string(limits::event_bytes, 'a'));
    for (const HostAnswer& answer : ask_all(shared_plan(echo), inputs)) {
        EXPECT_EQ(answer.payload, inputs[0]);
    }
}

TEST_F(HostPoolTest, AnotherChildIsStartedWhenOneIsNotEnoughAndNoMoreThanAllowed) {
    const auto answers = ask_all(shared_plan(obeys), std::vector<std::string>(8, "slow"));
    std::set<std::string> children;
    for (const HostAnswer& answer : answers) children.insert(answer.payload);
    EXPECT_EQ(children.size(), 2U);
    EXPECT_EQ(pool().processes(), 2U);
}

TEST_F(HostPoolTest, AHangIsEndedAndThoseBehindItAreAnswered) {
    pool(one_child());
    const auto plan = hurried(obeys);
    ask(plan, "warm");
    const auto began = steady_clock::now();
    const auto answers = ask_all(plan, {"a", "hang", "b", "c"});
    EXPECT_GE(steady_clock::now() - began, 1s);
    EXPECT_THAT(answers[0].payload, StartsWith("a by"));
    EXPECT_EQ(member(answers[1], "class"), "TRANSFORM");
    EXPECT_EQ(message(answers[1]), "took longer than 1s and was ended");
    EXPECT_THAT(answers[2].payload, StartsWith("b by"));
    EXPECT_THAT(answers[3].payload, StartsWith("c by"));
    EXPECT_EQ(failures("hang"), 1U);
}

TEST_F(HostPoolTest, TheTimeOfAnEventBeginsWhenItsTurnHasCome) {
    pool(one_child());
    HostPlan plan = plan_of(obeys);
    plan.limits.timeout = 1s;
    for (const HostAnswer& answer :
         ask_all(shared_plan(plan), std::vector<std::string>(5, "slow"))) {
        EXPECT_EQ(answer.kind, HostAnswer::Kind::body) << answer.payload;
    }
}

TEST_F(HostPoolTest, OtherTransformationsAreNotDisturbedByAHang) {
    const auto plan = shared_plan(echo);
    ask(plan, "warm");
    HostAnswer lost;
    TaskGroup tasks(loop.get_executor());
    tasks.start(ask_one(hurried(obeys), "hang", lost));
    const auto began = steady_clock::now();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(ask(plan, "x").payload, "x");
    EXPECT_LT(steady_clock::now() - began, 1s);
    run(loop, tasks.join());
    EXPECT_THAT(message(lost), HasSubstr("took longer"));
}

TEST_F(HostPoolTest, ACrashNamesItsSignalAndTheChildIsReplaced) {
    pool(one_child());
    const auto answers = ask_all(shared_plan(obeys), {"a", "abort", "b"});
    EXPECT_EQ(member(answers[1], "class"), "TRANSFORM");
    EXPECT_EQ(message(answers[1]), "its process was ended by signal 6 (Aborted)");
    EXPECT_THAT(answers[2].payload, StartsWith("b by"));
    EXPECT_NE(answers[0].payload.substr(5), answers[2].payload.substr(5));
    EXPECT_EQ(failures("crash"), 1U);
}

TEST_F(HostPoolTest, AnExitNamesItsStatus) {
    const auto answers = ask_all(shared_plan(obeys), {"exit", "b"});
    EXPECT_EQ(message(answers[0]), "the code ended its process (exit status 3)");
    EXPECT_THAT(answers[1].payload, StartsWith("b by"));
}

TEST_F(HostPoolTest, AFailureOfTheCodeIsHandedOnAndTheChildStays) {
    pool(one_child());
    const auto answers = ask_all(shared_plan(obeys), {"a", "raise", "b"});
    EXPECT_EQ(answers[1].payload,
              R"({"class":"TRANSFORM","message":"ValueError: no such thing","line":1})");
    EXPECT_EQ(answers[0].payload.substr(5), answers[2].payload.substr(5));
    EXPECT_EQ(failures("code"), 1U);
}

TEST_F(HostPoolTest, AHostThatLeavesAfterAFailureCostsTheNextEventNothing) {
    pool(one_child());
    const auto plan = shared_plan(std::string(obeys) + "leaves = True\n");
    const auto answers = ask_all(plan, {"raise", "b", "c"});
    EXPECT_THAT(message(answers[0]), HasSubstr("no such thing"));
    EXPECT_THAT(answers[1].payload, StartsWith("b by"));
    EXPECT_THAT(answers[2].payload, StartsWith("c by"));
}

TEST_F(HostPoolTest, TwoGigabytesOfOutputAreNotRead) {
    const HostAnswer answer = ask(R"(
import os, struct
def transform(text):
    os.write(3, struct.pack('<I', 2 << 30) + b'B')
    while True: os.write(3, b'x' * 65536)
)");
    EXPECT_EQ(member(answer, "class"), "TRANSFORM");
    EXPECT_EQ(message(answer), "its result is longer than 1500000 bytes");
    EXPECT_EQ(failures("output"), 1U);
}

TEST_F(HostPoolTest, WhatIsNoFrameEndsTheChild) {
    const HostAnswer answer = ask("import os\ndef transform(text): os.write(3, b'hello world')");
    EXPECT_THAT(message(answer), HasSubstr("does not answer as herald expects"));
    const HostAnswer failed = ask("def transform(text): put(b'F', 'no JSON')");
    EXPECT_THAT(message(failed), HasSubstr("does not answer as herald expects"));
}

TEST_F(HostPoolTest, CodeThatClosesTheSocketAndRunsOnIsEnded) {
    const HostAnswer answer = ask(R"(
import os, time
def transform(text):
    os.close(3)
    time.sleep(1000)
)");
    EXPECT_THAT(message(answer), HasSubstr("leave file descriptor 3 alone"));
}

TEST_F(HostPoolTest, CodeThatCannotBeLoadedIsAConfigurationFailureOfAllItsEvents) {
    for (const HostAnswer& answer : ask_all(shared_plan("import nothing"), {"a", "b", "c"})) {
        EXPECT_EQ(member(answer, "class"), "CONFIG");
        EXPECT_EQ(message(answer), "ModuleNotFoundError: No module named 'nothing'");
    }
    EXPECT_EQ(failures("start"), 3U);
}

TEST_F(HostPoolTest, WhatCannotBeLoadedIsNotTriedForEachEvent) {
    const auto plan = shared_plan("import nothing");
    ask(plan, "a");
    const auto began = steady_clock::now();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(member(ask(plan, "a"), "class"), "CONFIG");
    EXPECT_LT(steady_clock::now() - began, 500ms);
    EXPECT_LE(pool().processes(), 1U);
}

TEST_F(HostPoolTest, AProgramThatIsMissingIsNamed) {
    HostPlan plan = plan_of(echo);
    plan.command = {"/usr/bin/python-of-tomorrow"};
    const HostAnswer answer = ask(shared_plan(plan), "x");
    EXPECT_EQ(member(answer, "class"), "CONFIG");
    EXPECT_EQ(message(answer),
              "its process cannot run its program (/usr/bin/python-of-tomorrow): No such file or "
              "directory");
    plan.command = {"python-of-tomorrow"};
    plan.key = "another";
    EXPECT_THAT(message(ask(shared_plan(plan), "x")), HasSubstr("is not installed"));
}

TEST_F(HostPoolTest, AHostThatEndsWhileItLoadsIsSaidTo) {
    EXPECT_EQ(message(ask("import os; os._exit(4)")),
              "the code ended its process (exit status 4) while it loaded its code");
}

TEST_F(HostPoolTest, AHostThatHangsWhileItLoadsIsEnded) {
    pool({.start = 500ms});
    const HostAnswer hung = ask("import time; time.sleep(1000)");
    EXPECT_EQ(member(hung, "class"), "CONFIG");
    EXPECT_EQ(message(hung), "was not ready after 500ms and was ended");
}

TEST_F(HostPoolTest, TooManyEventsAreTurnedAway) {
    pool({.processes_each = 1, .depth = 1, .waiting = 3});
    const auto answers = ask_all(shared_plan(obeys), std::vector<std::string>(6, "slow"));
    EXPECT_THAT(message(answers[5]), HasSubstr("too many events wait"));
    EXPECT_EQ(failures("busy"), 3U);
    EXPECT_EQ(answers[2].kind, HostAnswer::Kind::body);
}

TEST_F(HostPoolTest, IdleChildrenAreEnded) {
    pool({.idle = 100ms});
    ask(echo);
    EXPECT_EQ(pool().processes(), 1U);
    run(loop, sleep(500ms));
    EXPECT_EQ(pool().processes(), 0U);
    EXPECT_EQ(ask(echo).payload, "x");
}

TEST_F(HostPoolTest, AtTheLimitThePlanThatWasUsedLeastRecentlyGivesItsChild) {
    pool({.processes_total = 2});
    const auto a = shared_plan(std::string(obeys) + "#a");
    const auto b = shared_plan(std::string(obeys) + "#b");
    const auto c = shared_plan(std::string(obeys) + "#c");
    ask(a, "x");
    const HostAnswer of_b = ask(b, "x");
    ask(a, "x");
    const HostAnswer of_a = ask(a, "x");
    EXPECT_THAT(ask(c, "x").payload, StartsWith("x by"));
    EXPECT_EQ(ask(a, "x").payload, of_a.payload);
    EXPECT_NE(ask(b, "x").payload, of_b.payload);
    EXPECT_LE(pool().processes(), 2U);
}

TEST_F(HostPoolTest, MorePlansThanChildrenAllGetTheirTurnWhileAllAreBusy) {
    pool({.processes_total = 2});
    std::vector<HostAnswer> answers(40);
    TaskGroup tasks(loop.get_executor());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto plan = shared_plan(std::string(echo) + "#" + std::to_string(i % 5));
        tasks.start(ask_one(plan, "x", answers[i]));
    }
    run(loop, tasks.join());
    for (const HostAnswer& answer : answers) EXPECT_EQ(answer.payload, "x");
    EXPECT_LE(pool().processes(), 2U);
}

TEST_F(HostPoolTest, ACallerThatIsCancelledIsAnsweredAtOnce) {
    HostAnswer answer;
    TaskGroup tasks(loop.get_executor());
    tasks.start(ask_one(shared_plan(obeys), "hang", answer));
    run(loop, sleep(200ms));
    const auto began = steady_clock::now();
    tasks.cancel();
    run(loop, tasks.join());
    EXPECT_LT(steady_clock::now() - began, 1s);
    EXPECT_EQ(answer.kind, HostAnswer::Kind::failure);
}

TEST_F(HostPoolTest, StopEndsTheChildrenAndFailsWhatWaits) {
    const auto plan = shared_plan(obeys);
    const std::string by = ask(plan, "x").payload;
    const pid_t child = std::stoi(by.substr(by.rfind(' ')));
    EXPECT_EQ(::kill(child, 0), 0);
    HostAnswer answer;
    TaskGroup tasks(loop.get_executor());
    tasks.start(ask_one(plan, "hang", answer));
    run(loop, sleep(50ms));
    stop();
    EXPECT_NE(::kill(child, 0), 0);
    run(loop, tasks.join());
    EXPECT_EQ(message(answer), "herald stops");
}

}  // namespace
}  // namespace herald
