#include "net/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task_group.h"
#include "support/run.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using std::chrono::steady_clock;
using test::run;
using testing::HasSubstr;
using testing::StartsWith;

/// A raw client. It turns the server's loop while it waits.
class RawClient {
public:
    RawClient(boost::asio::io_context& loop, std::uint16_t port, int receive_buffer = 0)
        : loop_(loop), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer > 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawClient() { ::close(fd_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    [[nodiscard]] bool connected() const { return connected_; }

    void send(std::string_view text) {
        while (!text.empty()) {
            const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0)
                text.remove_prefix(static_cast<std::size_t>(n));
            else if (errno != EAGAIN)
                return;
            turn(1ms);
        }
    }
    void end() const { ::shutdown(fd_, SHUT_WR); }
    void turn(std::chrono::milliseconds time) {
        loop_.restart();
        loop_.run_for(time);
    }
    /// All that comes until it has `until` in it, the connection ends, or a second passes.
    std::string read(std::string_view until) {
        const auto limit = steady_clock::now() + 1s;
        while (!got_.contains(until) && !ended_ && steady_clock::now() < limit) {
            turn(1ms);
            take();
        }
        return std::exchange(got_, {});
    }
    std::string read_to_end(std::chrono::milliseconds patience = 3s) {
        const auto limit = steady_clock::now() + patience;
        while (!ended_ && steady_clock::now() < limit) {
            turn(1ms);
            take();
        }
        return std::exchange(got_, {});
    }
    [[nodiscard]] bool ended() const { return ended_; }

private:
    void take() {
        char buffer[16 * 1024];
        const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n > 0) got_.append(buffer, static_cast<std::size_t>(n));
        if (n == 0 || (n < 0 && errno != EAGAIN)) ended_ = true;
    }

    boost::asio::io_context& loop_;
    int fd_;
    bool connected_ = false;
    bool ended_ = false;
    std::string got_;
};

struct HttpServerTest : testing::Test {
    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    std::unique_ptr<HttpServer> server;
    std::vector<ServerRequest> requests;

    /// Says back the method, path and body. "/slow" takes its time, "/throw" throws, "/large"
    /// answers at length.
    awaitable<ServerAnswer> handle(const ServerRequest& request) {
        requests.push_back(request);
        ServerAnswer answer;
        answer.content_type = "text/plain";
        answer.headers = {{"X-Test", "yes"}, {"X-Evil", "a\r\nb: c"}};
        answer.body = request.method + " " + request.path + " " + request.body;
        if (request.path == "/throw") throw std::runtime_error("a defect");
        if (request.path == "/none") answer.status = 204;
        if (request.path == "/large") answer.body.assign(20'000'000, 'x');
        if (request.path == "/slow") {
            boost::asio::steady_timer timer(loop, 150ms);
            co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        co_return answer;
    }

    void start(HttpServerOptions options = {}) {
        auto handler = [this](const ServerRequest& request) { return handle(request); };
        server = std::make_unique<HttpServer>(loop.get_executor(), wheel, options, handler);
        const auto started = server->start();
        ASSERT_TRUE(started) << started.error().message;
    }
    RawClient connect() { return {loop, server->port()}; }

    std::string ask(std::string_view text, std::string_view until = "\r\n\r\n") {
        RawClient client = connect();
        client.send(text);
        return client.read(until);
    }
    /// The answer to a request that is refused, which ends the connection.
    std::string refused(std::string_view text) {
        RawClient client = connect();
        client.send(text);
        std::string answer = client.read_to_end(500ms);
        EXPECT_FALSE(client.ended() && answer.empty()) << text;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
        EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
        return answer.substr(0, answer.find("\r\n"));
    }
    void stop(steady_clock::duration grace = 0ms) { run(loop, server->stop(grace)); }
    void TearDown() override {
        if (server) stop();
    }
};

TEST_F(HttpServerTest, HandsOverTheRequestAndSendsTheAnswer) {
    start();
    const std::string got =
        ask("POST /a%20b?x=%31&y HTTP/1.1\r\nHost: h\r\nX-Long-Name: Value \r\n"
            "Content-Length: 4\r\n\r\nbody",
            "body");
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(got, HasSubstr(" GMT\r\nContent-Type: text/plain\r\nX-Test: yes\r\n"
                               "Content-Length: 14\r\n\r\nPOST /a b body"));
    ASSERT_EQ(requests.size(), 1U);
    const ServerRequest& request = requests[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/a%20b?x=%31&y");
    EXPECT_EQ(request.path, "/a b");
    EXPECT_EQ(request.query, "x=%31&y");
    EXPECT_EQ(request.header("x-long-name"), "Value");
    EXPECT_EQ(request.header("missing"), "");
    EXPECT_EQ(request.body, "body");
    EXPECT_THAT(request.remote, StartsWith("127.0.0.1:"));
}

TEST_F(HttpServerTest, KeepsTheConnection) {
    start();
    RawClient client = connect();
    for (int i = 0; i < 3; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_THAT(client.read("GET / "), HasSubstr("200 OK"));
    }
    EXPECT_EQ(requests.size(), 3U);
    EXPECT_FALSE(client.ended());
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    RawClient client = connect();
    client.send(
        "GET /slow HTTP/1.1\r\nHost: h\r\n\r\nPOST /two HTTP/1.1\r\nHost: h\r\n"
        "Content-Length: 1\r\n\r\n2GET /three HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string got = client.read("GET /three ");
    EXPECT_LT(got.find("GET /slow "), got.find("POST /two 2"));
    EXPECT_LT(got.find("POST /two 2"), got.find("GET /three "));
}

TEST_F(HttpServerTest, TakesARequestByteByByte) {
    start();
    RawClient client = connect();
    for (const char c :
         std::string_view("PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n2\r\nab\r\n1;e\r\nc\r\n0\r\nT: t\r\n\r\n")) {
        client.send({&c, 1});
    }
    EXPECT_THAT(client.read("PUT /x abc"), HasSubstr("PUT /x abc"));
}

TEST_F(HttpServerTest, TakesALargeBody) {
    start();
    RawClient client = connect();
    std::string body;
    body.resize(16'777'216, 'x');
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 16777216\r\n\r\n");
    client.send(body);
    client.read("\r\n\r\n");
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].body.size(), body.size());
}

TEST_F(HttpServerTest, SendsALargeAnswer) {
    start();
    RawClient client = connect();
    client.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_GT(client.read_to_end().size(), 20'000'000U);
}

TEST_F(HttpServerTest, SaysContinueToWhoWaitsForIt) {
    start();
    RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_THAT(client.read("POST / ok"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, HeadAndNoContentHaveNoBody) {
    start();
    RawClient client = connect();
    client.send(
        "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\n"
        "GET /end HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string got = client.read("GET /end ");
    EXPECT_THAT(got, HasSubstr("Content-Length: 8\r\n\r\nHTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(got, HasSubstr("X-Test: yes\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedNotTo) {
    start();
    RawClient closing = connect();
    closing.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_THAT(closing.read_to_end(), HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(closing.ended());
}

TEST_F(HttpServerTest, ConnectionCloseIsObeyed) {
    start();
    RawClient client = connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client.read_to_end(), HasSubstr("GET / "));
    EXPECT_EQ(requests.size(), 1U);
}

TEST_F(HttpServerTest, AHandlerThatThrowsIsAnswered500) {
    start();
    RawClient client = connect();
    client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string got = client.read("GET /next ");
    EXPECT_THAT(got, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
    EXPECT_THAT(got, HasSubstr("GET /next "));
}

TEST_F(HttpServerTest, AnAbsoluteTargetIsTaken) {
    start();
    EXPECT_THAT(ask("GET http://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n", "GET /p "),
                HasSubstr("GET /p "));
}

TEST_F(HttpServerTest, OneEmptyLineBeforeARequestIsForgiven) {
    start();
    EXPECT_THAT(ask("\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x "), HasSubstr("200 OK"));
    EXPECT_EQ(refused("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpServerTest, RefusesWhatIsWrong) {
    HttpServerOptions options;
    options.max_body = 10;
    start(options);
    const std::string host = " HTTP/1.1\r\nHost: h\r\n";
    EXPECT_EQ(refused("GET /\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("\x16\x03\x01"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET / HTTP/1.1\n\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET /" + host + "Host: h\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET /%zz" + host + "\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET /%00" + host + "\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("CONNECT h:443" + host + "\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("GET / HTTP/2.0\r\n\r\n"), "HTTP/1.1 505 HTTP Version Not Supported");
    EXPECT_EQ(refused("GET /" + std::string(9'000, 'x') + host + "\r\n"),
              "HTTP/1.1 414 URI Too Long");
    EXPECT_EQ(refused("GET /" + std::string(40'000, 'x')), "HTTP/1.1 414 URI Too Long");
    EXPECT_EQ(refused("GET /" + host + "A: " + std::string(40'000, 'x')),
              "HTTP/1.1 431 Request Header Fields Too Large");
    EXPECT_EQ(refused("POST /" + host + "Content-Length: 11\r\n\r\n"),
              "HTTP/1.1 413 Content Too Large");
    EXPECT_EQ(refused("POST /" + host +
                      "Transfer-Encoding: chunked\r\n\r\n"
                      "6\r\n123456\r\n6\r\n123456\r\n"),
              "HTTP/1.1 413 Content Too Large");
    EXPECT_EQ(refused("POST /" + host + "Transfer-Encoding: gzip\r\n\r\n"),
              "HTTP/1.1 501 Not Implemented");
    EXPECT_EQ(refused("POST /" + host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
              "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("POST /" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
              "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(refused("POST /" + host + "Expect: magic\r\n\r\n"),
              "HTTP/1.1 417 Expectation Failed");
    EXPECT_TRUE(requests.empty());
}

TEST_F(HttpServerTest, TheAnswerToATooLargeBodyArrivesWhileItIsBeingSent) {
    HttpServerOptions options;
    options.max_body = 10;
    start(options);
    RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n");
    client.send(std::string(500'000, 'x'));
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, ASlowRequestIsAnswered408) {
    HttpServerOptions options;
    options.read_timeout = 100ms;
    start(options);
    RawClient client = connect();
    client.send("GET / HT");
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
    // Dripping does not buy time.
    RawClient dripper = connect();
    const auto began = steady_clock::now();
    std::string got;
    for (int i = 0; i < 100 && !dripper.ended(); ++i) {
        dripper.send("x");
        dripper.turn(20ms);
        got += dripper.read_to_end(1ms);
    }
    EXPECT_THAT(got, StartsWith("HTTP/1.1 408 "));
    EXPECT_LT(steady_clock::now() - began, 2s);
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedWithoutAWord) {
    HttpServerOptions options;
    options.idle_timeout = 100ms;
    start(options);
    RawClient fresh = connect();
    RawClient used = connect();
    used.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(used.read("GET / "), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_EQ(used.read_to_end(), "");
    EXPECT_TRUE(fresh.ended());
    EXPECT_TRUE(used.ended());
}

TEST_F(HttpServerTest, AClientThatDoesNotReadItsAnswerIsGivenUp) {
    HttpServerOptions options;
    options.read_timeout = 100ms;
    start(options);
    RawClient client(loop, server->port(), 4'096);
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    client.turn(400ms);
    const auto stopping = steady_clock::now();
    stop(5s);
    EXPECT_LT(steady_clock::now() - stopping, 2s) << "its session has ended long ago";
}

TEST_F(HttpServerTest, MoreConnectionsThanItMayHaveWait) {
    HttpServerOptions options;
    options.max_connections = 1;
    start(options);
    auto first = std::make_unique<RawClient>(loop, server->port());
    first->send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(first->read("GET /1 "), HasSubstr("200 OK"));
    RawClient second = connect();
    second.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    second.turn(50ms);
    EXPECT_EQ(requests.size(), 1U);
    first.reset();
    EXPECT_THAT(second.read("GET /2 "), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, StopLetsWhatIsInHandFinishAndClosesTheIdle) {
    start();
    RawClient idle = connect();
    RawClient busy = connect();
    busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    busy.turn(20ms);
    stop(5s);
    EXPECT_THAT(busy.read_to_end(), HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(idle.ended());
    EXPECT_FALSE(connect().connected());
    server.reset();
}

awaitable<ServerAnswer> never(boost::asio::io_context& loop) {
    boost::asio::steady_timer timer(loop, 1h);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return ServerAnswer{};
}

TEST_F(HttpServerTest, StopEndsWhatDoesNotFinishInTime) {
    auto handler = [this](const ServerRequest&) { return never(loop); };
    const HttpServerOptions options;
    server = std::make_unique<HttpServer>(loop.get_executor(), wheel, options, handler);
    ASSERT_TRUE(server->start());
    RawClient client = connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.turn(20ms);
    const auto began = steady_clock::now();
    stop(100ms);
    EXPECT_GE(steady_clock::now() - began, 100ms);
    EXPECT_LT(steady_clock::now() - began, 2s);
    server.reset();
}

TEST_F(HttpServerTest, ATakenPortIsAnErrorThatNamesIt) {
    start();
    HttpServerOptions options;
    options.port = server->port();
    HttpServer second(loop.get_executor(), wheel, options, {});
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(
        started.error().message,
        "cannot listen on 127.0.0.1:" + std::to_string(options.port) + ": Address already in use");
    options.address = "nowhere";
    HttpServer third(loop.get_executor(), wheel, options, {});
    EXPECT_THAT(third.start().error().message, HasSubstr("not an IP address"));
}

}  // namespace
}  // namespace herald
