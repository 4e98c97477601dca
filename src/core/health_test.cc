#include "core/health.h"

#include <gtest/gtest.h>

#include "support/builders.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct HealthRules : testing::Test {
    void fail_at(Time now, int status = 503) {
        note_attempt(health, policy, make_attempt(1, status), now);
    }
    void succeed_at(Time now) { note_attempt(health, policy, make_attempt(1, 200), now); }

    Health health;
    BreakerPolicy policy{.failures = 3, .disable_after = 48h};
};

TEST_F(HealthRules, AWebhookFailsAfterSoManyFailuresInARow) {
    fail_at(noon);
    fail_at(noon + 1s);
    succeed_at(noon + 2s);
    fail_at(noon + 3s);
    fail_at(noon + 4s);
    EXPECT_EQ(health.state, HealthState::healthy);
    EXPECT_EQ(health.failure_streak, 2U);
    EXPECT_EQ(health.since, std::nullopt);
    fail_at(noon + 5s);
    EXPECT_EQ(health.state, HealthState::failing);
    EXPECT_EQ(health.since, noon + 5s);
    EXPECT_EQ(health.last_success, noon + 2s);
    EXPECT_EQ(health.last_failure, noon + 5s);
    EXPECT_EQ(health.last_class, FailureClass::http_server_error);
    EXPECT_EQ(health.reason, "3 attempts in a row have failed: answered 503");
}

TEST_F(HealthRules, OneSuccessHealsIt) {
    for (int n = 0; n < 5; ++n) fail_at(noon + n * 1s);
    succeed_at(noon + 9s);
    EXPECT_EQ(health.state, HealthState::healthy);
    EXPECT_EQ(health.since, noon + 9s);
    EXPECT_EQ(health.failure_streak, 0U);
    EXPECT_EQ(health.reason, "");
}

TEST_F(HealthRules, LongFailureDisablesWithAReason) {
    for (int n = 0; n < 48; ++n) fail_at(noon + n * 1h);
    EXPECT_EQ(health.state, HealthState::failing);
    fail_at(noon + 48h);
    EXPECT_EQ(health.state, HealthState::disabled);
    EXPECT_EQ(health.reason, "nothing has succeeded in 48 h: answered 503");
    EXPECT_TRUE(health.stopped());
    succeed_at(noon + 49h);
    EXPECT_TRUE(health.stopped()) << "a person resumes it";
}

TEST_F(HealthRules, AJumpOfTheClockCountsForADayAtMost) {
    for (int n = 0; n < 5; ++n) fail_at(noon + n * 1s);
    fail_at(noon + 24h * 365);
    EXPECT_EQ(health.state, HealthState::failing);
    EXPECT_LT(health.failing_for, 25h);
    fail_at(noon - 24h * 365);
    fail_at(noon - 24h * 365 + 1s);
    EXPECT_EQ(health.state, HealthState::failing);
    EXPECT_LT(health.failing_for, 25h);
}

TEST_F(HealthRules, FourHundredAndTenStopsItAtOnce) {
    fail_at(noon, 410);
    EXPECT_EQ(health.state, HealthState::gone);
    EXPECT_TRUE(health.stopped());
    EXPECT_NE(health.reason.find("410 Gone"), std::string::npos);
    succeed_at(noon + 1s);
    fail_at(noon + 2s);
    EXPECT_EQ(health.state, HealthState::gone);
}

TEST_F(HealthRules, WhatIsResumedIsTriedWithAllItsTimeAgain) {
    for (int n = 0; n < 49; ++n) fail_at(noon + n * 1h);
    ASSERT_EQ(health.state, HealthState::disabled);
    resume(health, noon + 90h);
    EXPECT_EQ(health.state, HealthState::failing);
    EXPECT_EQ(health.since, noon + 90h);
    fail_at(noon + 91h);
    EXPECT_EQ(health.state, HealthState::failing);
    EXPECT_EQ(health.failing_for, Duration{0});
    succeed_at(noon + 92h);
    EXPECT_EQ(health.state, HealthState::healthy);
}

TEST_F(HealthRules, ZeroSwitchesEachOff) {
    policy = {.failures = 0, .disable_after = Duration{0}};
    for (int n = 0; n < 2'000; ++n) fail_at(noon + n * 1h);
    EXPECT_EQ(health.state, HealthState::healthy);
    EXPECT_EQ(health.failure_streak, 2'000U);
    policy.disable_after = 48h;
    fail_at(noon + 2'001h);
    EXPECT_EQ(health.state, HealthState::disabled);
}

}  // namespace
}  // namespace herald::test
