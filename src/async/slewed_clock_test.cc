#include "async/slewed_clock.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

/// Both clocks, moved by the test.
class TwoClocks final : public Clock {
public:
    [[nodiscard]] Time now() const override { return wall; }
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return running; }
    void pass(Duration time) {
        wall += time;
        running += time;
    }

    Time wall = Time{std::chrono::days{20'000}};
    std::chrono::steady_clock::time_point running{1h};
};

TEST(SlewedClock, IsTheWallClockWhileThatRunsAsItShould) {
    TwoClocks clocks;
    const SlewedClock slewed(clocks);
    for (int i = 0; i < 1'000; ++i) {
        clocks.pass(7'001us);
        EXPECT_EQ(slewed.now(), clocks.wall);
    }
}

TEST(SlewedClock, AJumpInEitherDirectionIsMadeUpSlowly) {
    for (const Duration jump : {Duration{100h}, Duration{-100h}}) {
        TwoClocks clocks;
        const SlewedClock slewed(clocks);
        Time before = slewed.now();
        clocks.wall += jump;
        EXPECT_EQ(slewed.now(), before) << "nothing passed";
        for (int minute = 0; minute < 60; ++minute) {
            clocks.pass(1min);
            const Duration step = slewed.now() - before;
            EXPECT_GE(step, 54s);
            EXPECT_LE(step, 66s);
            before = slewed.now();
        }
        for (int hour = 0; hour < 1'000; ++hour) {
            clocks.pass(1h);
            before = slewed.now();
        }
        EXPECT_EQ(before, clocks.wall) << "in the end it is right again";
    }
}

}  // namespace
}  // namespace herald
