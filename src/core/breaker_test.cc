#include "core/breaker.h"

#include <gtest/gtest.h>

namespace herald::test {
namespace {

using namespace std::chrono_literals;

constexpr Breaker::Moment start{1h};

TEST(Breaker, IsClosedUntilItIsOpened) {
    Breaker breaker;
    EXPECT_FALSE(breaker.is_open());
    breaker.open(start, 1s);
    EXPECT_TRUE(breaker.is_open());
    EXPECT_EQ(breaker.probe_at(), start + 1s);
    breaker.close();
    EXPECT_FALSE(breaker.is_open());
}

TEST(Breaker, EachProbeThatFailsDoublesTheWaitToFiveMinutes) {
    Breaker breaker;
    breaker.open(start, 1s);
    auto now = start;
    for (const auto wait : {2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
        now = breaker.probe_at();
        breaker.probe_failed(now, 0);
        EXPECT_EQ(breaker.probe_at() - now, wait);
    }
    now = breaker.probe_at();
    breaker.probe_failed(now, 0.999);
    EXPECT_GE(breaker.probe_at() - now, 270s);
    EXPECT_LT(breaker.probe_at() - now, 271s);
}

TEST(Breaker, WhatWasOnItsWayWhenItOpenedIsNoProbe) {
    Breaker breaker;
    breaker.open(start, 1s);
    for (int n = 0; n < 64; ++n) breaker.probe_failed(start + 500ms, 0);
    EXPECT_EQ(breaker.probe_at(), start + 1s);
    breaker.open(start + 900ms, 1s);
    EXPECT_EQ(breaker.probe_at(), start + 1s) << "it is open already";
}

TEST(Breaker, BeginsAnewAfterItWasClosed) {
    Breaker breaker;
    breaker.open(start, 0s);
    for (int n = 0; n < 9; ++n) breaker.probe_failed(breaker.probe_at(), 0);
    breaker.close();
    breaker.open(start + 1h, 1s);
    EXPECT_EQ(breaker.probe_at(), start + 1h + 1s);
}

}  // namespace
}  // namespace herald::test
