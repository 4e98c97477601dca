// What one request costs the client and the server: CPU of one thread, over kept connections on
// the loopback.
//   bench_http both|URL [connections] [seconds]   both: our client against our server
//   bench_http serve                              the server alone, for an outside generator,
//                                                 until the input ends
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "async/task_group.h"
#include "async/wheel.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace herald {
namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

double thread_cpu() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// An io_context, a wheel and the server on it, on a thread of its own.
struct ServerThread {
    boost::asio::io_context loop{1};
    Wheel wheel{loop.get_executor()};
    HttpServer server{loop.get_executor(), wheel, {}, [this](const ServerRequest& request) {
                          return answer(request);
                      }};
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<double> cpu = 0;
    std::jthread thread;

    ServerThread() {
        if (!server.start()) std::abort();
        thread = std::jthread([this] {
            loop.run();
            cpu = thread_cpu();
        });
    }
    awaitable<ServerAnswer> answer(const ServerRequest&) {
        ++answered;
        ServerAnswer out;
        out.status = 202;
        out.body = R"({"accepted":1})";
        co_return out;
    }
};

awaitable<void> run_client(HttpClient& client, HttpRequest request, steady_clock::time_point until,
                           std::uint64_t& done) {
    while (steady_clock::now() < until) {
        const HttpAnswer answer = co_await client.post(request);
        if (!answer.outcome.ok()) {
            std::fprintf(stderr, "%s\n", answer.outcome.message.c_str());
            co_return;
        }
        ++done;
    }
}

void measure(const std::string& url_text, std::size_t connections, int seconds,
             ServerThread* server) {
    boost::asio::io_context loop{1};
    Wheel wheel{loop.get_executor()};
    HttpClientOptions options;
    options.user_agent = "herald";
    const auto client = make_http_client(loop.get_executor(), wheel, options);
    HttpRequest request;
    request.url = parse_url(url_text).value();
    request.verify_certificates = false;
    request.headers = {{"Content-Type", "application/json"},
                       {"webhook-id", "msg_0123456789abcdef0123456789abcdef"},
                       {"webhook-timestamp", "1700000000"},
                       {"webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}};
    request.body.assign(1'024, 'x');
    TaskGroup tasks(loop.get_executor());
    std::uint64_t done = 0;
    const auto until = steady_clock::now() + std::chrono::seconds{seconds};
    for (std::size_t i = 0; i < connections; ++i) {
        tasks.start(run_client(*client, request, until, done));
    }
    const double before = thread_cpu();
    loop.run_until(until);
    const double spent = thread_cpu() - before;
    loop.run_for(std::chrono::seconds{1});
    client->close();
    std::printf("client %.2f us/request, %.0f requests/s\n",
                spent * 1e6 / static_cast<double>(done), static_cast<double>(done) / seconds);
    if (server == nullptr) return;
    server->loop.stop();
    server->thread.join();
    std::printf("server %.2f us/request\n",
                server->cpu * 1e6 / static_cast<double>(server->answered));
}

}  // namespace
}  // namespace herald

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "both";
    const std::size_t connections = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 64;
    const int seconds = argc > 3 ? std::atoi(argv[3]) : 5;
    if (what.starts_with("http")) {
        herald::measure(std::string(what), connections, seconds, nullptr);
        return 0;
    }
    herald::ServerThread server;
    const std::string url =
        "http://127.0.0.1:" + std::to_string(server.server.port()) + "/v1/events";
    if (what == "serve") {
        std::printf("%s\n", url.c_str());
        std::fflush(stdout);
        while (std::getchar() != EOF) {
        }
        server.loop.stop();
        server.thread.join();
        std::printf("server %.2f us/request, %llu requests\n",
                    server.cpu * 1e6 / static_cast<double>(server.answered),
                    static_cast<unsigned long long>(server.answered.load()));
        return 0;
    }
    herald::measure(url, connections, seconds, &server);
}
