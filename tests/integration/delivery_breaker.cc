// A receiver that fails for long: what is noticed, what is left alone, what heals by itself.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Breaking : EngineTest {
    struct Change {
        std::string webhook;
        HealthState before;
        HealthState after;
        auto operator<=>(const Change&) const = default;
    };
    void listen() {
        engine->dispatcher.on_health(
            [this](const Webhook& webhook, const Health& before, const Health& after) {
                changes.push_back({webhook.name, before.state, after.state});
            });
        engine->dispatcher.on_exhausted(
            [this](const Webhook& webhook, DeliveryId id, const Event& event, const Attempt& last) {
                exhausted.push_back(webhook.name + " " + event.id.text() + " " +
                                    std::to_string(last.status));
                exhausted_ids.push_back(id);
            });
    }
    void send_many(std::uint64_t first, std::uint64_t count) {
        std::vector<Event> events;
        for (std::uint64_t n = 0; n < count; ++n) events.push_back(node_event(first + n));
        ASSERT_TRUE(send_all(std::move(events)));
    }
    std::vector<Change> changes;
    std::vector<std::string> exhausted;
    std::vector<DeliveryId> exhausted_ids;
};

TEST_F(Breaking, WhoListensHearsOfEveryChangeOfStateAndOfEveryDeliveryGivenUp) {
    Receiver receiver(loop, wheel, answer_with(500));
    listen();
    Webhook webhook = to(receiver);
    webhook.retry = *retry_preset("none");
    const auto entry = add(webhook);
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= BreakerPolicy{}.failures; ++n) {
        EXPECT_TRUE(changes.empty());
        ids.push_back(send_one(node_event(n)));
        until_state(ids.back(), DeliveryState::failed);
    }
    const std::vector<Change> failing{{"hook", HealthState::healthy, HealthState::failing}};
    EXPECT_EQ(changes, failing);
    EXPECT_EQ(exhausted_ids, ids);
    EXPECT_EQ(exhausted.front(), "hook " + node_event(1).id.text() + " 500");
    EXPECT_EQ(engine->dispatcher.health(entry->id).failure_streak, ids.size());

    receiver.decide = answer_with(200);
    until_state(send_one(node_event(99)), DeliveryState::delivered);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1], (Change{"hook", HealthState::failing, HealthState::healthy}));
    EXPECT_EQ(exhausted.size(), ids.size());
}

TEST_F(Breaking, AFailingWebhookIsProbedOneAtATimeWithLongerWaits) {
    Receiver receiver(loop, wheel, answer_with(500));
    Webhook webhook = to(receiver);
    webhook.breaker.failures = 3;
    add(webhook);
    for (std::uint64_t n = 1; n <= 3; ++n) until_attempts(send_one(node_event(n)), 1);
    send_many(10, 100);
    turn();
    EXPECT_EQ(receiver.requests.size(), 3U);
    std::size_t probes = 3;
    for (const auto wait : {1s, 2s, 4s, 8s}) {
        receiver.hold();
        advance(1h);
        advance_steady(wait);
        until([&] { return receiver.waiting() == 1; });
        turn(20ms);
        EXPECT_EQ(receiver.requests.size(), ++probes);
        receiver.release();
        until([&] { return engine->dispatcher.open() == 0; });
        // Not before the next wait is over, whatever the wall clock says.
        advance(1h);
        turn(20ms);
        EXPECT_EQ(receiver.requests.size(), probes);
    }
    EXPECT_EQ(receiver.most_waiting(), 1U);
}

TEST_F(Breaking, ItClosesByItselfAndWhatWaitedIsSent) {
    Receiver receiver(loop, wheel, answer_with(500));
    Webhook webhook = to(receiver);
    webhook.breaker.failures = 3;
    const auto entry = add(webhook);
    for (std::uint64_t n = 1; n <= 3; ++n) until_attempts(send_one(node_event(n)), 1);
    send_many(10, 50);
    receiver.decide = answer_with(200);
    advance_steady(1s);
    advance(1h);
    until([&] { return engine->reader->stats()->pending == 0; });
    EXPECT_EQ(receiver.requests.size(), 3U + 53U);
    EXPECT_EQ(engine->dispatcher.health(entry->id).state, HealthState::healthy);
}

TEST_F(Breaking, FiveDaysOfFailureDisableAWebhookAndAPersonResumesIt) {
    Receiver receiver(loop, wheel, answer_with(500));
    Webhook webhook = to(receiver);
    webhook.breaker.failures = 3;
    webhook.retry.delays.assign(20, 1h);
    webhook.retry.delays[0] = 0s;
    webhook = *add(webhook);
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    for (std::uint32_t day = 1; day <= 5; ++day) {
        EXPECT_NE(engine->dispatcher.health(webhook.id).state, HealthState::disabled);
        // What was measured is not lost by a stop.
        if (day == 3) reopen();
        listen();
        advance(24h);
        advance_steady(10min);
        until_attempts(id, day + 1);
    }
    const Health disabled = engine->dispatcher.health(webhook.id);
    EXPECT_EQ(disabled.state, HealthState::disabled);
    EXPECT_EQ(disabled.reason,
              "nothing has succeeded in 120 h: The receiver answered 500 Internal Server Error.");
    EXPECT_EQ(disabled.since, clock.now());
    EXPECT_EQ(changes.back().after, HealthState::disabled);

    const DeliveryId waits = send_one(node_event(2));
    receiver.decide = answer_with(200);
    reopen();
    listen();
    advance(24h);
    advance_steady(24h);
    turn();
    EXPECT_EQ(detail(waits).delivery.attempts, 0U);
    EXPECT_EQ(receiver.requests.size(), 6U);
    EXPECT_EQ(engine->dispatcher.health(webhook.id), disabled);

    update(*engine->catalog.find("hook"));
    until_state(id, DeliveryState::delivered);
    until_state(waits, DeliveryState::delivered);
    EXPECT_EQ(changes.back(), (Change{"hook", HealthState::failing, HealthState::healthy}));
}

TEST_F(Breaking, HealthOutlivesTheProcess) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto entry = add(to(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const Health before = engine->dispatcher.health(entry->id);
    EXPECT_EQ(before.last_success, clock.now());
    reopen();
    EXPECT_EQ(engine->dispatcher.health(entry->id), before);
}

TEST_F(Breaking, AChangeOfTheWebhookProbesAtOnce) {
    Receiver receiver(loop, wheel, answer_with(500));
    Receiver fixed(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.breaker.failures = 1;
    webhook = *add(webhook);
    until_attempts(send_one(node_event(1)), 1);
    const DeliveryId waits = send_one(node_event(2));
    turn();
    EXPECT_EQ(detail(waits).delivery.attempts, 0U);
    webhook.url = fixed.url();
    update(webhook);
    until_state(waits, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

}  // namespace
}  // namespace herald::test
