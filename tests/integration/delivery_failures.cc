// Every class of failure through a real socket, and what is kept of an answer.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "core/redact.h"
#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

struct Failing : EngineTest {
    static Webhook to_url(std::string url) {
        Webhook webhook = make_webhook("hook");
        webhook.filter.branch_scope = BranchScope::all_branches;
        webhook.url = std::move(url);
        webhook.timeout = 1s;
        return webhook;
    }
    /// The one attempt of a delivery to that webhook, which fails.
    Attempt attempt_to(Webhook webhook, Event event = node_event(1)) {
        const auto entry = add(std::move(webhook));
        const DeliveryDetail found = until_attempts(send_one(std::move(event)), 1);
        EXPECT_EQ(found.attempts.size(), 1U);
        EXPECT_EQ(found.delivery.state, DeliveryState::pending) << "every class is tried again";
        EXPECT_EQ(found.delivery.last_failure, found.attempts.at(0).outcome.failure);
        return found.attempts.at(0);
    }
    Attempt attempt_played(ReceiverScript script, Event event = node_event(1)) {
        const RawReceiver receiver({std::move(script)});
        return attempt_to(to_url(receiver.url()), std::move(event));
    }
    Attempt attempt_answered(ServerAnswer answer) {
        Receiver receiver(loop, wheel, [&](const ServerRequest&) { return answer; });
        add(to(receiver));
        return until_attempts(send_one(node_event(1)), 1).attempts.at(0);
    }
    static std::string value_of(const HeaderList& headers, std::string_view name) {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return "(none)";
    }
};

TEST_F(Failing, ConfigAHeaderWhoseVariableIsMissing) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.headers = {{"X-Outside", "NOT_SET_IN_TEST", true}};
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    const Attempt attempt = until_attempts(id, 1).attempts.at(0);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::config);
    EXPECT_EQ(attempt.outcome.message,
              "Webhook 'hook': could not resolve header 'X-Outside': Environment variable "
              "'NOT_SET_IN_TEST' not found");
    EXPECT_EQ(attempt.status, 0);
    EXPECT_EQ(attempt.started_at, noon);
    EXPECT_TRUE(receiver.requests.empty());

    environment["NOT_SET_IN_TEST"] = "now it is";
    advance(6s);
    until_state(id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(0).header("x-outside"), "now it is");
}

TEST_F(Failing, ConfigAVariableWhoseValueIsNoHeader) {
    environment["BROKEN_IN_TEST"] = "secret\r\nX-Evil: 1";
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.headers = {{"X-Outside", "BROKEN_IN_TEST", true}};
    const Attempt attempt = attempt_to(webhook);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::config);
    EXPECT_THAT(attempt.outcome.message, HasSubstr("X-Outside"));
    EXPECT_THAT(attempt.outcome.message, Not(HasSubstr("secret")));
    EXPECT_TRUE(receiver.requests.empty());
}

TEST_F(Failing, ConnectionRefused) {
    const std::string url = "http://127.0.0.1:" + std::to_string(closed_port()) + "/";
    const Attempt attempt = attempt_to(to_url(url));
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection);
    EXPECT_THAT(attempt.outcome.message, HasSubstr("Connection refused"));
    EXPECT_EQ(attempt.status, 0);
}

TEST_F(Failing, ConnectionReset) {
    const Attempt attempt = attempt_played({read_request(), reset_now()});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection);
    EXPECT_THAT(attempt.outcome.message, HasSubstr("Connection reset"));
}

TEST_F(Failing, ConnectionClosedWithoutAnAnswer) {
    const Attempt attempt = attempt_played({read_request(), close_now()});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection);
}

TEST_F(Failing, ConnectionThatBreaksInTheAnswerKeepsWhatCame) {
    const Attempt attempt = attempt_played(
        {read_request(), send_bytes("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 10\r\n\r\nhalf"),
         close_now()});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection);
    EXPECT_EQ(attempt.status, 200);
    EXPECT_EQ(attempt.response_body, "half");
    EXPECT_EQ(value_of(attempt.response_headers, "X-A"), "b");
}

TEST_F(Failing, ConnectionToANameThatDoesNotExist) {
    Webhook webhook = to_url("http://no-such-host.invalid/");
    webhook.timeout = 5s;
    const Attempt attempt = attempt_to(webhook);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection) << attempt.outcome.message;
    EXPECT_THAT(attempt.outcome.message, HasSubstr("no-such-host.invalid"));
}

TEST_F(Failing, ConnectionToWhatIsNoHttpServer) {
    const Attempt attempt = attempt_played({send_bytes("220 mail.example ESMTP\r\n"), hold_open()});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::connection);
    EXPECT_THAT(attempt.outcome.message, HasSubstr("not valid HTTP"));
}

TEST_F(Failing, TimeoutOfTheConnection) {
    const FullPort full;
    const Attempt attempt = attempt_to(to_url("http://127.0.0.1:" + std::to_string(full.port())));
    EXPECT_EQ(attempt.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(attempt.outcome.message, "There was no connection within 1 s.");
    EXPECT_GE(attempt.took, 1s);
}

TEST_F(Failing, TimeoutOfTheAnswer) {
    const Attempt attempt = attempt_played({read_request(), hold_open()});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(attempt.outcome.message, "There was no complete answer within 1 s.");
    EXPECT_GE(attempt.took, 1s);
    EXPECT_LT(attempt.took, 2s);
}

TEST_F(Failing, TimeoutOfABodyThatDrips) {
    const Attempt attempt = attempt_played(
        {read_request(), send_bytes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
         drip_bytes(std::string(1'000, 'x'), 20ms)});
    EXPECT_EQ(attempt.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(attempt.status, 200);
    EXPECT_THAT(attempt.response_body, StartsWith("xxx"));
}

TEST_F(Failing, TimeoutOfAReceiverThatTakesNoRequest) {
    Event event = node_event(1);
    event.body = R"({"data":")" + std::string(8'000'000, 'x') + "\"}";
    EXPECT_EQ(attempt_played({hold_open()}, event).outcome.failure, FailureClass::timeout);
}

TEST_F(Failing, ClientAndServerErrorsKeepTheAnswer) {
    ServerAnswer answer;
    answer.status = 422;
    answer.body = R"({"detail":"no such device"})";
    answer.headers = {{"X-Reason", "unknown device"}};
    const Attempt attempt = attempt_answered(answer);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::http_client_error);
    EXPECT_EQ(attempt.outcome.message, "The receiver answered 422 Unprocessable Content.");
    EXPECT_EQ(attempt.response_body, answer.body);
    EXPECT_EQ(value_of(attempt.response_headers, "X-Reason"), "unknown device");
}

TEST_F(Failing, ServerErrorsHaveTheirClass) {
    ServerAnswer answer;
    answer.status = 503;
    const Attempt attempt = attempt_answered(answer);
    EXPECT_EQ(attempt.outcome.failure, FailureClass::http_server_error);
    EXPECT_EQ(attempt.outcome.message, "The receiver answered 503 Service Unavailable.");
}

struct Capturing : Failing {};

TEST_F(Capturing, OnlyTheStartOfALongAnswerIsKept) {
    ServerAnswer answer;
    answer.body = std::string(limits::response_capture, 'a') + "b";
    const Attempt cut = attempt_answered(answer);
    EXPECT_EQ(cut.response_body, std::string(limits::response_capture, 'a'));
    EXPECT_TRUE(cut.response_cut);
    EXPECT_TRUE(cut.outcome.ok());
}

TEST_F(Capturing, AnAnswerThatJustFitsIsWhole) {
    ServerAnswer answer;
    answer.body = std::string(limits::response_capture, 'a');
    const Attempt whole = attempt_answered(answer);
    EXPECT_EQ(whole.response_body, answer.body);
    EXPECT_FALSE(whole.response_cut);
}

TEST_F(Capturing, BytesThatAreNoTextAreKeptAsTheyAre) {
    ServerAnswer answer;
    answer.status = 500;
    answer.body = std::string("\0\xFF\xFE", 3);
    EXPECT_EQ(attempt_answered(answer).response_body, answer.body);
}

TEST_F(Capturing, SecretsAreSentButNotRecorded) {
    environment["SECRET_OF_TEST"] = "secret-from-outside";
    Receiver receiver(loop, wheel, [](const ServerRequest&) {
        ServerAnswer answer;
        answer.headers = {{"Set-Cookie", "session=secret-of-receiver"}, {"X-Shown", "shown"}};
        return answer;
    });
    Webhook webhook = to(receiver);
    webhook.url.insert(7, "user:secret-password@");
    webhook.url += "?token=secret-token&x=1";
    webhook.headers = {{"Authorization", "Bearer secret-bearer"},
                       {"X-Api-Key", "secret-api-key"},
                       {"X-My-Token", "secret-my-token"},
                       {"X-Outside", "SECRET_OF_TEST", true},
                       {"X-Plain", "plain"}};
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::delivered);

    const ServerRequest& request = receiver.requests.at(0);
    EXPECT_EQ(request.header("authorization"), "Bearer secret-bearer");
    EXPECT_EQ(request.header("x-api-key"), "secret-api-key");
    EXPECT_EQ(request.header("x-outside"), "secret-from-outside");
    EXPECT_EQ(request.query, "token=secret-token&x=1");

    const Attempt& attempt = found.attempts.at(0);
    const HeaderList& sent = attempt.request_headers;
    for (const std::string name :
         {"Authorization", "X-Api-Key", "X-My-Token", "X-Outside", "webhook-signature"}) {
        EXPECT_EQ(value_of(sent, name), redacted) << name;
    }
    EXPECT_EQ(value_of(sent, "X-Plain"), "plain");
    EXPECT_EQ(value_of(sent, "webhook-id"), found.delivery.id.text());
    EXPECT_EQ(value_of(attempt.response_headers, "Set-Cookie"), redacted);
    EXPECT_EQ(value_of(attempt.response_headers, "X-Shown"), "shown");
    EXPECT_THAT(attempt.url, Not(HasSubstr("secret")));
    EXPECT_THAT(attempt.url, HasSubstr("x=1"));
}

struct KeptAlive : Failing {};

TEST_F(KeptAlive, DeliveriesShareAConnection) {
    const RawReceiver receiver({always(an_answer(200))});
    add(to_url(receiver.url()));
    for (std::uint64_t n = 1; n <= 5; ++n) {
        until_state(send_one(node_event(n)), DeliveryState::delivered);
    }
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(KeptAlive, AStaleConnectionIsReplacedWithinTheAttempt) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), close_now()},
         always(an_answer(200))});
    add(to_url(receiver.url()));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const DeliveryDetail found = until_state(send_one(node_event(2)), DeliveryState::delivered);
    EXPECT_EQ(found.delivery.attempts, 1U);
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[1], requests[2]) << "the same request, byte for byte";
}

TEST_F(KeptAlive, AFreshConnectionThatClosesIsNotTriedTwice) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), close_now()},
         {read_request(), close_now()}});
    add(to_url(receiver.url()));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const DeliveryDetail found = until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::connection);
    EXPECT_EQ(receiver.requests().size(), 3U);
    EXPECT_EQ(receiver.connections(), 2U);
}

TEST_F(KeptAlive, NothingIsSentAgainOnceSomethingWasAnswered) {
    const RawReceiver receiver({{read_request(), send_bytes(an_answer(200)), read_request(),
                                 send_bytes("HTTP/1.1 2"), close_now()},
                                always(an_answer(200))});
    add(to_url(receiver.url()));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const DeliveryDetail found = until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::connection);
    EXPECT_EQ(receiver.requests().size(), 2U);
}

}  // namespace
}  // namespace herald::test
