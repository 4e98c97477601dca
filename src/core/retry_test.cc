#include "core/retry.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Time now = from_micros(1'700'000'000'000'000);

std::vector<std::string> pointers(const RetryPolicy& policy) {
    std::vector<std::string> found;
    if (auto valid = validate(policy); !valid) {
        EXPECT_EQ(valid.error().code, Errc::invalid);
        EXPECT_NE(valid.error().message, "");
        for (const FieldError& field : valid.error().fields) {
            EXPECT_NE(field.detail, "");
            found.push_back(field.pointer);
        }
    }
    return found;
}

TEST(RetryPreset, StandardIsTheScheduleOfStandardWebhooks) {
    const auto policy = retry_preset("standard");
    ASSERT_TRUE(policy);
    EXPECT_THAT(policy->delays, ElementsAre(0s, 5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h));
    EXPECT_EQ(policy->jitter, 0.1);
    EXPECT_EQ(policy->attempts(), 10U);
    Duration sum{0};
    for (const Duration delay : policy->delays) sum += delay;
    EXPECT_EQ(sum, 75h + 35min + 5s);
    EXPECT_EQ(default_retry(), *policy);
}

TEST(RetryPreset, FourAttemptsTwoMinutesApart) {
    const auto policy = retry_preset("infrahub");
    ASSERT_TRUE(policy);
    EXPECT_THAT(policy->delays, ElementsAre(0s, 120s, 120s, 120s));
    EXPECT_EQ(policy->jitter, 0.0);
}

TEST(RetryPreset, NoneIsOneAttempt) {
    const auto policy = retry_preset("none");
    ASSERT_TRUE(policy);
    EXPECT_THAT(policy->delays, ElementsAre(0s));
}

TEST(RetryPreset, NameIsFoundAgain) {
    for (const char* name : {"standard", "infrahub", "none"}) {
        EXPECT_EQ(preset_name(*retry_preset(name)), name);
        EXPECT_TRUE(validate(*retry_preset(name)));
    }
    RetryPolicy changed = default_retry();
    changed.delays.pop_back();
    EXPECT_EQ(preset_name(changed), "");
    EXPECT_EQ(retry_preset("Standard"), std::nullopt);
    EXPECT_EQ(retry_preset(""), std::nullopt);
}

TEST(NextAttempt, FollowsTheDelaysUntilNoneIsLeft) {
    const RetryPolicy policy{.delays = {0s, 10s, 60s}, .jitter = 0};
    EXPECT_EQ(next_attempt(policy, 0, now, 0.7), now);
    EXPECT_EQ(next_attempt(policy, 1, now, 0.7), now + 10s);
    EXPECT_EQ(next_attempt(policy, 2, now, 0.7), now + 60s);
    EXPECT_EQ(next_attempt(policy, 3, now, 0.7), std::nullopt);
    EXPECT_EQ(next_attempt(policy, std::numeric_limits<std::uint32_t>::max(), now, 0.7),
              std::nullopt);
}

TEST(NextAttempt, JitterIsDrawnEvenlyAroundTheDelay) {
    const RetryPolicy policy{.delays = {0s, 100s}, .jitter = 0.1};
    EXPECT_EQ(next_attempt(policy, 1, now, 0.0), now + 90s);
    EXPECT_EQ(next_attempt(policy, 1, now, 0.25), now + 95s);
    EXPECT_EQ(next_attempt(policy, 1, now, 0.5), now + 100s);
    EXPECT_EQ(next_attempt(policy, 1, now, 0.75), now + 105s);
    EXPECT_EQ(next_attempt(policy, 0, now, 0.0), now);
    const auto last = next_attempt(policy, 1, now, std::nextafter(1.0, 0.0));
    ASSERT_TRUE(last);
    EXPECT_LE(*last, now + 110s);
}

TEST(NextAttempt, FullJitterNeverGoesBack) {
    const RetryPolicy policy{.delays = {100s}, .jitter = 1.0};
    EXPECT_EQ(next_attempt(policy, 0, now, 0.0), now);
}

TEST(NextAttempt, LongestDelayDoesNotOverflow) {
    const RetryPolicy policy{.delays = {limits::retry_delay_max}, .jitter = 1.0};
    EXPECT_GT(*next_attempt(policy, 0, now, 0.99), now + limits::retry_delay_max);
}

TEST(ValidateRetry, NamesTheDelayThatIsWrong) {
    EXPECT_THAT(pointers({.delays = {}}), ElementsAre("/retry/delays"));
    EXPECT_THAT(pointers({.delays = {0s, 1s, 2s, -1us}}), ElementsAre("/retry/delays/3"));
    EXPECT_THAT(pointers({.delays = {0s, limits::retry_delay_max + 1us}}),
                ElementsAre("/retry/delays/1"));
    EXPECT_THAT(pointers({.delays = {-1s, 0s, -1s}, .jitter = 2}),
                ElementsAre("/retry/delays/0", "/retry/delays/2", "/retry/jitter"));
    EXPECT_THAT(pointers({.delays = {0s, limits::retry_delay_max}}), ElementsAre());
    EXPECT_THAT(pointers({.delays = {1s, 2s}}), ElementsAre("/retry/delays/0"));
}

TEST(ValidateRetry, HoldsTheNumberOfAttempts) {
    EXPECT_THAT(pointers({.delays = std::vector<Duration>(limits::retry_delays)}), ElementsAre());
    EXPECT_THAT(pointers({.delays = std::vector<Duration>(limits::retry_delays + 1)}),
                ElementsAre("/retry/delays"));
}

TEST(ValidateRetry, JitterIsAShare) {
    for (const double good : {0.0, 0.5, 1.0}) {
        EXPECT_THAT(pointers({.delays = {0s}, .jitter = good}), ElementsAre());
    }
    const double bad[] = {-0.01, 1.01, std::nan(""), std::numeric_limits<double>::infinity()};
    for (const double jitter : bad) {
        EXPECT_THAT(pointers({.delays = {0s}, .jitter = jitter}), ElementsAre("/retry/jitter"));
    }
}

}  // namespace
}  // namespace herald
