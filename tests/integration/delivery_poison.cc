// Events that can never be delivered: they end as failed, say why, and hold up nobody.
#include <gmock/gmock.h>

#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Cannot make a body of events about this node, ever.
struct Choking final : EchoTransform {
    boost::asio::awaitable<Made> apply(const Event& event, const Webhook&) override {
        ++calls;
        if (event.node.id == "node-13") {
            co_return std::unexpected(
                TransformFault{FailureClass::transform, "no attribute 'site'", 3});
        }
        co_return MadeRequest{event.body, "application/json", ""};
    }
    int calls = 0;
};

struct Poison : EngineTest {
    void SetUp() override {
        options.transform = &transform;
        EngineTest::SetUp();
    }
    Choking transform;
};

TEST_F(Poison, ATransformThatAlwaysFailsEndsAsFailedWithItsReasonAndBlocksNothing) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.kind = WebhookKind::custom;
    webhook.transformation = "choking";
    webhook.retry = {.delays = {0s, 5s, 10s}, .jitter = 0};
    add(webhook);
    const DeliveryId poison = send_one(node_event(13));
    DeliveryDetail found = until_attempts(poison, 1);
    EXPECT_EQ(found.delivery.state, DeliveryState::pending);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::transform);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("no attribute 'site'"));
    until_state(send_one(node_event(14)), DeliveryState::delivered);
    advance(6s);
    until_attempts(poison, 2);
    until_state(send_one(node_event(15)), DeliveryState::delivered);
    advance(11s);
    found = until_state(poison, DeliveryState::failed);
    EXPECT_EQ(found.attempts.size(), 3U);
    EXPECT_THAT(found.attempts.at(2).outcome.message, HasSubstr("no attribute 'site'"));
    advance(24h);
    turn();
    EXPECT_EQ(transform.calls, 5) << "it is left alone then";
    EXPECT_EQ(receiver.requests.size(), 2U);
    EXPECT_EQ(engine->dispatcher.open(), 0U);
}

TEST_F(Poison, ManyOfThemSayNothingOfTheReceiverAndHoldUpNobody) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.kind = WebhookKind::custom;
    webhook.transformation = "choking";
    webhook.breaker = {.failures = 2, .disable_after = 1h};
    const auto entry = add(webhook);
    for (std::uint64_t n = 100; n < 140; ++n) {
        Event poison = node_event(n);
        poison.node.id = "node-13";
        until_attempts(send_one(std::move(poison)), 1);
        advance(1h);
    }
    EXPECT_EQ(engine->dispatcher.health(entry->id).state, HealthState::healthy);
    until_state(send_one(node_event(14)), DeliveryState::delivered);
}

TEST_F(Poison, WhatAProcessLeftHalfWayIsTriedAgainNoMoreOftenThanItsPolicySays) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.kind = WebhookKind::custom;
    webhook.transformation = "choking";
    webhook.retry = {.delays = {0s, 5s}, .jitter = 0};
    add(webhook);
    const DeliveryId poison = send_one(node_event(13));
    until_attempts(poison, 1);
    reopen();
    advance(6s);
    EXPECT_EQ(until_state(poison, DeliveryState::failed).attempts.size(), 2U);
    reopen();
    advance(24h);
    turn();
    EXPECT_EQ(transform.calls, 2);
}

/// Bodies that no decoder makes, but that a store may hold.
const std::vector<std::string>& odd_bodies() {
    static const std::vector<std::string> bodies = {
        "",
        "null",
        "{",
        "\"",
        "[1,2",
        "{\"a\":}",
        "not JSON at all",
        std::string("{\"a\":\"\0\"}", 9),
        "{\"a\":\"\xFF\xFE\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\",
        std::string(100'000, '['),
        "{\"a\":" + std::string(10'000, '9') + "}",
        "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}"};
    return bodies;
}

TEST_F(Poison, AnEventWithAnOddBodyIsSentOrFailsAndTheNextOneArrives) {
    Receiver receiver(loop, wheel, answer_with(200));
    std::uint64_t n = 100;
    for (const auto profile : {SignatureProfile::infrahub, SignatureProfile::spaced,
                               SignatureProfile::repr, SignatureProfile::standard}) {
        Webhook webhook = to(receiver, std::string(to_text(profile)));
        webhook.signature_profile = profile;
        webhook.shared_key = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
        webhook.retry = *retry_preset("none");
        const auto entry = add(webhook);
        for (const std::string& body : odd_bodies()) {
            Event event = node_event(++n);
            event.body = body;
            const DeliveryId id = send_one(std::move(event));
            const auto over = [&] { return is_final(detail(id).delivery.state); };
            until(over, "the end of an odd delivery");
            const DeliveryDetail found = detail(id);
            if (found.delivery.state == DeliveryState::failed) {
                EXPECT_FALSE(found.attempts.at(0).outcome.message.empty());
            } else if (profile == SignatureProfile::infrahub) {
                EXPECT_EQ(receiver.requests.back().body, body) << "byte for byte";
            }
        }
        until_state(send_one(node_event(++n)), DeliveryState::delivered);
        remove(entry->id);
    }
}

}  // namespace
}  // namespace herald::test
