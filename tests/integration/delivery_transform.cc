// Custom webhooks: what a transformation makes is sent, kept for the next attempt, and recorded
// without secrets. The transformation itself is the test's.
#include <gmock/gmock.h>

#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Makes what the test says.
struct Making final : EchoTransform {
    boost::asio::awaitable<Made> apply(const Event& event, const Webhook&) override {
        ++calls;
        MadeRequest now = made;
        if (now.body.empty()) now.body = event.node.id + " call " + std::to_string(calls);
        co_return now;
    }
    [[nodiscard]] std::vector<std::string> secrets(const Webhook&) const override {
        return {"hunter2hunter2"};
    }
    MadeRequest made{"", "text/plain", ""};
    int calls = 0;
};

struct Custom : EngineTest {
    void SetUp() override {
        options.transform = &transform;
        EngineTest::SetUp();
    }
    static Webhook custom(const Receiver& receiver) {
        Webhook webhook = to(receiver);
        webhook.kind = WebhookKind::custom;
        webhook.transformation = "of the test";
        webhook.retry = {.delays = {0s, 5s, 10s}, .jitter = 0};
        return webhook;
    }
    Making transform;
};

TEST_F(Custom, WhatItMadeIsSentSignedWithItsContentType) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(custom(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const ServerRequest& request = receiver.requests.at(0);
    EXPECT_EQ(request.body, "node-1 call 1");
    EXPECT_EQ(request.header("content-type"), "text/plain");
    EXPECT_EQ(verify_request(request, SignatureProfile::infrahub, "a key of a test"),
              Verdict::valid);
}

TEST_F(Custom, WithoutATransformationTheEventsBodyIsSent) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = custom(receiver);
    webhook.transformation.clear();
    add(webhook);
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(0).body, node_event(1).body);
    EXPECT_EQ(transform.calls, 0);
}

TEST_F(Custom, EveryAttemptSendsTheSameBytesAlsoAfterARestart) {
    Receiver receiver(loop, wheel, answer_with(503));
    add(custom(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    advance(6s);
    until_attempts(id, 2);
    reopen();
    receiver.decide = answer_with(200);
    advance(11s);
    until_state(id, DeliveryState::delivered);
    ASSERT_EQ(receiver.requests.size(), 3U);
    for (const ServerRequest& request : receiver.requests) {
        EXPECT_EQ(request.body, "node-1 call 1");
        EXPECT_EQ(request.header("content-type"), "text/plain");
    }
    EXPECT_EQ(transform.calls, 1);
}

TEST_F(Custom, ARedeliveryIsMadeAnew) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(custom(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_state(id, DeliveryState::delivered);
    const Redelivery again{id, Cause::replay, false};
    ASSERT_TRUE(run(engine->committer.redeliver(again)));
    engine->dispatcher.look();
    until([&] { return receiver.requests.size() == 2; }, "the redelivery");
    EXPECT_EQ(receiver.requests[1].body, "node-1 call 2");
}

TEST_F(Custom, ItMayChooseTheUrlAndHeaders) {
    Receiver receiver(loop, wheel, answer_with(200));
    Receiver other(loop, wheel, answer_with(200));
    transform.made = {"x", "text/plain", other.url("/made?token=s"), {{"X-Made", "yes"}}};
    Webhook webhook = custom(receiver);
    webhook.headers = {{"X-Made", "no", false}, {"Content-Type", "text/x", false}};
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_TRUE(receiver.requests.empty());
    ASSERT_EQ(other.requests.size(), 1U);
    EXPECT_EQ(other.requests[0].target, "/made?token=s");
    EXPECT_EQ(other.requests[0].header("x-made"), "yes");
    EXPECT_EQ(other.requests[0].header("content-type"), "text/x") << "the webhook's own stays";
    EXPECT_THAT(found.attempts.at(0).url, HasSubstr("/made?token=***"));
}

TEST_F(Custom, AUrlOrHeaderThatCannotBeIsAConfigFailure) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = custom(receiver);
    webhook.retry = *retry_preset("none");
    add(webhook);
    transform.made = {"x", "text/plain", "ftp://nowhere"};
    DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::failed);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::config);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("URL"));
    transform.made = {"x", "text/plain", "", {{"X-A", "a\r\nX-B: b"}}};
    found = until_state(send_one(node_event(2)), DeliveryState::failed);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::config);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("X-A"));
    transform.made = {"x", "text/plain", "", {{"X-A", "\xc3\xa9"}}};
    found = until_state(send_one(node_event(3)), DeliveryState::failed);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::config);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("visible ASCII"));
    EXPECT_TRUE(receiver.requests.empty());
}

TEST_F(Custom, NoSecretIsRecorded) {
    Receiver receiver(loop, wheel, answer_with(200, "you said hunter2hunter2"));
    transform.made = {"key=hunter2hunter2",
                      "text/plain",
                      receiver.url("/hunter2hunter2"),
                      {{"X-Key", "hunter2hunter2"}}};
    add(custom(receiver));
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(0).header("x-key"), "hunter2hunter2");
    const Attempt& attempt = found.attempts.at(0);
    std::string all = attempt.url + attempt.response_body + attempt.outcome.message;
    for (const auto& [name, value] : attempt.request_headers) all += name + value;
    EXPECT_THAT(all, Not(HasSubstr("hunter2")));
}

TEST_F(Custom, TheMethodEncodingAndLimitAreTheWebhooks) {
    Receiver receiver(loop, wheel, answer_with(200));
    transform.made = {R"({"a":"\u00e9"})", "application/json", ""};
    Webhook webhook = custom(receiver);
    webhook.retry = *retry_preset("none");
    webhook.request = {Method::put, "", Encoding::utf8, 12};
    add(webhook);
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(0).method, "PUT");
    EXPECT_EQ(receiver.requests.at(0).body, "{\"a\":\"é\"}");
    EXPECT_EQ(
        verify_request(receiver.requests.at(0), SignatureProfile::infrahub, "a key of a test"),
        Verdict::valid);
    transform.made.body = R"({"a":"12345"})";
    const DeliveryDetail found = until_state(send_one(node_event(2)), DeliveryState::failed);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::config);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("13 bytes"));
}

TEST_F(Custom, AProfileThatIsTheOnlyOneForABodyIsNotSaidToBeRefusedBeforeItself) {
    Receiver receiver(loop, wheel, answer_with(401));
    Webhook webhook = custom(receiver);
    webhook.retry = *retry_preset("none");
    webhook.signature_profile = SignatureProfile::automatic;
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::failed);
    ASSERT_EQ(receiver.requests.size(), 1U) << "the others write JSON anew, and this is none";
    EXPECT_EQ(found.attempts.at(0).signature_profile, "infrahub");
    EXPECT_TRUE(found.attempts.at(0).refused_profiles.empty());
}

TEST_F(Custom, TheSuccessRuleDecides) {
    Receiver receiver(loop, wheel, answer_with(200, "error: too many"));
    Webhook webhook = custom(receiver);
    webhook.retry = *retry_preset("none");
    webhook.success.body_lacks = "error";
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::failed);
    EXPECT_EQ(found.attempts.at(0).status, 200);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("success rule"));
    receiver.decide = answer_with(200, "fine");
    until_state(send_one(node_event(2)), DeliveryState::delivered);
}

}  // namespace
}  // namespace herald::test
