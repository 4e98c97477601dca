// Webhooks with certificates of their own: whom they trust, and what they show.
#include <openssl/ssl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_test.h"

namespace herald {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

std::shared_ptr<const WayOptions> with_tls(TlsOptions tls) {
    return std::make_shared<const WayOptions>(WayOptions{.tls = std::move(tls)});
}

std::shared_ptr<const WayOptions> as_client() {
    return with_tls({.certificate = pem_text("client-chain.pem"), .key = pem_text("client.key")});
}

struct OwnTls : ClientTest {
    OwnTls() { client = make({.user_agent = "", .ca_bundle = certificates() + "/ca.pem"}); }

    HttpAnswer post_with(const RawReceiver& receiver,
                         const std::shared_ptr<const WayOptions>& way) {
        HttpRequest request = request_to(receiver);
        request.way_options = way;
        return post(request);
    }

    /// Wants a client's certificate of the authority ca.
    static ReceiverTls picky() {
        ReceiverTls tls = certificate("valid");
        tls.client_ca = certificates() + "/ca.pem";
        return tls;
    }
};

TEST_F(OwnTls, TheWebhooksAuthorityIsTrustedAndTheOthersAreNot) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("other-valid"));
    EXPECT_EQ(post(receiver).outcome.failure, FailureClass::tls);
    const auto other = with_tls({.ca = pem_text("other-ca.pem")});
    EXPECT_TRUE(post_with(receiver, other).outcome.ok());

    const RawReceiver usual({always(an_answer(200))}, certificate("valid"));
    const HttpAnswer answer = post_with(usual, other);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_EQ(answer.outcome.message,
              "The TLS handshake with the receiver failed: unable to get local issuer "
              "certificate.");
}

TEST_F(OwnTls, OneOfSeveralAuthoritiesAndOneInBetweenAreEnough) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("other-valid"));
    const auto both = with_tls({.ca = pem_text("ca.pem") + pem_text("other-ca.pem")});
    EXPECT_TRUE(post_with(receiver, both).outcome.ok());
    // The certificate itself stands for its authority.
    EXPECT_TRUE(post_with(receiver, with_tls({.ca = pem_text("other-valid.pem")})).outcome.ok());
}

TEST_F(OwnTls, ItsAuthorityDoesNotExcuseAnotherName) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("wrong-name"));
    const HttpAnswer answer = post_with(receiver, with_tls({.ca = pem_text("ca.pem")}));
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("IP address mismatch"));
}

TEST_F(OwnTls, WithoutVerificationAnAuthorityMeansNothing) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("self-signed"));
    HttpRequest request = request_to(receiver);
    request.way_options = with_tls({.ca = pem_text("other-ca.pem")});
    EXPECT_EQ(post(request).outcome.failure, FailureClass::tls);
    request.verify_certificates = false;
    EXPECT_TRUE(post(request).outcome.ok());
}

TEST_F(OwnTls, AReceiverThatWantsAClientCertificateGetsIt) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        ReceiverTls tls = picky();
        tls.max_version = version;
        const RawReceiver receiver({always(an_answer(200))}, tls);
        EXPECT_TRUE(post_with(receiver, as_client()).outcome.ok()) << version;
        EXPECT_EQ(receiver.client_name(), "client");
    }
}

TEST_F(OwnTls, WithoutOneItIsAFailureThatSaysWhatToDo) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        ReceiverTls tls = picky();
        tls.max_version = version;
        const RawReceiver receiver({always(an_answer(200))}, tls);
        const HttpAnswer answer = post(receiver);
        EXPECT_EQ(answer.outcome.failure, FailureClass::tls) << answer.outcome.message;
        EXPECT_THAT(answer.outcome.message,
                    HasSubstr("it asks for a client certificate: give one in tls.certificate"));
        EXPECT_TRUE(receiver.requests().empty());
    }
}

TEST_F(OwnTls, ACertificateThatTheReceiverDoesNotTrust) {
    const RawReceiver receiver({always(an_answer(200))}, picky());
    const auto stranger =
        with_tls({.certificate = pem_text("self-signed.pem"), .key = pem_text("self-signed.key")});
    const HttpAnswer answer = post_with(receiver, stranger);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("alert unknown ca"));
}

TEST_F(OwnTls, OptionsThatCannotBeUsedAreAFailureOfTheConfiguration) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("valid"));
    HttpAnswer answer = post_with(receiver, with_tls({.ca = "nothing"}));
    EXPECT_EQ(answer.outcome.failure, FailureClass::config);
    EXPECT_THAT(answer.outcome.message, HasSubstr("The webhook's tls.ca holds no certificate"));
    answer = post_with(receiver, with_tls({.certificate = pem_text("client.pem"), .key = "x"}));
    EXPECT_EQ(answer.outcome.failure, FailureClass::config);
    EXPECT_THAT(answer.outcome.message, HasSubstr("The webhook's tls.key holds no private key"));
    answer = post_with(
        receiver, with_tls({.certificate = pem_text("client.pem"), .key = pem_text("valid.key")}));
    EXPECT_EQ(answer.outcome.failure, FailureClass::config);
    EXPECT_THAT(answer.outcome.message, HasSubstr("key values mismatch"));
    EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(OwnTls, ConnectionsAndSessionsServeNoOtherIdentity) {
    const RawReceiver receiver({always(an_answer(200))}, picky());
    const auto one = as_client();
    EXPECT_FALSE(post_with(receiver, one).reused_connection);
    EXPECT_TRUE(post_with(receiver, one).reused_connection);
    EXPECT_EQ(post(receiver).outcome.failure, FailureClass::tls) << "without a certificate";
    EXPECT_FALSE(post_with(receiver, as_client()).reused_connection) << "an edited webhook";
    EXPECT_EQ(receiver.resumed(), 0U);
}

}  // namespace
}  // namespace herald
