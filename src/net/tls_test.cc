// HTTPS through the client, against receivers with good and bad certificates.
#include <openssl/ssl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

struct TlsTest : ClientTest {
    TlsTest() { client = make({.user_agent = "herald-test", .ca_bundle = folder + "/ca.pem"}); }

    /// What comes of a request to a receiver with that certificate, as a failure of class TLS.
    std::string failure_with(const std::string& name) {
        const RawReceiver receiver({always(an_answer(200))}, certificate(name));
        const HttpAnswer answer = post(receiver);
        EXPECT_EQ(answer.status, 0);
        EXPECT_EQ(answer.outcome.failure, FailureClass::tls) << answer.outcome.message;
        EXPECT_TRUE(receiver.requests().empty());
        return answer.outcome.message;
    }

    const std::string folder = certificates();
};

TEST_F(TlsTest, AGoodCertificateByAddress) {
    const RawReceiver receiver({always(an_answer(200, "ok"))}, certificate("valid"));
    const HttpAnswer answer = post(receiver);
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(receiver.server_name(), "") << "an address is no server name";
}

TEST_F(TlsTest, AGoodCertificateByName) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("valid"));
    HttpRequest request = request_to(receiver);
    request.url.host = "localhost";
    EXPECT_TRUE(post(request).outcome.ok());
    EXPECT_EQ(receiver.server_name(), "localhost");
}

TEST_F(TlsTest, KeepsTheConnection) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("valid"));
    EXPECT_FALSE(post(receiver).reused_connection);
    EXPECT_TRUE(post(receiver).reused_connection);
    EXPECT_TRUE(post(receiver).reused_connection);
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(TlsTest, ResumesTheSessionOnANewConnection) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200, "", "Connection: close\r\n")), close_now()}},
        certificate("valid"));
    EXPECT_TRUE(post(receiver).outcome.ok());
    EXPECT_TRUE(post(receiver).outcome.ok());
    EXPECT_EQ(receiver.connections(), 2U);
    EXPECT_EQ(receiver.resumed(), 1U);
}

TEST_F(TlsTest, AStaleConnectionIsReplacedOnce) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), close_now()},
         always(an_answer(200))},
        certificate("valid"));
    EXPECT_TRUE(post(receiver).outcome.ok());
    const HttpAnswer second = post(receiver);
    EXPECT_TRUE(second.outcome.ok()) << second.outcome.message;
    EXPECT_EQ(receiver.connections(), 2U);
}

TEST_F(TlsTest, LargeBodiesBothWays) {
    const std::string large(900'000, 'y');
    const RawReceiver receiver({always(an_answer(200, large))}, certificate("valid"));
    const std::string body(2'000'000, 'x');
    const HttpAnswer answer = post(request_to(receiver, body));
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_TRUE(answer.body_cut);
    EXPECT_THAT(receiver.requests().at(0), testing::EndsWith(body));
    EXPECT_TRUE(post(receiver).reused_connection);
}

TEST_F(TlsTest, AnEarlyAnswerIsTaken) {
    const RawReceiver receiver({{read_head(), send_bytes(an_answer(413)), hold_open()}},
                               certificate("valid"));
    EXPECT_EQ(post(request_to(receiver, large_body())).status, 413);
}

TEST_F(TlsTest, ABodyUntilTheCloseIsTaken) {
    const RawReceiver receiver(
        {{read_request(), send_bytes("HTTP/1.1 200 OK\r\n\r\nall of it"), close_now()}},
        certificate("valid"));
    EXPECT_EQ(post(receiver).body, "all of it");
}

TEST_F(TlsTest, AnExpiredCertificate) {
    EXPECT_EQ(failure_with("expired"),
              "The TLS handshake with the receiver failed: certificate has expired.");
}

TEST_F(TlsTest, ASelfSignedCertificate) {
    EXPECT_THAT(failure_with("self-signed"), HasSubstr("self-signed certificate"));
}

TEST_F(TlsTest, ACertificateForAnotherAddress) {
    EXPECT_THAT(failure_with("wrong-name"), HasSubstr("IP address mismatch"));
}

TEST_F(TlsTest, ACertificateForAnotherName) {
    const RawReceiver receiver({always(an_answer(200))}, certificate("wrong-name"));
    HttpRequest request = request_to(receiver);
    request.url.host = "localhost";
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("host name mismatch"));
}

TEST_F(TlsTest, AnUnknownAuthority) {
    client = make({.user_agent = "herald-test", .ca_bundle = folder + "/self-signed.pem"});
    EXPECT_THAT(failure_with("valid"), HasSubstr("unable to get local issuer certificate"));
}

TEST_F(TlsTest, NothingIsVerifiedOnlyWhenTheRequestSaysSo) {
    for (const char* name : {"expired", "self-signed", "wrong-name"}) {
        const RawReceiver receiver({always(an_answer(200))}, certificate(name));
        HttpRequest request = request_to(receiver);
        request.verify_certificates = false;
        EXPECT_TRUE(post(request).outcome.ok()) << name;
        // Neither its kept connection nor its session serves a request that verifies.
        EXPECT_EQ(post(receiver).outcome.failure, FailureClass::tls) << name;
    }
}

TEST_F(TlsTest, ABundleThatCannotBeReadFailsWhatVerifies) {
    client = make({.user_agent = "herald-test", .ca_bundle = folder + "/missing.pem"});
    EXPECT_THAT(failure_with("valid"), HasSubstr("missing.pem cannot be read"));
    const RawReceiver receiver({always(an_answer(200))}, certificate("valid"));
    HttpRequest request = request_to(receiver);
    request.verify_certificates = false;
    EXPECT_TRUE(post(request).outcome.ok());
}

TEST_F(TlsTest, AnOldVersionIsRefused) {
    ReceiverTls old = certificate("valid");
    old.max_version = TLS1_1_VERSION;
    const RawReceiver receiver({always(an_answer(200))}, old);
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("protocol version"));
}

TEST_F(TlsTest, Tls12Works) {
    ReceiverTls old = certificate("valid");
    old.max_version = TLS1_2_VERSION;
    const RawReceiver receiver({always(an_answer(200))}, old);
    EXPECT_TRUE(post(receiver).outcome.ok());
    EXPECT_TRUE(post(receiver).reused_connection);
}

TEST_F(TlsTest, AReceiverThatSpeaksNoTls) {
    const RawReceiver receiver(
        {{wait_for(20ms), send_bytes("HTTP/1.1 400 Bad\r\n\r\n"), wait_for(200ms), close_now()}});
    HttpRequest request = request_to(receiver);
    request.url.tls = true;
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("wrong version number"));
}

TEST_F(TlsTest, AHandshakeThatStalls) {
    const RawReceiver receiver({{hold_open()}});
    HttpRequest request = request_to(receiver);
    request.url.tls = true;
    request.connect_timeout = 200ms;
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(answer.outcome.message, "There was no connection within 0.2 s.");
}

TEST_F(TlsTest, AReceiverThatHangsUpInTheHandshake) {
    const RawReceiver receiver({{wait_for(20ms), close_now()}});
    HttpRequest request = request_to(receiver);
    request.url.tls = true;
    const HttpAnswer answer = post(request);
    EXPECT_FALSE(answer.outcome.ok());
    EXPECT_NE(answer.outcome.failure, FailureClass::timeout) << answer.outcome.message;
}

}  // namespace
}  // namespace herald
