// When a failed delivery is tried again, and what each attempt carries.
#include <gmock/gmock.h>

#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Retrying : EngineTest {
    /// Lets the delivery fail once more and gives the wait until the next attempt.
    Duration wait_after(DeliveryId id, std::uint32_t attempts) {
        const DeliveryDetail found = until_attempts(id, attempts);
        EXPECT_EQ(found.delivery.state, DeliveryState::pending);
        return found.delivery.due_at - clock.now();
    }
};

TEST_F(Retrying, FollowsThePolicyWithinItsJitter) {
    Receiver receiver(loop, wheel, answer_with(503));
    Webhook webhook = to(receiver);
    webhook.retry = {.delays = {0s, 5s, 5min, 30min}, .jitter = 0.2};
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    const std::vector<Duration> delays{5s, 5min, 30min};
    for (std::uint32_t made = 1; made <= 3; ++made) {
        const Duration delay = delays[made - 1];
        const Duration wait = wait_after(id, made);
        EXPECT_GE(wait, delay * 8 / 10);
        EXPECT_LE(wait, delay * 12 / 10);
        // Not a moment before it is due.
        advance(wait - 1us);
        turn(20ms);
        EXPECT_EQ(receiver.requests.size(), made);
        advance(1us);
    }
    const DeliveryDetail found = until_state(id, DeliveryState::failed);
    EXPECT_EQ(found.attempts.size(), 4U);
    EXPECT_EQ(found.delivery.attempts, 4U);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_server_error);
    advance(24h);
    turn(20ms);
    EXPECT_EQ(receiver.requests.size(), 4U) << "a failed delivery is not tried again";
}

TEST_F(Retrying, EveryRequestSaysItsCauseAndItsAttempt) {
    Receiver receiver(loop, wheel, answer_with(503));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    reopen();  // the next one is claimed from the store, which knows the cause
    advance(6s);
    const DeliveryDetail found = until_attempts(id, 2);
    ASSERT_EQ(receiver.requests.size(), 2U);
    EXPECT_EQ(receiver.requests[0].header("webhook-attempt"), "1");
    EXPECT_EQ(receiver.requests[1].header("webhook-attempt"), "2");
    for (const ServerRequest& request : receiver.requests) {
        EXPECT_EQ(request.header("webhook-cause"), "event");
    }
    using testing::Contains;
    using testing::Pair;
    EXPECT_THAT(found.attempts.at(1).request_headers, Contains(Pair("webhook-attempt", "2")));
}

TEST_F(Retrying, AClassThatIsNotListedEndsTheDelivery) {
    Receiver receiver(loop, wheel, answer_with(404));
    Webhook webhook = to(receiver);
    webhook.retry_on = {FailureClass::http_server_error};
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::failed);
    EXPECT_EQ(found.attempts.size(), 1U);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_client_error);
}

TEST_F(Retrying, AReceiverThatAsksForLaterGetsItLaterWhateverTheClasses) {
    for (const int status : {429, 410, 503}) {
        Receiver receiver(loop, wheel, [status](const ServerRequest&) {
            ServerAnswer answer;
            answer.status = status;
            answer.headers = {{"Retry-After", "60"}};
            return answer;
        });
        Webhook webhook = to(receiver, "asks " + std::to_string(status));
        webhook.retry_on = {FailureClass::timeout};
        const auto entry = add(webhook);
        const DeliveryId id = send_one(node_event(static_cast<std::uint64_t>(status)));
        EXPECT_EQ(until_attempts(id, 1).delivery.state, DeliveryState::pending) << status;
        remove(entry->id);
    }
}

TEST_F(Retrying, DefaultIsTheScheduleOfStandardWebhooks) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    const std::vector<Duration> delays{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
    for (std::uint32_t made = 1; made <= delays.size(); ++made) {
        const Duration wait = wait_after(id, made);
        EXPECT_GE(wait, delays[made - 1] * 9 / 10);
        EXPECT_LE(wait, delays[made - 1] * 11 / 10);
        advance(wait);
    }
    EXPECT_EQ(until_state(id, DeliveryState::failed).attempts.size(), 10U);
}

TEST_F(Retrying, PresetInfrahubIsFourAttemptsTwoMinutesApart) {
    Receiver receiver(loop, wheel, answer_with(404));
    Webhook webhook = to(receiver);
    webhook.retry = *retry_preset("infrahub");
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    for (std::uint32_t made = 1; made <= 3; ++made) {
        EXPECT_EQ(wait_after(id, made), 120s);
        advance(120s);
    }
    EXPECT_EQ(until_state(id, DeliveryState::failed).attempts.size(), 4U);
}

TEST_F(Retrying, EveryAttemptHasTheSameIdAndItsOwnTimestamp) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    advance(wait_after(id, 1));
    const Time second = clock.now();
    until_attempts(id, 2);
    receiver.decide = answer_with(200);
    advance(detail(id).delivery.due_at - clock.now());
    const Time third = clock.now();
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);

    ASSERT_EQ(receiver.requests.size(), 3U);
    const Time starts[] = {noon, second, third};
    for (std::size_t i = 0; i < 3; ++i) {
        const ServerRequest& request = receiver.requests[i];
        EXPECT_EQ(request.header("webhook-id"), id.text());
        EXPECT_EQ(request.header("webhook-timestamp"),
                  std::to_string(to_micros(starts[i]) / 1'000'000));
        EXPECT_EQ(verify_request(request, SignatureProfile::infrahub, "a key of a test"),
                  Verdict::valid);
        EXPECT_EQ(request.body, receiver.requests[0].body);
        EXPECT_EQ(found.attempts.at(i).number, i + 1);
        EXPECT_EQ(found.attempts.at(i).started_at, starts[i]);
    }
    EXPECT_NE(receiver.requests[0].header("webhook-timestamp"),
              receiver.requests[1].header("webhook-timestamp"));
    EXPECT_EQ(found.attempts.at(0).status, 500);
    EXPECT_EQ(found.attempts.at(2).status, 200);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::none);
}

TEST_F(Retrying, AReceiverThatWasAwayGetsEverythingWhenItIsBack) {
    const std::uint16_t port = closed_port();
    Webhook webhook = make_webhook("away");
    webhook.url = "http://127.0.0.1:" + std::to_string(port) + "/hook";
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.breaker.failures = 0;
    add(webhook);
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 20; ++n) ids.push_back(send_one(node_event(n)));
    for (const DeliveryId id : ids) {
        EXPECT_EQ(until_attempts(id, 1).delivery.last_failure, FailureClass::connection);
    }
    Receiver receiver(loop, wheel, answer_with(200), port);
    advance(6s);
    for (const DeliveryId id : ids) {
        EXPECT_EQ(until_state(id, DeliveryState::delivered).delivery.attempts, 2U);
    }
    EXPECT_EQ(receiver.requests.size(), 20U);
}

TEST_F(Retrying, RetriesSurviveARestart) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    const Duration wait = wait_after(id, 1);
    reopen();
    turn(20ms);
    EXPECT_EQ(receiver.requests.size(), 1U) << "it is not due yet";
    EXPECT_EQ(detail(id).delivery.due_at, clock.now() + wait);
    receiver.decide = answer_with(200);
    advance(wait);
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(found.attempts.size(), 2U);
    EXPECT_EQ(receiver.requests.at(1).header("webhook-id"), id.text());
}

}  // namespace
}  // namespace herald::test
