// A process without file descriptors: what wants one waits for it, and nothing spins.
#include <sys/socket.h>

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_group.h"
#include "base/sanitizers.h"
#include "net/http_server.h"
#include "support/client_test.h"
#include "support/few_descriptors.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using boost::asio::awaitable;
using std::chrono::steady_clock;
using testing::HasSubstr;

awaitable<void> keep_answer(HttpClient& client, HttpRequest request,
                            std::optional<HttpAnswer>& out) {
    out = co_await client.post(request);
}

struct DescriptorsTest : ClientTest {
    void SetUp() override {
        // The check of virtual calls, which comes with it, opens a pipe to look at memory, and
        // takes a failure for an invalid object.
        if (watches_addresses) GTEST_SKIP() << "this sanitizer needs file descriptors itself";
    }
    /// Turns the loop for that long; gives how many steps it took.
    std::size_t turn(steady_clock::duration time) {
        loop.restart();
        return loop.run_for(time);
    }
    /// While one descriptor is left, for the client, asks the server, whose side of the connection
    /// gets none. Gives how many steps the loop took in 600 ms.
    std::size_t ask_with_one_left(const HttpServer& server) {
        HttpRequest request;
        request.url = {.host = "127.0.0.1", .port = server.port(), .target = "/"};
        request.timeout = 20s;
        std::optional<FewDescriptors> few;
        const int spare = ::dup(STDIN_FILENO);
        few.emplace();
        ::close(spare);
        asking.start(keep_answer(*client, std::move(request), kept));
        return turn(600ms);
    }

    TaskGroup asking{loop.get_executor()};
    std::optional<HttpAnswer> kept;  ///< its answer
};

TEST_F(DescriptorsTest, ARequestWaitsForOne) {
    const RawReceiver receiver({always(an_answer(200))});
    TaskGroup tasks(loop.get_executor());
    std::optional<HttpAnswer> answer;
    {
        const FewDescriptors few;
        tasks.start(keep_answer(*client, request_to(receiver), answer));
        EXPECT_LT(turn(600ms), 200U) << "the loop spins";
        EXPECT_FALSE(answer.has_value());
    }
    run(loop, tasks.join());
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->outcome.ok()) << answer->outcome.message;
}

TEST_F(DescriptorsTest, ARequestTakesTheOneOfAnIdleConnection) {
    const RawReceiver idle({always(an_answer(200))});
    const RawReceiver receiver({always(an_answer(200))});
    EXPECT_TRUE(post(idle).outcome.ok());
    {
        const FewDescriptors few;
        const HttpAnswer answer = post(receiver);
        EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    }
    EXPECT_FALSE(post(idle).reused_connection);
}

TEST_F(DescriptorsTest, ARequestThatGetsNoneIsAFailureOfTheConnection) {
    const RawReceiver receiver({always(an_answer(200))});
    HttpRequest request = request_to(receiver);
    request.connect_timeout = 300ms;
    const FewDescriptors few;
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_THAT(answer.outcome.message, HasSubstr("no file descriptor left"));
}

awaitable<ServerAnswer> say_ok(const ServerRequest&) { co_return ServerAnswer{}; }

TEST_F(DescriptorsTest, TheServerTakesTheOneOfAnIdleConnectionToAReceiver) {
    const RawReceiver idle({always(an_answer(200))});
    EXPECT_TRUE(post(idle).outcome.ok());
    HttpServerOptions options;
    options.give_way = [this] { return client->close_oldest_idle(); };
    HttpServer server(loop.get_executor(), wheel, std::move(options), say_ok);
    ASSERT_TRUE(server.start().has_value());
    ask_with_one_left(server);
    EXPECT_TRUE(kept.has_value()) << "the server waits";
    run(loop, asking.join());
    EXPECT_EQ(kept.value_or(HttpAnswer{}).status, 200);
    EXPECT_FALSE(post(idle).reused_connection);
    run(loop, server.stop(1s));
}

TEST_F(DescriptorsTest, TheServerAcceptsAgainWhenThereAreSome) {
    HttpServer server(loop.get_executor(), wheel, {}, say_ok);
    ASSERT_TRUE(server.start().has_value());
    EXPECT_LT(ask_with_one_left(server), 200U) << "the loop spins";
    EXPECT_FALSE(kept.has_value());
    run(loop, asking.join());
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->status, 200) << kept->outcome.message;
    run(loop, server.stop(1s));
}

}  // namespace
}  // namespace herald
