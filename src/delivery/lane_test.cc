#include "delivery/lane.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/limits.h"
#include "support/builders.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

constexpr Lane::Moment start{100h};

struct LaneRules : testing::Test {
    LaneRules() { set({}); }
    void set(Pacing pacing, BreakerPolicy breaker = {}) {
        Webhook webhook = make_webhook("hook");
        webhook.pacing = pacing;
        webhook.breaker = breaker;
        lane.configure(webhook);
    }
    Held held(std::uint64_t n, std::uint32_t attempts = 0, const std::string& node = "a") const {
        Event event = make_event(n);
        event.node.id = node;
        return {{n, 1},
                lane.webhook(),
                attempts,
                Cause::event,
                std::make_shared<const Event>(std::move(event))};
    }
    std::uint64_t take() { return take_held().id.seq; }
    Held take_held() { return lane.take(now); }
    Duration answer(int status, HeaderList headers = {}) {
        Attempt attempt = make_attempt(1, status);
        attempt.response_headers = std::move(headers);
        return lane.judge(attempt, noon, now, 0);
    }
    void fail_to_connect() {
        Attempt attempt = make_attempt(1, 0);
        attempt.outcome = {FailureClass::connection, "refused"};
        lane.judge(attempt, noon, now, 0);
    }
    /// How many it sends at once of very many.
    std::size_t at_once() {
        for (std::uint64_t n = 1; n <= 100; ++n) lane.push(held(n));
        std::vector<Held> sent;
        while (lane.can_send()) sent.push_back(take_held());
        const std::size_t count = sent.size();
        for (const Held& one : sent) lane.landed(one);
        lane.take_all();
        return count;
    }

    Lane lane{WebhookId{1}};
    Lane::Moment now = start;
};

TEST_F(LaneRules, NewWorkAndRetriesTakeTurns) {
    for (std::uint64_t n = 1; n <= 3; ++n) lane.push(held(n));
    for (std::uint64_t n = 11; n <= 13; ++n) lane.push(held(n, 2));
    std::vector<std::uint64_t> sent;
    while (lane.can_send()) sent.push_back(take());
    EXPECT_EQ(sent, (std::vector<std::uint64_t>{1, 11, 2, 12, 3, 13}));
}

TEST_F(LaneRules, NewWorkAndTheBacklogEachFindAQuarterOfTheLane) {
    const std::size_t most = limits::lane_queue_slow;
    EXPECT_EQ(lane.claim_room(), most);
    for (std::uint64_t n = 1; n <= most; ++n) lane.push(held(n, 1));
    EXPECT_EQ(lane.claim_room(), 0U);
    for (std::size_t n = 0; n < most / 4; ++n) {
        EXPECT_TRUE(lane.has_room());
        ++lane.reserved;
        ++lane.fresh;
    }
    EXPECT_FALSE(lane.has_room());
    lane.take_all();
    EXPECT_EQ(lane.claim_room(), most - most / 4);
    lane.reserved = lane.fresh = most;
    EXPECT_FALSE(lane.has_room());
    EXPECT_EQ(lane.claim_room(), most / 4);
}

TEST_F(LaneRules, InBitesABacklogTakesWhatTheReceiverTakesInAMillisecondOrSo) {
    const std::size_t bite = lane.claim_room(true);
    EXPECT_LT(bite, lane.claim_room() / 4);
    for (std::uint64_t n = 1; n <= bite; ++n) lane.push(held(n, 1));
    EXPECT_EQ(lane.claim_room(true), 0U);
    lane.pace = 3ms;
    EXPECT_EQ(lane.claim_room(true), 2 * bite);
    lane.pace = 10s;
    EXPECT_EQ(lane.claim_room(true), limits::lane_queue_slow - bite) << "never more than the lane";
}

TEST_F(LaneRules, TheWindowGrowsWithSuccessAndShrinksWhereNobodyAnswers) {
    EXPECT_EQ(at_once(), Window::start);
    for (int n = 0; n < 100; ++n) answer(200);
    EXPECT_EQ(at_once(), limits::lane_in_flight);
    for (int n = 0; n < 5; ++n) fail_to_connect();
    EXPECT_EQ(at_once(), limits::lane_in_flight - 5);
    for (int n = 0; n < 4; ++n) answer(404);
    EXPECT_EQ(at_once(), limits::lane_in_flight - 5) << "whoever answers is there";
}

TEST_F(LaneRules, PushBackHalvesTheWindow) {
    for (const int status : {429, 502, 503, 504}) {
        lane = Lane(WebhookId{1});
        for (int n = 0; n < 100; ++n) answer(200);
        answer(status);
        EXPECT_EQ(at_once(), limits::lane_in_flight / 2) << status;
    }
}

TEST_F(LaneRules, NoMoreAtOnceThanTheWebhookAllows) {
    set({.max_in_flight = 3});
    EXPECT_EQ(at_once(), 3U);
    for (int n = 0; n < 100; ++n) answer(200);
    EXPECT_EQ(at_once(), 3U);
}

TEST_F(LaneRules, RetryAfterHoldsTheWholeLane) {
    for (const int status : {429, 503}) {
        EXPECT_EQ(answer(status, {{"Retry-After", "60"}}), 60s);
        EXPECT_EQ(lane.opens_at(), now + 60s);
        EXPECT_TRUE(lane.gated());
        EXPECT_TRUE(lane.shut(now));
        EXPECT_FALSE(lane.shut(now + 60s));
        now += 60s;
    }
    EXPECT_EQ(answer(503, {{"Retry-After", "999999999999"}}), 24h);
    EXPECT_EQ(answer(429, {{"Retry-After", "1"}}), 1s);
    EXPECT_EQ(lane.opens_at(), now + 24h) << "the longer one counts";
}

TEST_F(LaneRules, RetryAfterOfOtherAnswersOrOfThePastHoldsNothing) {
    EXPECT_EQ(answer(500, {{"Retry-After", "60"}}), 0s);
    EXPECT_EQ(answer(404, {{"Retry-After", "60"}}), 0s);
    EXPECT_EQ(answer(429, {{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}), 0s);
    EXPECT_EQ(answer(429, {{"Retry-After", "soon"}}), 0s);
    EXPECT_EQ(answer(429, {{"Retry-After", "0"}}), 0s);
    EXPECT_FALSE(lane.gated());
}

TEST_F(LaneRules, ARateHoldsTheLaneBetweenAttemptsAndKeepsLittleInMemory) {
    set({.rate_limit = RateLimit{2, 1s}});
    EXPECT_EQ(lane.claim_room(), 10U);
    lane.push(held(1));
    EXPECT_LE(lane.opens_at(), now);
    take();
    EXPECT_GT(lane.opens_at(), now + 400ms);
    EXPECT_LE(lane.opens_at(), now + 500ms);
    EXPECT_FALSE(lane.keeps_up(1ms)) << "ingest does not wait for it";
    set({});
    EXPECT_FALSE(lane.gated());
    EXPECT_TRUE(lane.keeps_up(1ms));
    set({.max_in_flight = 1});
    EXPECT_TRUE(lane.keeps_up(1ms));
    EXPECT_FALSE(lane.keeps_up(50ms));
}

TEST_F(LaneRules, AnOpenLaneSendsOneProbeAtATimeAndHoldsNothing) {
    set({}, {.failures = 3});
    for (int n = 0; n < 3; ++n) answer(500);
    EXPECT_EQ(lane.health().state, HealthState::failing);
    EXPECT_EQ(lane.opens_at(), now + 1s);
    EXPECT_FALSE(lane.has_room());
    now += 1s;
    EXPECT_FALSE(lane.shut(now));
    EXPECT_EQ(lane.claim_room(), 1U);
    lane.push(held(1));
    lane.push(held(2));
    const Held probe = take_held();
    EXPECT_FALSE(lane.can_send());
    EXPECT_EQ(lane.claim_room(), 0U);
    answer(500);
    lane.landed(probe);
    EXPECT_EQ(lane.opens_at(), now + 2s);
    answer(200);
    EXPECT_EQ(lane.health().state, HealthState::healthy);
    EXPECT_FALSE(lane.gated());
    EXPECT_EQ(at_once(), 2U) << "it opens slowly";
}

TEST_F(LaneRules, AStoppedLaneOpensOnlyForAPerson) {
    answer(410);
    EXPECT_TRUE(lane.gated());
    EXPECT_EQ(lane.opens_at(), Lane::Moment::max());
    EXPECT_TRUE(lane.shut(now + 24h * 365));
    EXPECT_FALSE(lane.has_room());
    lane.give_chance(noon, now);
    EXPECT_EQ(lane.health().state, HealthState::failing);
    EXPECT_FALSE(lane.shut(now)) << "it is probed at once";
}

TEST_F(LaneRules, WhatAPersonChangesLiftsAHold) {
    answer(503, {{"Retry-After", "86400"}});
    EXPECT_TRUE(lane.shut(now));
    lane.give_chance(noon, now);
    EXPECT_FALSE(lane.shut(now));
}

TEST_F(LaneRules, WhatAnEarlierProcessKnewIsProbedFirst) {
    Health failing;
    failing.state = HealthState::failing;
    lane.restore(failing, noon, now);
    EXPECT_FALSE(lane.shut(now));
    EXPECT_EQ(lane.claim_room(), 1U);
    EXPECT_EQ(at_once(), 1U);
    failing.state = HealthState::disabled;
    lane.restore(failing, noon, now);
    EXPECT_TRUE(lane.shut(now));
}

TEST_F(LaneRules, AHoldGoesOnInTheNextProcessForADayAtMost) {
    Health held;
    held.held_until = noon + 1h;
    lane.restore(held, noon, now);
    EXPECT_EQ(lane.opens_at(), now + 1h);
    EXPECT_EQ(at_once(), 1U);
    lane = Lane(WebhookId{1});
    held.held_until = noon + 1000h;
    lane.restore(held, noon, now);
    EXPECT_EQ(lane.opens_at(), now + 24h) << "the clock was set back";
    lane = Lane(WebhookId{1});
    held.held_until = noon - 1h;
    lane.restore(held, noon, now);
    EXPECT_FALSE(lane.gated());
}

TEST_F(LaneRules, OfAKeyOneGoesAtATimeAndAnotherKeyPassesIt) {
    set({.ordering = Ordering::node, .set_aside_after = 3});
    EXPECT_FALSE(lane.has_room()) << "the store gives them in order";
    lane.push(held(1, 1, "a"));
    lane.push(held(2, 0, "a"));
    lane.push(held(3, 0, "b"));
    lane.push(held(4, 3, "a"));  // set aside
    const Held first = take_held();
    EXPECT_EQ(first.id.seq, 1U);
    EXPECT_EQ(take(), 3U);
    EXPECT_EQ(take(), 4U);
    EXPECT_FALSE(lane.can_send());
    EXPECT_TRUE(lane.queues_key(first.key));
    lane.landed(first);
    EXPECT_EQ(take(), 2U);
    EXPECT_FALSE(lane.queues_key(first.key));
}

TEST_F(LaneRules, AFailedFirstHoldsUpItsKeyUntilItIsSetAside) {
    set({.ordering = Ordering::webhook, .set_aside_after = 3});
    lane.push(held(1, 1));
    lane.push(held(2));
    lane.push(held(3, 0, "b"));
    const Held first = take_held();
    EXPECT_TRUE(lane.holds_up(first, make_attempt(2, 500)));
    EXPECT_FALSE(lane.holds_up(first, make_attempt(3, 500)));
    EXPECT_EQ(lane.take_key(first.key).size(), 2U);
    EXPECT_EQ(lane.load(), 1U);
}

}  // namespace
}  // namespace herald::test
