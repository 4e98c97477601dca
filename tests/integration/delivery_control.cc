// What people do to webhooks and deliveries while events are on their way.
#include <gmock/gmock.h>

#include "core/window.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Controlling : EngineTest {
    Result<bool> cancel(DeliveryId id) { return run(engine->dispatcher.cancel(id)); }
    StoredRedelivery redeliver(DeliveryId id) {
        auto repeated = run(engine->committer.redeliver({id, Cause::retry, false}));
        EXPECT_TRUE(repeated);
        engine->dispatcher.look();
        return std::move(*repeated);
    }
};

TEST_F(Controlling, AChangeTakesEffectForTheNextAttempt) {
    Receiver old_receiver(loop, wheel, answer_with(500));
    Receiver new_receiver(loop, wheel, answer_with(200));
    add(to(old_receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    Webhook webhook = *engine->catalog.find("hook");
    webhook.url = new_receiver.url("/new");
    webhook.shared_key = "the new key";
    webhook.headers = {{"X-New", "yes"}};
    update(webhook);
    advance(6s);
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(old_receiver.requests.size(), 1U);
    ASSERT_EQ(new_receiver.requests.size(), 1U);
    const ServerRequest& request = new_receiver.requests[0];
    EXPECT_EQ(request.path, "/new");
    EXPECT_EQ(request.header("x-new"), "yes");
    EXPECT_EQ(request.header("webhook-id"), id.text());
    EXPECT_EQ(verify_request(request, SignatureProfile::infrahub, "the new key"), Verdict::valid);
    EXPECT_EQ(found.attempts.at(0).url, old_receiver.url());
    EXPECT_EQ(found.attempts.at(1).url, new_receiver.url("/new"));
}

TEST_F(Controlling, AChangedPolicyCountsFromTheNextFailure) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    Webhook webhook = *engine->catalog.find("hook");
    webhook.retry = {.delays = {0s, 0s}, .jitter = 0};
    update(webhook);
    advance(6s);
    EXPECT_EQ(until_state(id, DeliveryState::failed).delivery.attempts, 2U);
}

TEST_F(Controlling, APausedWebhookKeepsWhatIsPendingAndSendsItWhenResumed) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto entry = add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    Webhook webhook = *entry;
    webhook.active = false;
    update(webhook);
    advance(1h);
    turn();
    EXPECT_EQ(receiver.requests.size(), 1U);
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::pending);
    EXPECT_TRUE(send(node_event(2)).deliveries.empty()) << "a paused webhook wants no events";

    receiver.decide = answer_with(200);
    webhook.active = true;
    update(webhook);
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(found.attempts.size(), 2U);
    EXPECT_EQ(receiver.requests.at(1).header("webhook-id"), id.text());
}

TEST_F(Controlling, WhatWaitsInALaneOfAWebhookThatIsPausedGoesBackToTheStore) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    const auto entry = add(to(receiver));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= Window::start + 3; ++n) {
        ids.push_back(send_one(node_event(n)));
    }
    until([&] { return receiver.waiting() == Window::start; });
    Webhook webhook = *entry;
    webhook.active = false;
    update(webhook);
    receiver.release();
    until([&] { return engine->dispatcher.open() == 0; });
    EXPECT_EQ(receiver.requests.size(), Window::start);
    EXPECT_EQ(detail(ids.back()).delivery.state, DeliveryState::pending);
    webhook.active = true;
    update(webhook);
    for (const DeliveryId id : ids) {
        EXPECT_EQ(until_state(id, DeliveryState::delivered).delivery.attempts, 1U);
    }
}

TEST_F(Controlling, ARemovedWebhookCancelsWhatIsPending) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto entry = add(to(receiver));
    const DeliveryId first = send_one(node_event(1));
    const DeliveryId second = send_one(node_event(2));
    until_attempts(first, 1);
    until_attempts(second, 1);
    remove(entry->id);
    EXPECT_EQ(until_state(first, DeliveryState::cancelled).attempts.size(), 1U);
    until_state(second, DeliveryState::cancelled);
    advance(1h);
    turn();
    EXPECT_EQ(receiver.requests.size(), 2U);
    EXPECT_TRUE(send(node_event(3)).deliveries.empty());
}

TEST_F(Controlling, WhatWaitsInALaneOfAWebhookThatIsRemovedIsCancelled) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    const auto entry = add(to(receiver));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= Window::start + 1; ++n) {
        ids.push_back(send_one(node_event(n)));
    }
    until([&] { return receiver.waiting() == Window::start; });
    remove(entry->id);
    receiver.release();
    until_state(ids.back(), DeliveryState::cancelled);
    until_state(ids.front(), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), Window::start);
}

TEST_F(Controlling, ACancelledDeliveryIsNotTriedAgain) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    EXPECT_EQ(cancel(id), Result<bool>(true));
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::cancelled);
    EXPECT_EQ(cancel(id), Result<bool>(false)) << "it is final";
    advance(1h);
    turn();
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Controlling, ADeliveryCancelledInFlightStaysCancelledAndItsAttemptIsRecorded) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    EXPECT_TRUE(engine->dispatcher.in_flight(id));
    EXPECT_EQ(cancel(id), Result<bool>(true));
    receiver.release();
    until([&] { return engine->dispatcher.open() == 0; });
    // The next commit carries the outcome, if anything does.
    until_state(send_one(node_event(2)), DeliveryState::delivered);
    const DeliveryDetail found = detail(id);
    EXPECT_EQ(found.delivery.state, DeliveryState::cancelled);
    EXPECT_EQ(found.delivery.attempts, 1U);
    ASSERT_EQ(found.attempts.size(), 1U);
    EXPECT_EQ(found.attempts[0].status, 200);
    EXPECT_FALSE(engine->dispatcher.in_flight(id));
}

TEST_F(Controlling, ADeliveryCancelledWhileItWaitsInItsLaneIsNotSent) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= Window::start + 2; ++n) {
        ids.push_back(send_one(node_event(n)));
    }
    until([&] { return receiver.waiting() == Window::start; });
    const DeliveryId waits = ids[ids.size() - 2];
    EXPECT_EQ(cancel(waits), Result<bool>(true));
    receiver.release();
    until_state(ids.back(), DeliveryState::delivered);
    until([&] { return engine->dispatcher.open() == 0; });
    EXPECT_EQ(detail(waits).delivery.state, DeliveryState::cancelled);
    EXPECT_EQ(receiver.requests.size(), Window::start + 1);
    for (const ServerRequest& request : receiver.requests) {
        EXPECT_NE(request.header("webhook-id"), waits.text());
    }
}

TEST_F(Controlling, ARedeliveryIsNewAndUsesTheWebhookAsItIsNow) {
    Receiver receiver(loop, wheel, answer_with(500));
    Webhook webhook = to(receiver);
    webhook.retry = *retry_preset("none");
    webhook = *add(webhook);
    const DeliveryId id = send_one(node_event(1));
    until_state(id, DeliveryState::failed);
    Receiver fixed(loop, wheel, answer_with(200));
    webhook.url = fixed.url("/fixed");
    update(webhook);

    const StoredRedelivery repeated = redeliver(id);
    ASSERT_TRUE(repeated.id);
    EXPECT_NE(*repeated.id, id);
    const DeliveryDetail found = until_state(*repeated.id, DeliveryState::delivered);
    EXPECT_EQ(found.delivery.cause, Cause::retry);
    EXPECT_EQ(found.delivery.redelivers, id);
    EXPECT_EQ(found.attempts.size(), 1U);
    ASSERT_EQ(fixed.requests.size(), 1U);
    EXPECT_EQ(fixed.requests[0].path, "/fixed");
    EXPECT_EQ(fixed.requests[0].header("webhook-id"), repeated.id->text());
    EXPECT_EQ(fixed.requests[0].header("webhook-cause"), "retry");
    EXPECT_EQ(fixed.requests[0].header("webhook-attempt"), "1");
    EXPECT_EQ(fixed.requests[0].body, receiver.requests.at(0).body);
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::failed) << "the old one stays";
}

TEST_F(Controlling, ADeliveryThatNeverWasCannotBeRepeatedOrCancelled) {
    EXPECT_EQ(redeliver({77, 1}).id, std::nullopt);
    EXPECT_EQ(cancel({77, 1}), Result<bool>(false));
}

}  // namespace
}  // namespace herald::test
