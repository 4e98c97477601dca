#include "net/resolver.h"

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "async/task_group.h"
#include "support/run.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using std::chrono::steady_clock;
using test::run;

/// A stand-in for the system: counts, and hangs on names that say so until it is let go.
struct ResolverTest : testing::Test {
    boost::asio::io_context loop;
    std::atomic<int> asked = 0;
    std::atomic<bool> let_go = false;
    Resolver resolver{loop.get_executor(), [this](const std::string& host) { return ask(host); }};

    ~ResolverTest() override { let_go = true; }

    NameAnswer ask(const std::string& host) {
        ++asked;
        while (host.starts_with("hang") && !let_go) std::this_thread::sleep_for(1ms);
        if (host.starts_with("no")) return {{}, "no such name"};
        return {{make_address("192.0.2.1"), make_address("2001:db8::1")}, {}};
    }

    std::shared_ptr<const NameAnswer> resolve(const std::string& host,
                                              steady_clock::duration patience = 5s) {
        return run(loop, resolver.resolve(host, steady_clock::now() + patience));
    }
};

TEST_F(ResolverTest, ALiteralNeedsNoLookup) {
    EXPECT_EQ(resolve("192.0.2.7")->addresses.at(0), make_address("192.0.2.7"));
    EXPECT_EQ(resolve("::1")->addresses.at(0), make_address("::1"));
    EXPECT_EQ(asked, 0);
}

TEST_F(ResolverTest, AnAnswerIsKept) {
    EXPECT_EQ(resolve("a")->addresses.size(), 2U);
    EXPECT_EQ(resolve("a")->addresses.size(), 2U);
    EXPECT_EQ(asked, 1);
}

TEST_F(ResolverTest, AFailureIsKeptForTwoSeconds) {
    EXPECT_EQ(resolve("no")->error, "no such name");
    EXPECT_EQ(resolve("no")->error, "no such name");
    EXPECT_EQ(asked, 1);
    std::this_thread::sleep_for(2100ms);
    EXPECT_EQ(resolve("no")->error, "no such name");
    EXPECT_EQ(asked, 2);
}

TEST_F(ResolverTest, AHangingLookupEndsWithItsDeadlineAndDelaysNoOtherName) {
    TaskGroup tasks(loop.get_executor());
    int missing = 0;
    auto wait = [](Resolver& names, std::string host, int& out) -> boost::asio::awaitable<void> {
        const auto until = steady_clock::now() + 300ms;
        const auto found = co_await names.resolve(host, until);
        if (!found) ++out;
    };
    for (int i = 0; i < 5; ++i) tasks.start(wait(resolver, "hang" + std::to_string(i), missing));
    const auto began = steady_clock::now();
    EXPECT_NE(resolve("a"), nullptr);
    EXPECT_LT(steady_clock::now() - began, 250ms);
    run(loop, tasks.join());
    EXPECT_EQ(missing, 5);
}

TEST_F(ResolverTest, ManyWhoAskForOneNameShareOneLookup) {
    TaskGroup tasks(loop.get_executor());
    int found = 0;
    auto wait = [](Resolver& names, int& out) -> boost::asio::awaitable<void> {
        const std::string host = "hang";
        const auto until = steady_clock::now() + 5s;
        const auto answer = co_await names.resolve(host, until);
        if (answer) ++out;
    };
    for (int i = 0; i < 10; ++i) tasks.start(wait(resolver, found));
    loop.run_for(20ms);
    let_go = true;
    run(loop, tasks.join());
    EXPECT_EQ(found, 10);
    EXPECT_EQ(asked, 1);
}

TEST_F(ResolverTest, ACancelledCallerGetsNothing) {
    TaskGroup tasks(loop.get_executor());
    int missing = 0;
    auto wait = [](Resolver& names, int& out) -> boost::asio::awaitable<void> {
        const std::string host = "hang";
        const auto until = steady_clock::now() + 1h;
        const auto answer = co_await names.resolve(host, until);
        if (!answer) ++out;
    };
    tasks.start(wait(resolver, missing));
    loop.poll();
    tasks.cancel();
    run(loop, tasks.join());
    EXPECT_EQ(missing, 1);
}

TEST_F(ResolverTest, TheAddressThatWorkedComesFirst) {
    EXPECT_EQ(resolve("a")->addresses.at(0), make_address("192.0.2.1"));
    resolver.prefer("a", make_address("2001:db8::1"));
    EXPECT_EQ(resolve("a")->addresses.at(0), make_address("2001:db8::1"));
    EXPECT_EQ(resolve("a")->addresses.at(1), make_address("192.0.2.1"));
}

TEST(Resolver, AsksTheSystem) {
    const NameAnswer local = ask_system("localhost");
    ASSERT_FALSE(local.addresses.empty());
    EXPECT_TRUE(local.addresses.front().is_loopback());
    EXPECT_FALSE(ask_system("no-such-host.invalid").error.empty());
}

}  // namespace
}  // namespace herald
