// Whole deliveries over TLS, to receivers with good and bad certificates.
#include <gmock/gmock.h>

#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using testing::HasSubstr;

struct OverTls : EngineTest {
    void SetUp() override {
        options.ca_bundle = certificates() + "/ca.pem";
        open();
    }
    /// The first attempt to a receiver with that certificate.
    Attempt attempt_to(const std::string& name, bool validate, const std::string& host) {
        const RawReceiver receiver({always(an_answer(200, "ok"))}, certificate(name));
        Webhook webhook = make_webhook("hook");
        webhook.filter.branch_scope = BranchScope::all_branches;
        webhook.url = "https://" + host + ":" + std::to_string(receiver.port()) + "/hook";
        webhook.validate_certificates = validate;
        const auto entry = add(webhook);
        const Attempt attempt = until_attempts(send_one(node_event(++events_)), 1).attempts.at(0);
        EXPECT_EQ(receiver.requests().size(), attempt.outcome.ok() ? 1U : 0U);
        remove(entry->id);
        return attempt;
    }

private:
    std::uint64_t events_ = 0;
};

TEST_F(OverTls, ACertificateOfAKnownAuthorityIsGood) {
    for (const std::string host : {"127.0.0.1", "localhost"}) {
        for (const bool validate : {true, false}) {
            const Attempt attempt = attempt_to("valid", validate, host);
            EXPECT_TRUE(attempt.outcome.ok()) << attempt.outcome.message;
            EXPECT_EQ(attempt.response_body, "ok");
        }
    }
}

TEST_F(OverTls, BadCertificatesFailWithTheReasonUnlessTheyAreNotValidated) {
    struct Case {
        std::string name;
        std::string host;
        std::string reason;
    };
    const Case cases[] = {
        {"expired", "127.0.0.1", "certificate has expired"},
        {"expired", "localhost", "certificate has expired"},
        {"self-signed", "127.0.0.1", "self-signed certificate"},
        {"wrong-name", "127.0.0.1", "IP address mismatch"},
        {"wrong-name", "localhost", "host name mismatch"},
    };
    for (const auto& [name, host, reason] : cases) {
        const Attempt refused = attempt_to(name, true, host);
        EXPECT_EQ(refused.outcome.failure, FailureClass::tls) << name;
        EXPECT_THAT(refused.outcome.message, HasSubstr(reason));
        EXPECT_EQ(refused.status, 0);
        const Attempt taken = attempt_to(name, false, host);
        EXPECT_TRUE(taken.outcome.ok()) << name << ": " << taken.outcome.message;
    }
}

TEST_F(OverTls, AReceiverThatSpeaksNoTlsIsATlsFailure) {
    const RawReceiver receiver({{send_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"), close_now()}});
    Webhook webhook = make_webhook("hook");
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.url = "https://127.0.0.1:" + std::to_string(receiver.port());
    add(webhook);
    const Attempt attempt = until_attempts(send_one(node_event(1)), 1).attempts.at(0);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::tls) << attempt.outcome.message;
}

TEST_F(OverTls, TurningValidationOffTakesEffectForTheNextAttempt) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("self-signed"));
    Webhook webhook = make_webhook("hook");
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.url = receiver.url();
    webhook = *add(webhook);
    const DeliveryId id = send_one(node_event(1));
    EXPECT_EQ(until_attempts(id, 1).delivery.last_failure, FailureClass::tls);
    webhook.validate_certificates = false;
    webhook = *update(webhook);
    advance(std::chrono::seconds{6});
    until_state(id, DeliveryState::delivered);

    // And on again: the connection that was not verified may not be used.
    webhook.validate_certificates = true;
    update(webhook);
    const DeliveryDetail found = until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::tls);
    EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST_F(OverTls, AWebhookShowsItsCertificateAndTrustsItsAuthority) {
    ReceiverTls tls = certificate("other-valid");
    tls.client_ca = certificates() + "/ca.pem";
    const RawReceiver receiver({always(an_answer(200))}, tls);
    Webhook webhook = make_webhook("hook");
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.url = receiver.url("/hook");
    environment["KEY_OF_TEST"] = pem_text("client.key");
    webhook.tls = {.ca = pem_text("other-ca.pem"),
                   .certificate = pem_text("client-chain.pem"),
                   .key = "env:KEY_OF_TEST"};
    add(webhook);
    until_attempts(send_one(node_event(1)), 1);
    const Attempt attempt = until_attempts(send_one(node_event(2)), 1).attempts.at(0);
    EXPECT_TRUE(attempt.outcome.ok()) << attempt.outcome.message;
    EXPECT_EQ(receiver.client_name(), "client");
    EXPECT_EQ(receiver.connections(), 1U) << "one connection for both: the context is kept";
}

TEST_F(OverTls, AWebhookGoesThroughItsProxyAndNobodySeesThePassword) {
    const RawReceiver proxy(
        {{read_head(), send_bytes("HTTP/1.1 200 OK\r\n\r\n"), begin_tls("wrong-name"),
          read_request(), send_bytes(an_answer(200, "you are me:sesame")), hold_open()}});
    Webhook webhook = make_webhook("hook");
    webhook.filter.branch_scope = BranchScope::all_branches;
    webhook.url = "https://other.example/hook";
    environment["PASSWORD_OF_TEST"] = "sesame";
    webhook.proxy = {.url = proxy.url(""), .user = "me", .password = "env:PASSWORD_OF_TEST"};
    add(webhook);
    const Attempt attempt = until_attempts(send_one(node_event(1)), 1).attempts.at(0);
    EXPECT_TRUE(attempt.outcome.ok()) << attempt.outcome.message;
    EXPECT_THAT(proxy.requests().at(0), HasSubstr("Proxy-Authorization: Basic bWU6c2VzYW1l\r\n"));
    EXPECT_EQ(attempt.response_body, "you are me:***");
    for (const auto& [name, value] : attempt.request_headers) {
        EXPECT_THAT(name, Not(HasSubstr("Proxy")));
    }
}

}  // namespace
}  // namespace herald::test
