#include "async/wheel.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace herald {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct WheelTest : testing::Test {
    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    steady_clock::time_point began = steady_clock::now();

    [[nodiscard]] steady_clock::duration passed() const { return steady_clock::now() - began; }
};

TEST_F(WheelTest, FiresOnceAndNeverEarly) {
    int fired = 0;
    auto deadline = wheel.arm(25ms, [&] { ++fired; });
    EXPECT_FALSE(deadline.fired());
    loop.run();
    EXPECT_EQ(fired, 1);
    EXPECT_TRUE(deadline.fired());
    EXPECT_GE(passed(), 25ms);
}

TEST_F(WheelTest, FiresInTheOrderOfTheirTimesWhateverTheOrderOfArming) {
    std::vector<int> order;
    auto third = wheel.arm(90ms, [&] { order.push_back(3); });
    auto first = wheel.arm(10ms, [&] { order.push_back(1); });
    auto second = wheel.arm(50ms, [&] { order.push_back(2); });
    loop.run();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(WheelTest, ADisarmedOneDoesNotFireAndDoesNotKeepTheLoopAlive) {
    auto deadline = wheel.arm(1h, [] { FAIL(); });
    deadline.disarm();
    loop.run();
    EXPECT_FALSE(deadline.fired());
    EXPECT_LT(passed(), 1s);
}

TEST_F(WheelTest, GoingOutOfScopeDisarms) {
    auto owned = std::make_shared<int>(1);
    {
        const auto deadline = wheel.arm(10ms, [owned] { FAIL(); });
    }
    EXPECT_EQ(owned.use_count(), 1);
    loop.run();
}

TEST_F(WheelTest, AMovedOneStaysArmed) {
    int fired = 0;
    Wheel::Deadline kept;
    {
        auto deadline = wheel.arm(10ms, [&] { ++fired; });
        kept = std::move(deadline);
    }
    loop.run();
    EXPECT_EQ(fired, 1);
    EXPECT_TRUE(kept.fired());
}

TEST_F(WheelTest, AnActionMayArmAndDisarmOthers) {
    int fired = 0;
    Wheel::Deadline later;
    auto victim = wheel.arm(20ms, [] { FAIL(); });
    auto killer = wheel.arm(10ms, [&] {
        victim.disarm();
        later = wheel.arm(10ms, [&] { ++fired; });
    });
    loop.run();
    EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, OneDueAtTheSameTimeMayBeDisarmedByAnother) {
    int fired = 0;
    std::unique_ptr<Wheel::Deadline> one;
    std::unique_ptr<Wheel::Deadline> other;
    one = std::make_unique<Wheel::Deadline>(wheel.arm(10ms, [&] {
        ++fired;
        other.reset();
    }));
    other = std::make_unique<Wheel::Deadline>(wheel.arm(10ms, [&] {
        ++fired;
        one.reset();
    }));
    loop.run();
    EXPECT_GE(fired, 1);
    EXPECT_TRUE(!one || !other);
}

TEST_F(WheelTest, AnActionMayEndItsOwnDeadline) {
    std::unique_ptr<Wheel::Deadline> deadline;
    const auto owned = std::make_shared<int>(7);
    int seen = 0;
    deadline = std::make_unique<Wheel::Deadline>(wheel.arm(10ms, [&, owned] {
        deadline.reset();
        seen = *owned;
    }));
    loop.run();
    EXPECT_EQ(seen, 7);
}

TEST_F(WheelTest, AnEarlierOneIsNotDelayedByALaterOneArmedInAnAction) {
    steady_clock::duration at{};
    Wheel::Deadline late;
    auto first = wheel.arm(10ms, [&] { late = wheel.arm(2s, [] {}); });
    auto second = wheel.arm(50ms, [&] {
        at = passed();
        late.disarm();
    });
    loop.run();
    EXPECT_GE(at, 50ms);
    EXPECT_LT(at, 1s);
}

TEST_F(WheelTest, MoreThanOneTurnAway) {
    auto far = wheel.arm(6s, [] { FAIL(); });
    int fired = 0;
    // The same slot, one turn (512 ticks) earlier.
    auto near = wheel.arm(880ms, [&] { ++fired; });
    loop.run_for(1s);
    EXPECT_EQ(fired, 1);
    EXPECT_FALSE(far.fired());
}

TEST_F(WheelTest, TheWheelMayGoBeforeItsDeadlines) {
    Wheel::Deadline left;
    {
        Wheel gone(loop.get_executor());
        left = gone.arm(10ms, [] { FAIL(); });
    }
    loop.run();
    EXPECT_FALSE(left.fired());
    left.disarm();
}

TEST_F(WheelTest, ZeroAndHugeTimes) {
    int fired = 0;
    auto at_once = wheel.arm(0ms, [&] { ++fired; });
    auto never = wheel.arm(steady_clock::duration::max(), [] { FAIL(); });
    loop.run_for(60ms);
    EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, ManyAtOnce) {
    std::size_t fired = 0;
    std::vector<Wheel::Deadline> all;
    all.reserve(10'000);
    for (int i = 0; i < 10'000; ++i) {
        all.push_back(wheel.arm(std::chrono::milliseconds{i % 100}, [&] { ++fired; }));
    }
    for (std::size_t i = 0; i < all.size(); i += 2) all[i].disarm();
    loop.run();
    EXPECT_EQ(fired, 5'000U);
}

}  // namespace
}  // namespace herald
