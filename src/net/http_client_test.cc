#include "net/http_client.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_group.h"
#include "core/limits.h"
#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::StartsWith;

struct HttpClientTest : ClientTest {};

TEST_F(HttpClientTest, SendsTheRequestInFullAndGivesTheAnswer) {
    const RawReceiver receiver({always(an_answer(201, "made", "X-Id: 7\r\n"))});
    const HttpAnswer answer = post(receiver);
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "made");
    EXPECT_FALSE(answer.body_cut);
    EXPECT_EQ(answer.headers[0], (std::pair<std::string, std::string>{"X-Id", "7"}));
    EXPECT_FALSE(answer.reused_connection);
    const std::string host = "127.0.0.1:" + std::to_string(receiver.port());
    EXPECT_EQ(receiver.requests().at(0), "POST /hook?x=1 HTTP/1.1\r\nHost: " + host +
                                             "\r\nContent-Type: application/json\r\n"
                                             "User-Agent: herald-test\r\nContent-Length: 7\r\n\r\n"
                                             "{\"a\":1}");
}

TEST_F(HttpClientTest, AUserAgentOfTheRequestReplacesOurs) {
    const RawReceiver receiver({always(an_answer(200))});
    HttpRequest request = request_to(receiver);
    request.headers.emplace_back("user-agent", "mine");
    EXPECT_TRUE(post(request).outcome.ok());
    EXPECT_THAT(receiver.requests().at(0), HasSubstr("user-agent: mine\r\n"));
    EXPECT_THAT(receiver.requests().at(0), Not(HasSubstr("herald-test")));
}

TEST_F(HttpClientTest, OtherMethodsAndAnEmptyBody) {
    const RawReceiver receiver({always(an_answer(200))});
    HttpRequest request = request_to(receiver, "");
    EXPECT_TRUE(post(request).outcome.ok());
    request.method = "GET";
    EXPECT_TRUE(post(request).outcome.ok());
    EXPECT_THAT(receiver.requests().at(0), HasSubstr("Content-Length: 0\r\n"));
    EXPECT_THAT(receiver.requests().at(1), StartsWith("GET /hook?x=1 HTTP/1.1\r\n"));
    EXPECT_THAT(receiver.requests().at(1), Not(HasSubstr("Content-Length")));
}

TEST_F(HttpClientTest, ALargeBodyArrivesWhole) {
    const RawReceiver receiver({always(an_answer(200))});
    std::string body(3'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); i += 1'000) body[i] = static_cast<char>('a' + i % 26);
    EXPECT_TRUE(post(request_to(receiver, body)).outcome.ok());
    EXPECT_THAT(receiver.requests().at(0), testing::EndsWith(body));
    EXPECT_TRUE(post(receiver).reused_connection);
}

TEST_F(HttpClientTest, KeepsTheConnectionForTheNextRequest) {
    const RawReceiver receiver({always(an_answer(200))});
    EXPECT_FALSE(post(receiver).reused_connection);
    EXPECT_TRUE(post(receiver).reused_connection);
    EXPECT_TRUE(post(receiver).reused_connection);
    EXPECT_EQ(receiver.connections(), 1U);
}

boost::asio::awaitable<void> run_post(HttpClient& client, HttpRequest request, int& good) {
    const HttpAnswer answer = co_await client.post(request);
    if (answer.outcome.ok()) ++good;
}

TEST_F(HttpClientTest, ManyAtOnceUseOneConnectionEachAndKeepThemAll) {
    const RawReceiver receiver({always(an_answer(200))});
    TaskGroup tasks(loop.get_executor());
    int good = 0;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 20; ++i) tasks.start(run_post(*client, request_to(receiver), good));
        run(loop, tasks.join());
    }
    EXPECT_EQ(good, 60);
    EXPECT_EQ(receiver.connections(), 20U);
}

TEST_F(HttpClientTest, AStatusThatIsNot2xxIsAFailureThatNamesIt) {
    const RawReceiver missing({always(an_answer(404, "no"))});
    HttpAnswer answer = post(missing);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, "no");
    EXPECT_EQ(answer.outcome.failure, FailureClass::http_client_error);
    EXPECT_EQ(answer.outcome.message, "The receiver answered 404 Not Found.");
    EXPECT_TRUE(post(missing).reused_connection);

    const RawReceiver broken({always(an_answer(503))});
    answer = post(broken);
    EXPECT_EQ(answer.outcome.failure, FailureClass::http_server_error);
    EXPECT_EQ(answer.outcome.message, "The receiver answered 503 Service Unavailable.");

    const RawReceiver strange({always(an_answer(299))});
    EXPECT_TRUE(post(strange).outcome.ok());
    const RawReceiver stranger({always(an_answer(499))});
    EXPECT_EQ(post(stranger).outcome.message, "The receiver answered 499.");
}

TEST_F(HttpClientTest, ARedirectIsAFailureAndIsNotFollowed) {
    const RawReceiver target({always(an_answer(200))});
    const std::string location = "Location: " + target.url() + "\r\n";
    const RawReceiver receiver({always(an_answer(302, "", location))});
    EXPECT_EQ(post(receiver).outcome.failure, FailureClass::http_client_error);
    EXPECT_EQ(target.connections(), 0U);
}

TEST_F(HttpClientTest, ARequestSaysWhichHeraldSentItAndAnAnswerThatKnowsItIsALoop) {
    client = make({.user_agent = "herald-test", .node = "this-node"});
    struct Case {
        int status;
        std::string_view field;
        FailureClass failure;
    };
    const Case cases[] = {
        {508, "Herald-Node: this-node\r\n", FailureClass::config},
        {508, "herald-node: other-node\r\n", FailureClass::http_server_error},
        {508, "", FailureClass::http_server_error},
        {200, "herald-node: this-node\r\n", FailureClass::none},
    };
    for (const Case& c : cases) {
        const RawReceiver receiver({always(an_answer(c.status, "", c.field))});
        const HttpAnswer answer = post(receiver);
        EXPECT_EQ(answer.outcome.failure, c.failure) << c.status << c.field;
        EXPECT_THAT(receiver.requests().at(0), HasSubstr("herald-node: this-node\r\n"));
        if (c.failure != FailureClass::config) continue;
        EXPECT_THAT(answer.outcome.message, HasSubstr("leads back to this herald"));
    }
}

TEST_F(HttpClientTest, TheNodeCannotBeForged) {
    const RawReceiver receiver({always(an_answer(200))});
    HttpRequest request = request_to(receiver);
    request.headers.emplace_back("Herald-Node", "other-node");
    EXPECT_EQ(post(request).outcome.failure, FailureClass::config);
    EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(HttpClientTest, ConnectionCloseIsObeyed) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200, "ok", "Connection: close\r\n")), hold_open()}});
    EXPECT_TRUE(post(receiver).outcome.ok());
    EXPECT_FALSE(post(receiver).reused_connection);
    EXPECT_EQ(receiver.connections(), 2U);
}

TEST_F(HttpClientTest, AnHttp10AnswerEndsTheConnectionUnlessItSaysOtherwise) {
    const RawReceiver closing(
        {{read_request(), send_bytes("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
          hold_open()}});
    EXPECT_TRUE(post(closing).outcome.ok());
    EXPECT_FALSE(post(closing).reused_connection);
    const RawReceiver keeping(
        {always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")});
    EXPECT_TRUE(post(keeping).outcome.ok());
    EXPECT_TRUE(post(keeping).reused_connection);
}

TEST_F(HttpClientTest, AStaleConnectionIsReplacedOnce) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), close_now()},
         always(an_answer(200))});
    EXPECT_TRUE(post(receiver).outcome.ok());
    const HttpAnswer second = post(receiver);
    EXPECT_TRUE(second.outcome.ok()) << second.outcome.message;
    EXPECT_FALSE(second.reused_connection);
    EXPECT_EQ(receiver.requests().size(), 3U);
}

TEST_F(HttpClientTest, AResetStaleConnectionIsReplacedToo) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), reset_now()},
         always(an_answer(200))});
    EXPECT_TRUE(post(receiver).outcome.ok());
    EXPECT_TRUE(post(receiver).outcome.ok());
}

TEST_F(HttpClientTest, AFreshConnectionThatClosesIsNotTriedAgain) {
    const RawReceiver receiver({{read_request(), close_now()}});
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(answer.outcome.message, "The receiver closed the connection without an answer.");
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(HttpClientTest, AKeptConnectionThatFailsAmidItsAnswerIsNotTriedAgain) {
    const RawReceiver receiver({{read_request(), send_bytes(an_answer(200)), read_request(),
                                 send_bytes("HTTP/1.1 2"), close_now()}});
    EXPECT_TRUE(post(receiver).outcome.ok());
    const HttpAnswer second = post(receiver);
    EXPECT_EQ(second.outcome.failure, FailureClass::connection);
    EXPECT_EQ(second.outcome.message,
              "The receiver closed the connection in the middle of its answer.");
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(HttpClientTest, SurplusBytesEndTheConnection) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200) + an_answer(500)), hold_open()}});
    EXPECT_EQ(post(receiver).status, 200);
    const HttpAnswer second = post(receiver);
    EXPECT_EQ(second.status, 200);
    EXPECT_FALSE(second.reused_connection);
}

TEST_F(HttpClientTest, BytesThatComeWhileItIdlesAreNotTheNextAnswer) {
    const RawReceiver receiver({{read_request(), send_bytes(an_answer(200)), wait_for(30ms),
                                 send_bytes(an_answer(408)), hold_open()},
                                always(an_answer(200))});
    EXPECT_EQ(post(receiver).status, 200);
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(post(receiver).status, 200);
    EXPECT_EQ(receiver.connections(), 2U);
}

TEST_F(HttpClientTest, ABodyUntilTheCloseIsTaken) {
    const HttpAnswer answer = post_answered_by("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.body, "until the end");
}

TEST_F(HttpClientTest, AChunkedBodyIsTakenAndTheConnectionKept) {
    const RawReceiver receiver(
        {always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: t\r\n\r\n")});
    EXPECT_EQ(post(receiver).body, "abcd");
    EXPECT_TRUE(post(receiver).reused_connection);
}

TEST_F(HttpClientTest, InterimAnswersAreSkipped) {
    EXPECT_EQ(post_answered_by("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                               "Link: </x>\r\n\r\n" +
                               an_answer(200))
                  .status,
              200);
}

TEST_F(HttpClientTest, OnlyTheStartOfALargeBodyIsKept) {
    const std::string body(limits::response_capture + 1, 'x');
    const RawReceiver receiver({always(an_answer(500, body))});
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.size(), limits::response_capture);
    EXPECT_TRUE(answer.body_cut);
    EXPECT_TRUE(post(receiver).reused_connection);
}

TEST_F(HttpClientTest, AnEndlessBodyIsCutAndTheConnectionEnds) {
    const std::string piece(100'000, 'x');
    ReceiverScript script{read_request(), send_bytes("HTTP/1.1 200 OK\r\n\r\n")};
    for (int i = 0; i < 100; ++i) script.push_back(send_bytes(piece));
    script.push_back(hold_open());
    const RawReceiver receiver({script});
    const HttpAnswer answer = post(receiver);
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.body.size(), limits::response_capture);
    EXPECT_TRUE(answer.body_cut);
    EXPECT_FALSE(post(receiver).reused_connection);
}

TEST_F(HttpClientTest, AnEarlyAnswerIsTakenAndTheConnectionEnds) {
    const RawReceiver receiver(
        {{read_head(), send_bytes(an_answer(413, "too large")), hold_open()}});
    const HttpAnswer answer = post(request_to(receiver, large_body()));
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.body, "too large");
    EXPECT_FALSE(post(receiver).reused_connection);
}

TEST_F(HttpClientTest, AnEarlyAnswerBeforeACloseIsTaken) {
    const RawReceiver receiver(
        {{read_head(), send_bytes(an_answer(413, "", "Connection: close\r\n")), wait_for(50ms),
          close_now()}});
    const HttpAnswer answer = post(request_to(receiver, large_body()));
    EXPECT_EQ(answer.status, 413) << answer.outcome.message;
}

// What ends in a failure of the connection, with the words for it.
TEST_F(HttpClientTest, NobodyListens) {
    const RawReceiver any({always(an_answer(200))});
    HttpRequest request = request_to(any);
    request.url.port = closed_port();
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(
        answer.outcome.message,
        "No connection to 127.0.0.1:" + std::to_string(request.url.port) + ": Connection refused.");
}

TEST_F(HttpClientTest, ANameThatDoesNotExist) {
    const RawReceiver any({always(an_answer(200))});
    HttpRequest request = request_to(any);
    request.url.host = "no-such-host.invalid";
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_THAT(answer.outcome.message,
                StartsWith("The host name no-such-host.invalid cannot be resolved: "));
}

TEST_F(HttpClientTest, ANameIsResolved) {
    const RawReceiver receiver({always(an_answer(200))});
    HttpRequest request = request_to(receiver);
    request.url.host = "localhost";  // on many systems ::1 first, where nobody listens
    EXPECT_TRUE(post(request).outcome.ok());
    EXPECT_TRUE(post(request).reused_connection);
}

TEST_F(HttpClientTest, AResetInsteadOfAnAnswer) {
    const RawReceiver receiver({{read_request(), reset_now()}});
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(answer.outcome.message,
              "The receiver closed the connection without an answer: Connection reset by peer.");
}

TEST_F(HttpClientTest, AnAnswerThatBreaksOffIsAFailureWithItsStatus) {
    const HttpAnswer answer = post_answered_by("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "half");
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(answer.outcome.message,
              "The receiver closed the connection in the middle of its answer.");
}

TEST_F(HttpClientTest, AnAnswerThatIsNotHttpIsRefusedAtOnce) {
    const RawReceiver receiver({{send_bytes("SSH-2.0-OpenSSH_9.2\r\n"), hold_open()}});
    const auto began = steady_clock::now();
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(answer.outcome.message,
              "The receiver's answer is not valid HTTP/1.1: it does not begin with HTTP/1.");
    EXPECT_LT(steady_clock::now() - began, 2s);
}

TEST_F(HttpClientTest, FieldsThatWouldBreakTheRequestAreNotSent) {
    const RawReceiver receiver({always(an_answer(200))});
    for (const auto& [name, value] : HeaderList{{"X-A", "a\r\nX-B: b"},
                                                {"X-A", std::string("a\0b", 3)},
                                                {"X A", "a"},
                                                {"", "a"},
                                                {"Host", "evil"},
                                                {"content-length", "3"},
                                                {"Transfer-Encoding", "chunked"},
                                                {"Connection", "close"}}) {
        HttpRequest request = request_to(receiver);
        request.headers.emplace_back(name, value);
        EXPECT_EQ(post(request).outcome.failure, FailureClass::config) << name;
    }
    HttpRequest request = request_to(receiver);
    request.url.target = "/a HTTP/1.1\r\nX: y";
    EXPECT_EQ(post(request).outcome.failure, FailureClass::config);
    EXPECT_EQ(receiver.connections(), 0U);
}

// Deadlines
struct HttpClientDeadline : ClientTest {
    HttpAnswer post_shortly(const RawReceiver& receiver, std::string body = "{}") {
        HttpRequest request = request_to(receiver, std::move(body));
        request.timeout = 250ms;
        const auto began = steady_clock::now();
        HttpAnswer answer = post(request);
        EXPECT_GE(steady_clock::now() - began, 250ms);
        EXPECT_LT(steady_clock::now() - began, 2s);
        EXPECT_EQ(answer.outcome.failure, FailureClass::timeout) << answer.outcome.message;
        return answer;
    }
};

TEST_F(HttpClientDeadline, NoAnswer) {
    const RawReceiver receiver({{read_request(), hold_open()}});
    EXPECT_EQ(post_shortly(receiver).outcome.message,
              "There was no complete answer within 0.25 s.");
}

TEST_F(HttpClientDeadline, ADrippedHeader) {
    const RawReceiver receiver({{read_request(), drip_bytes(an_answer(200), 50ms)}});
    EXPECT_EQ(post_shortly(receiver).status, 0);
}

TEST_F(HttpClientDeadline, ADrippedBodyKeepsItsStatus) {
    const RawReceiver receiver(
        {{read_request(), send_bytes("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
          drip_bytes(std::string(500, 'x'), 20ms)}});
    EXPECT_EQ(post_shortly(receiver).status, 200);
}

TEST_F(HttpClientDeadline, AReceiverThatNeverReads) {
    const RawReceiver receiver({{hold_open()}});
    post_shortly(receiver, large_body());
}

TEST_F(HttpClientDeadline, AKeptConnectionHasItToo) {
    const RawReceiver receiver(
        {{read_request(), send_bytes(an_answer(200)), read_request(), hold_open()}});
    EXPECT_TRUE(post(receiver).outcome.ok());
    post_shortly(receiver);
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(HttpClientDeadline, NoConnection) {
    const FullPort full;
    HttpRequest request;
    request.url.host = "127.0.0.1";
    request.url.port = full.port();
    request.url.target = "/";
    request.connect_timeout = 200ms;
    const auto began = steady_clock::now();
    const HttpAnswer answer = post(request);
    EXPECT_LT(steady_clock::now() - began, 2s);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(answer.outcome.message, "There was no connection within 0.2 s.");
}

TEST_F(HttpClientTest, CancellingItsTaskEndsARequest) {
    const RawReceiver receiver({{read_request(), hold_open()}});
    TaskGroup tasks(loop.get_executor());
    int good = 0;
    tasks.start(run_post(*client, request_to(receiver), good));
    while (receiver.requests().empty()) loop.run_one_for(10ms);
    tasks.cancel();
    const auto began = steady_clock::now();
    run(loop, tasks.join());
    EXPECT_LT(steady_clock::now() - began, 1s);
    EXPECT_EQ(good, 0);
}

TEST_F(HttpClientTest, AClosedClientRefusesRequestsAndClosesIdleConnections) {
    const RawReceiver receiver({always(an_answer(200))});
    EXPECT_TRUE(post(receiver).outcome.ok());
    client->close();
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(HttpClientTest, TheLoopEndsWhenTheClientIsClosed) {
    const RawReceiver receiver({always(an_answer(200))});
    EXPECT_TRUE(post(receiver).outcome.ok());
    client->close();
    const auto began = steady_clock::now();
    loop.restart();
    loop.run();
    EXPECT_LT(steady_clock::now() - began, 1s);
}

}  // namespace
}  // namespace herald
