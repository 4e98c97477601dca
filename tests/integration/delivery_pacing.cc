// How fast a webhook is served: rate, requests at once, holds, and what comes after an outage.
#include <algorithm>

#include <gmock/gmock.h>

#include "core/window.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Paced : EngineTest {
    std::vector<DeliveryId> send_many(std::uint64_t first, std::uint64_t count) {
        std::vector<DeliveryId> ids;
        std::vector<Event> events;
        for (std::uint64_t n = 0; n < count; ++n) events.push_back(node_event(first + n));
        const auto sent = send_all(std::move(events));
        EXPECT_TRUE(sent);
        for (const Submitted& one : *sent) ids.push_back(one.deliveries.at(0));
        return ids;
    }
    std::uint64_t pending() { return engine->reader->stats()->pending; }
    static Receiver::Decide asking(int status, std::string retry_after) {
        return [status, retry_after = std::move(retry_after)](const ServerRequest&) {
            ServerAnswer answer;
            answer.status = status;
            answer.headers = {{"Retry-After", retry_after}};
            return answer;
        };
    }
};

TEST_F(Paced, NoMoreGoesThanTheRateAllows) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.pacing.rate_limit = RateLimit{2, 1min};
    add(webhook);
    send_many(1, 4);
    for (std::size_t sent = 1; sent <= 4; ++sent) {
        until([&] { return receiver.requests.size() == sent; });
        turn(30ms);
        EXPECT_EQ(receiver.requests.size(), sent);
        // By the steady clock: neither way of the wall clock changes anything.
        advance(24h);
        advance(-24h);
        advance_steady(29s);
        turn(10ms);
        EXPECT_EQ(receiver.requests.size(), sent);
        advance_steady(1s);
    }
    until([&] { return pending() == 0; });
}

TEST_F(Paced, NoMoreGoAtOnceThanTheWebhookAllows) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.pacing.max_in_flight = 2;
    add(webhook);
    receiver.hold();
    send_many(1, 50);
    until([&] { return receiver.waiting() == 2; });
    receiver.release();
    until([&] { return pending() == 0; });
    EXPECT_EQ(receiver.most_waiting(), 2U);
}

TEST_F(Paced, RetryAfterHoldsTheWholeWebhook) {
    for (const int status : {429, 503}) {
        Receiver receiver(loop, wheel, asking(status, "3600"));
        const auto entry = add(to(receiver, "hook " + std::to_string(status)));
        const DeliveryId first = send_one(node_event(static_cast<std::uint64_t>(status)));
        const DeliveryDetail held = until_attempts(first, 1);
        EXPECT_EQ(held.delivery.due_at, clock.now() + 1h) << "its own turn is no earlier";
        const DeliveryId other = send_one(node_event(static_cast<std::uint64_t>(status) + 1'000));
        receiver.decide = answer_with(200);
        // A jump of the wall clock fires nothing.
        advance(2h);
        turn();
        EXPECT_EQ(receiver.requests.size(), 1U);
        EXPECT_EQ(detail(other).delivery.attempts, 0U);
        advance_steady(1h + 1s);
        until_state(first, DeliveryState::delivered);
        until_state(other, DeliveryState::delivered);
        remove(entry->id);
    }
}

TEST_F(Paced, AHoldOutlivesTheProcessAndIsFollowedByNoHerd) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto entry = add(to(receiver));
    send_many(1, 100);
    until([&] { return pending() == 0; });
    receiver.decide = asking(503, "3600");
    const DeliveryId first = send_one(node_event(200));
    until_attempts(first, 1);
    send_many(300, 50);
    receiver.requests.clear();
    reopen();
    EXPECT_EQ(engine->dispatcher.health(entry->id).held_until, clock.now() + 1h);
    turn();
    EXPECT_THAT(receiver.requests, testing::IsEmpty());

    std::vector<std::size_t> at_once;
    receiver.decide = [&](const ServerRequest&) {
        at_once.push_back(engine->dispatcher.flying());
        return ServerAnswer{};
    };
    advance(1h + 1s);
    advance_steady(1h + 1s);
    EXPECT_EQ(engine->dispatcher.health(entry->id).held_until, std::nullopt);
    until([&] { return pending() == 0; });
    ASSERT_EQ(at_once.size(), 51U);
    EXPECT_EQ(at_once[0], 1U);
    EXPECT_LE(*std::ranges::max_element(at_once), 12U);
}

TEST_F(Paced, AnAbsurdRetryAfterCountsAsADay) {
    Receiver receiver(loop, wheel, asking(503, "4294967296000"));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    EXPECT_EQ(until_attempts(id, 1).delivery.due_at, clock.now() + 24h);
    receiver.decide = answer_with(200);
    advance(25h);
    advance_steady(24h + 1s);
    until_state(id, DeliveryState::delivered);
}

TEST_F(Paced, ARetryAfterOfThePastOrOfNoSenseHoldsNothing) {
    std::uint64_t n = 0;
    for (const char* value : {"Sun, 06 Nov 1994 08:49:37 GMT", "0", "-1", "soon"}) {
        Receiver receiver(loop, wheel, asking(429, value));
        const auto entry = add(to(receiver, value));
        until_attempts(send_one(node_event(++n)), 1);
        receiver.decide = answer_with(200);
        until_state(send_one(node_event(++n)), DeliveryState::delivered);
        remove(entry->id);
    }
}

TEST_F(Paced, AnOutageIsFollowedByNoHerd) {
    Receiver receiver(loop, wheel, answer_with(503));
    Webhook webhook = to(receiver);
    webhook.retry.delays.assign(50, 1s);
    webhook.retry.delays[0] = 0s;
    add(webhook);
    send_many(1, 500);
    until([&] { return engine->dispatcher.open() == 0 && receiver.waiting() == 0; });
    EXPECT_LT(receiver.requests.size(), 40U) << "it was left alone soon";
    EXPECT_EQ(pending(), 500U);

    // How many are on their way when the n-th arrives.
    std::vector<std::size_t> at_once;
    receiver.decide = [&](const ServerRequest&) {
        at_once.push_back(engine->dispatcher.flying());
        return ServerAnswer{};
    };
    advance(1h);
    advance_steady(10min);
    until([&] { return pending() == 0; });
    ASSERT_EQ(at_once.size(), 500U);
    EXPECT_EQ(at_once[0], 1U);
    for (std::size_t n = 0; n < at_once.size(); ++n) {
        // One more for each window of successes: the square root of what was sent.
        EXPECT_LE(at_once[n] * at_once[n], 2 * n + 10) << n;
    }
    EXPECT_GT(*std::ranges::max_element(at_once), 4U) << "it grows";
}

TEST_F(Paced, ABacklogGoesNewestFirstWhereThatIsWanted) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.pacing.backlog = Backlog::newest;
    webhook.pacing.max_in_flight = 1;
    webhook = *add(webhook);
    webhook.pacing.rate_limit = RateLimit{1, 1min};
    update(webhook);
    send_many(1, 1);
    until([&] { return pending() == 0; });
    const auto ids = send_many(10, 100);
    webhook.pacing.rate_limit.reset();
    update(webhook);
    until([&] { return pending() == 0; });
    std::vector<std::string> order;
    for (const ServerRequest& request : receiver.requests) {
        order.emplace_back(request.header("webhook-id"));
    }
    std::vector<std::string> newest_first;
    for (const DeliveryId id : ids) newest_first.insert(newest_first.begin(), id.text());
    order.erase(order.begin());
    EXPECT_EQ(order, newest_first);
}

TEST_F(Paced, FourHundredAndTenPausesTheWebhookUntilAPersonResumesIt) {
    Receiver receiver(loop, wheel, answer_with(410));
    auto entry = add(to(receiver));
    const DeliveryId first = send_one(node_event(1));
    until_attempts(first, 1);
    EXPECT_EQ(engine->dispatcher.health(entry->id).state, HealthState::gone);
    EXPECT_THAT(engine->dispatcher.health(entry->id).reason, testing::HasSubstr("410 Gone"));
    const DeliveryId second = send_one(node_event(2));
    receiver.decide = answer_with(200);
    advance(24h);
    advance_steady(24h);
    turn();
    reopen();
    advance(24h);
    turn();
    EXPECT_EQ(receiver.requests.size(), 1U);
    EXPECT_EQ(engine->dispatcher.health(entry->id).state, HealthState::gone);
    EXPECT_EQ(detail(first).delivery.state, DeliveryState::pending);
    EXPECT_EQ(detail(second).delivery.state, DeliveryState::pending);
    update(*engine->catalog.find("hook"));
    until_state(first, DeliveryState::delivered);
    until_state(second, DeliveryState::delivered);
    EXPECT_EQ(engine->dispatcher.health(entry->id).state, HealthState::healthy);
}

}  // namespace
}  // namespace herald::test
