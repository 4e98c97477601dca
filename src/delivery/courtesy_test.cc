#include "delivery/courtesy.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

/// Keeps the thread's processor busy.
void work_for(std::chrono::steady_clock::duration time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
    }
}

struct CourtesyRules : testing::Test {
    Courtesy courtesy;
    Courtesy::Moment now{1h};
};

TEST_F(CourtesyRules, WithNothingNewTheBacklogGoesAtFullSpeed) {
    (void)courtesy.rest(now);
    work_for(2ms);
    EXPECT_EQ(courtesy.rest(now), 0ms);
    EXPECT_FALSE(courtesy.gives_way());
}

TEST_F(CourtesyRules, BesideWhatIsNewTheLoopRestsLongerThanItWorked) {
    (void)courtesy.rest(now);
    courtesy.fresh_came();
    work_for(4ms);
    EXPECT_GT(courtesy.rest(now), 2ms);
    EXPECT_TRUE(courtesy.gives_way());
    EXPECT_LT(courtesy.rest(now), 2ms) << "what was rested for is not counted again";
}

TEST_F(CourtesyRules, NoRestIsLong) {
    (void)courtesy.rest(now);
    courtesy.fresh_came();
    work_for(60ms);
    EXPECT_LE(courtesy.rest(now), 50ms);
}

TEST_F(CourtesyRules, ASecondAfterTheLastNewOneItIsOver) {
    courtesy.fresh_came();
    (void)courtesy.rest(now);
    (void)courtesy.rest(now + 999ms);
    EXPECT_TRUE(courtesy.gives_way());
    EXPECT_EQ(courtesy.rest(now + 1s), 0ms);
    EXPECT_FALSE(courtesy.gives_way());
}

}  // namespace
}  // namespace herald
