#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <random>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/commands.h"
#include "app/signature_choice.h"
#include "async/clock.h"
#include "async/task_group.h"
#include "async/wheel.h"
#include "core/redact.h"
#include "net/http_server.h"

namespace herald {

namespace {

struct ListenOptions {
    std::string bind = "127.0.0.1";
    std::uint16_t port = 8200;
    std::string key_file;
    SignatureChoice choice;
    std::string tolerance = "5m";
    double fail = 0;
    int fail_first = 0;
    int fail_status = 503;
    std::string delay = "0s";
    int count = 0;
    bool quiet = false;
};

/// A receiver for tests: verifies, answers as the documented example does, prints what arrived.
class Receiver {
public:
    Receiver(ListenOptions options, std::string key, Output output, boost::asio::io_context& loop)
        : options_(std::move(options)), key_(std::move(key)), output_(output), loop_(loop) {}

    boost::asio::awaitable<ServerAnswer> handle(const ServerRequest& request) {
        if (request.method == "GET") {
            co_return answer(200, "success", "Webhook server is running");
        }
        if (delay_ > Duration{0}) {
            boost::asio::steady_timer timer(loop_);
            timer.expires_after(delay_);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        ++arrived_;
        const ServerAnswer given = judge(request);
        if (options_.count > 0 && arrived_ >= options_.count) {
            // After the answer is out.
            last_.expires_after(std::chrono::milliseconds{100});
            last_.async_wait([this](auto) { loop_.stop(); });
        }
        co_return given;
    }

    Result<> start() {
        const auto delay = parse_duration(options_.delay);
        if (!delay) return fail(Errc::invalid, "--delay: a duration such as 2s");
        delay_ = *delay;
        const auto profile = options_.choice.named_profile();
        if (!profile) return fail(profile.error());
        profile_ = *profile;
        auto written = options_.choice.options();
        if (!written) return fail(written.error());
        written_ = std::move(*written);
        if (options_.tolerance == "none") return {};
        tolerance_ = parse_duration(options_.tolerance);
        if (!tolerance_) return fail(Errc::invalid, "--tolerance: a duration such as 5m, or none");
        return {};
    }

private:
    static ServerAnswer answer(int status, const std::string& state, const std::string& message) {
        ServerAnswer given;
        given.status = status;
        given.body = JsonObject().add("status", state).add("message", message).text();
        return given;
    }

    Verification check(const ServerRequest& request) const {
        const auto find = [&](std::string_view name) { return request.header(name); };
        return verify_request(profile_, written_, key_, find, request.body, SystemClock{}.now(),
                              tolerance_);
    }

    ServerAnswer judge(const ServerRequest& request) {
        std::string verdict = "unchecked";
        std::string profile;
        int status = 200;
        if (!key_.empty()) {
            const Verification result = check(request);
            verdict = to_text(result.verdict);
            if (result.verdict == Verdict::valid) profile = to_text(result.profile);
            if (result.verdict != Verdict::valid) status = 403;
            if (result.verdict == Verdict::missing_header) status = 400;
        }
        if (status == 200 && fails_on_purpose()) status = options_.fail_status;
        print(request, verdict, profile, status);
        if (status == 200) return answer(200, "success", "Webhook received and verified");
        return answer(status, "error", verdict == "valid" ? "failing on purpose" : verdict);
    }

    bool fails_on_purpose() {
        if (arrived_ <= options_.fail_first) return true;
        return std::uniform_real_distribution<double>(0, 1)(random_) < options_.fail;
    }

    void print(const ServerRequest& request, const std::string& verdict, const std::string& profile,
               int status) const {
        if (output_.chosen() != OutputFormat::table) {
            JsonObject headers;
            for (const auto& [name, value] : request.headers) {
                const bool secret = is_secret_header(name) && name != "webhook-signature";
                headers.add(name, secret ? redacted : std::string_view(value));
            }
            JsonObject line;
            line.add("received_at", to_rfc3339(SystemClock{}.now()))
                .add("method", request.method)
                .add("path", redact_url(request.target))
                .add_json("answered", std::to_string(status))
                .add("signature", verdict)
                .add("profile", profile)
                .add_json("headers", headers.text())
                .add("body", request.body);
            std::printf("%s\n", line.text().c_str());
        } else {
            const std::string seen = profile.empty() ? verdict : verdict + " (" + profile + ")";
            std::printf("%s  %s %s -> %d  signature %s\n", to_rfc3339(SystemClock{}.now()).c_str(),
                        request.method.c_str(), printable(redact_url(request.target)).c_str(),
                        status, seen.c_str());
            std::printf("  webhook-id: %s\n", std::string(request.header("webhook-id")).c_str());
            if (!options_.quiet) print_body(request.body);
        }
        std::fflush(stdout);
    }

    static void print_body(const std::string& body) {
        const auto json = canonical_json(body);
        std::printf("%s\n", (json ? to_pretty_json(JsonView(*json)) : printable(body)).c_str());
    }

    ListenOptions options_;
    std::string key_;
    Output output_;
    boost::asio::io_context& loop_;
    boost::asio::steady_timer last_{loop_};
    Duration delay_{0};
    SignatureProfile profile_ = SignatureProfile::automatic;
    SignatureOptions written_;
    std::optional<Duration> tolerance_;
    std::mt19937_64 random_{std::random_device{}()};
    int arrived_ = 0;
};

void listen(CommandLine& line, const ListenOptions& options) {
    std::string key;
    if (!options.key_file.empty()) {
        auto read = read_secret(options.key_file);
        if (!read) return line.fail_with(Exit::usage, read.error().message);
        key = std::move(*read);
    }
    boost::asio::io_context loop(1);
    Receiver receiver(options, key, line.output(), loop);
    if (auto started = receiver.start(); !started) {
        return line.fail_with(Exit::usage, started.error().message);
    }
    Wheel wheel(loop.get_executor());
    HttpServerOptions server_options;
    server_options.address = options.bind;
    server_options.port = options.port;
    HttpServer server(loop.get_executor(), wheel, server_options,
                      [&](const ServerRequest& request) { return receiver.handle(request); });
    if (auto bound = server.start(); !bound) {
        return line.fail_with(Exit::failure, bound.error().message);
    }
    std::fprintf(stderr, "listening on http://%s:%d, %s\n", options.bind.c_str(),
                 int{server.port()},
                 key.empty() ? "not verifying (no --key-file)" : "verifying signatures");
    boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { loop.stop(); });
    TaskGroup tasks(loop.get_executor());
    loop.run();
    // Lets what still runs end before the parts go.
    tasks.start(server.stop(std::chrono::seconds{0}));
    loop.restart();
    loop.run_for(std::chrono::seconds{1});
}

}  // namespace

void add_listen(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<ListenOptions>();
    auto* command = app.add_subcommand(
        "listen",
        "Receive webhooks, verify them and print what arrived: a receiver for tests\n\n"
        "  herald listen --key-file key.txt\n"
        "  herald listen --port 9000 --fail 0.3 --delay 2s      an unreliable one\n"
        "  herald listen --key-file key.txt --signature-profile github\n\n"
        "Answers as the documented example: 400 without the headers, 403 on a wrong signature.");
    command->add_option("-p,--port", options->port, "Port (default 8200; 0: any)");
    command->add_option("--bind", options->bind, "Address (default 127.0.0.1)");
    command->add_option("--key-file", options->key_file, "File with the shared key");
    options->choice.add_to(*command,
                           "Accept only this one (default: what fits the headers and the key)");
    command->add_option("--tolerance", options->tolerance,
                        "How far off the timestamp may be (default 5m); none: any");
    command->add_option("--fail", options->fail, "Share of requests to fail, 0 to 1")
        ->check(CLI::Range(0.0, 1.0));
    command->add_option("--fail-first", options->fail_first, "Fail so many, then succeed");
    command->add_option("--fail-status", options->fail_status, "Status of a failure (default 503)")
        ->check(CLI::Range(300, 599));
    command->add_option("--delay", options->delay, "Wait before each answer, such as 2s");
    command->add_option("--count", options->count, "End after so many requests");
    command->add_flag("--quiet", options->quiet, "Do not print bodies on a terminal");
    command->callback([&line, options] { listen(line, *options); });
}

}  // namespace herald
