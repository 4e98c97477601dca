// Signature negotiation: webhooks with `auto` and receivers of every sort.
#include <gmock/gmock.h>

#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string text_key = "my-webhook-secret";
const std::string whsec_key = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";

struct Negotiating : EngineTest {
    Webhook with_key(const Receiver& receiver, const std::string& key = text_key) {
        Webhook webhook = to(receiver);
        webhook.shared_key = key;
        return webhook;
    }
    std::optional<SignatureProfile> accepted() {
        return engine->catalog.find("hook")->accepted_profile;
    }

    std::vector<std::string> refused(const Attempt& attempt) {
        std::vector<std::string> names;
        names.reserve(attempt.refused_profiles.size());
        for (const auto& [profile, status] : attempt.refused_profiles) {
            names.push_back(profile + " " + std::to_string(status));
        }
        return names;
    }
};

TEST_F(Negotiating, TheProfileThatTheReceiverAcceptsIsFoundWithinOneAttempt) {
    struct Case {
        SignatureProfile profile;
        std::string key;
        std::size_t requests;
    };
    const Case cases[] = {
        {SignatureProfile::infrahub, text_key, 1},  {SignatureProfile::repr, text_key, 2},
        {SignatureProfile::spaced, text_key, 3},    {SignatureProfile::standard, whsec_key, 1},
        {SignatureProfile::infrahub, whsec_key, 2}, {SignatureProfile::repr, whsec_key, 3},
        {SignatureProfile::spaced, whsec_key, 4},
    };
    std::uint64_t n = 0;
    for (const auto& [profile, key, requests] : cases) {
        for (const int refusal : {400, 401, 403}) {
            Receiver receiver(loop, wheel, accept_only(profile, key, refusal));
            const auto entry = add(with_key(receiver, key));
            const DeliveryId id = send_one(node_event(++n));
            const DeliveryDetail found = until_state(id, DeliveryState::delivered);
            EXPECT_EQ(found.delivery.attempts, 1U);
            EXPECT_EQ(receiver.requests.size(), requests) << to_text(profile);
            const Attempt& attempt = found.attempts.at(0);
            EXPECT_EQ(attempt.signature_profile, to_text(profile));
            EXPECT_EQ(attempt.refused_profiles.size(), requests - 1);
            for (const auto& one : attempt.refused_profiles) EXPECT_EQ(one.status, refusal);
            for (const ServerRequest& request : receiver.requests) {
                EXPECT_EQ(request.header("webhook-id"), id.text());
            }
            EXPECT_EQ(accepted(), profile);
            remove(entry->id);
        }
    }
}

TEST_F(Negotiating, TheAcceptedProfileIsRememberedAlsoAfterARestart) {
    Receiver receiver(loop, wheel, accept_only(SignatureProfile::repr, text_key));
    add(with_key(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 2U);
    until_state(send_one(node_event(2)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 3U);
    reopen();
    EXPECT_EQ(accepted(), SignatureProfile::repr);
    const DeliveryId id = send_one(node_event(3));
    EXPECT_TRUE(until_state(id, DeliveryState::delivered).attempts.at(0).refused_profiles.empty());
    EXPECT_EQ(receiver.requests.size(), 4U);
}

TEST_F(Negotiating, ARefusalOfTheAcceptedProfileIsAnOrdinaryFailure) {
    Receiver receiver(loop, wheel, accept_only(SignatureProfile::repr, text_key));
    add(with_key(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    receiver.decide = answer_with(401);
    const DeliveryDetail found = until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(found.delivery.state, DeliveryState::pending);
    EXPECT_EQ(receiver.requests.size(), 3U);
    EXPECT_EQ(accepted(), SignatureProfile::repr);
}

TEST_F(Negotiating, ANewKeyOrUrlForgetsWhatWasAcceptedAndOtherChangesDoNot) {
    Receiver receiver(loop, wheel, accept_only(SignatureProfile::spaced, text_key));
    add(with_key(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    ASSERT_EQ(accepted(), SignatureProfile::spaced);

    Webhook webhook = *engine->catalog.find("hook");
    webhook.description = "another";
    webhook.timeout = 5s;
    update(webhook);
    EXPECT_EQ(accepted(), SignatureProfile::spaced);

    webhook.url = receiver.url("/elsewhere");
    update(webhook);
    EXPECT_EQ(accepted(), std::nullopt);
    until_state(send_one(node_event(2)), DeliveryState::delivered);
    EXPECT_EQ(accepted(), SignatureProfile::spaced);

    receiver.decide = accept_only(SignatureProfile::repr, "another key");
    webhook.shared_key = "another key";
    update(webhook);
    EXPECT_EQ(accepted(), std::nullopt);
    until_state(send_one(node_event(3)), DeliveryState::delivered);
    EXPECT_EQ(accepted(), SignatureProfile::repr);
}

TEST_F(Negotiating, AReceiverThatRefusesAllIsNotProbedAtEveryRetry) {
    Receiver receiver(loop, wheel, answer_with(403));
    Webhook webhook = with_key(receiver);
    webhook.retry = {.delays = {0s, 1s, 1s, 1s, 1s}, .jitter = 0};
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    DeliveryDetail found = until_attempts(id, 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_client_error);
    EXPECT_EQ(found.attempts.at(0).signature_profile, "infrahub-spaced");
    EXPECT_THAT(refused(found.attempts.at(0)), ElementsAre("infrahub 403", "infrahub-repr 403"));
    EXPECT_EQ(receiver.requests.size(), 3U);

    advance(1s);
    found = until_attempts(id, 2);
    EXPECT_EQ(receiver.requests.size(), 4U);
    EXPECT_EQ(found.attempts.at(1).signature_profile, "infrahub");
    until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(receiver.requests.size(), 5U) << "nor for another delivery";

    engine->sender_clock.move(1h);
    advance(1s);
    until_attempts(id, 3);
    until([&] { return receiver.requests.size() >= 8; }, "the profiles are tried again later");
}

TEST_F(Negotiating, AChangeOfTheWebhookProbesAgain) {
    Receiver receiver(loop, wheel, answer_with(401));
    Webhook webhook = with_key(receiver);
    webhook.retry = {.delays = {0s, 1s, 1s}, .jitter = 0};
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    receiver.decide = accept_only(SignatureProfile::repr, "the right key");
    webhook = *engine->catalog.find("hook");
    webhook.shared_key = "the right key";
    update(webhook);
    advance(1s);
    EXPECT_EQ(until_state(id, DeliveryState::delivered).attempts.at(1).signature_profile,
              "infrahub-repr");
}

TEST_F(Negotiating, OtherFailuresDoNotNegotiate) {
    std::uint64_t n = 0;
    for (const int status : {301, 402, 404, 408, 422, 429, 500, 503}) {
        Receiver receiver(loop, wheel, answer_with(status));
        const auto entry = add(with_key(receiver));
        const DeliveryDetail found = until_attempts(send_one(node_event(++n)), 1);
        EXPECT_EQ(receiver.requests.size(), 1U) << status;
        EXPECT_TRUE(found.attempts.at(0).refused_profiles.empty());
        EXPECT_EQ(accepted(), std::nullopt);
        remove(entry->id);
    }
}

TEST_F(Negotiating, ATimeoutOrAClosedConnectionDoesNotNegotiate) {
    const RawReceiver silent({{read_request(), hold_open()}});
    const RawReceiver closing({{read_request(), close_now()}});
    Webhook webhook = make_webhook("silent");
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.url = silent.url();
    webhook.timeout = 1s;
    add(webhook);
    webhook.name = "closing";
    webhook.url = closing.url();
    add(webhook);
    const Submitted sent = send(node_event(1));
    EXPECT_EQ(until_attempts(sent.deliveries.at(0), 1).delivery.last_failure,
              FailureClass::timeout);
    EXPECT_EQ(until_attempts(sent.deliveries.at(1), 1).delivery.last_failure,
              FailureClass::connection);
    EXPECT_EQ(silent.requests().size(), 1U);
    EXPECT_EQ(closing.requests().size(), 1U);
}

TEST_F(Negotiating, AProfileThatWasChosenIsTheOnlyOne) {
    Receiver receiver(loop, wheel, accept_only(SignatureProfile::repr, text_key));
    Webhook webhook = with_key(receiver);
    webhook.signature_profile = SignatureProfile::infrahub;
    add(webhook);
    const DeliveryDetail found = until_attempts(send_one(node_event(1)), 1);
    EXPECT_EQ(found.delivery.state, DeliveryState::pending);
    EXPECT_EQ(receiver.requests.size(), 1U);
    EXPECT_TRUE(found.attempts.at(0).refused_profiles.empty());
}

}  // namespace
}  // namespace herald::test
