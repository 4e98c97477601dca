// What one bad webhook among a thousand costs the others: their latency from the arrival of an
// event to its receipt, with it and without, in turn. scripts/bench runs it.
//   bench_fairness HERALD EVENT.json [rounds] [seconds] [pending]
// The bad one gets a fifth of all events. It hangs (its receiver never answers), or it is the one
// with `pending` deliveries waiting when the measure begins.
#include <cstring>
#include <map>

#include "load/api_call.h"
#include "load/generator.h"
#include "load/measure.h"
#include "load/process.h"
#include "load/sink.h"

namespace herald::bench {
namespace {

constexpr std::uint64_t webhooks = 1'000;
constexpr double per_second = 2'000;

struct Setup {
    std::string herald;
    std::string event;
    int rounds = 5;
    double seconds = 5;
    std::uint64_t pending = 1'000'000;
};

/// What the webhook that is measured against does.
enum class Bad { nothing, hangs, has_backlog, hangs_with_backlog };

struct Result {
    double p50 = 0;   ///< milliseconds from send to receipt, of the others
    double p99 = 0;
    long before = 0;  ///< kilobytes in memory when the measure begins,
    long peak = 0;    ///< and at most
};

std::string webhook(std::uint64_t number, std::uint16_t receiver) {
    return R"({"name":"hook-)" + std::to_string(number) + R"(","event_type":")" +
           StampedEvent::type(number) +
           R"(","branch_scope":"all_branches","url":"http://127.0.0.1:)" +
           std::to_string(receiver) + R"(/","shared_key":"benchmarkkey","timeout":1})";
}

/// Leaves `count` deliveries of the first webhook pending: its receiver hangs meanwhile.
void fill(const Setup& setup, std::uint16_t port, std::uint64_t count) {
    StampedEvent event(setup.event);
    event.vary_type([](std::uint64_t) { return 0; });
    constexpr std::uint64_t at_once = 1'000;
    std::string batch;
    for (std::uint64_t sent = 0; sent < count; sent += at_once) {
        batch.clear();
        for (std::uint64_t i = 0; i < at_once; ++i) {
            batch += batch.empty() ? '[' : ',';
            batch += event.next();
        }
        batch += ']';
        (void)call(port, "POST", "/api/v1/events", batch);
    }
}

Result measure(const Setup& setup, Bad bad) {
    const Folder folder("fairness");
    const auto log = folder.path() / "log";
    const Process server({"/usr/bin/env", "HERALD_LOG__FORMAT=json", setup.herald, "serve",
                          "--listen", "127.0.0.1:0", "--data-dir", folder.path() / "data"},
                         log);
    const std::string url = wait_for(log, "\"url\":\"");
    Load load;
    load.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    load.per_second = per_second;
    Sink others;
    const Sink first;
    const Listener hole;  // says nothing
    for (std::uint64_t i = 0; i < webhooks; ++i) {
        const bool well = i == 0 && bad == Bad::nothing;
        const std::uint16_t receiver = i > 0 ? others.port() : well ? first.port() : hole.port();
        (void)call(load.port, "POST", "/api/v1/webhooks", webhook(i, receiver));
    }
    if (bad == Bad::has_backlog || bad == Bad::hangs_with_backlog) {
        fill(setup, load.port, setup.pending);
    }
    if (bad == Bad::has_backlog) {
        const std::string here =
            "{\"url\":\"http://127.0.0.1:" + std::to_string(first.port()) + "/\"}";
        (void)call(load.port, "PATCH", "/api/v1/webhooks/hook-0", here);
    }
    StampedEvent event(setup.event);
    event.vary_type([](std::uint64_t n) { return n % 5 == 0 ? 0 : 1 + n % (webhooks - 1); });
    load.seconds = 1;
    (void)Generator(load, event).run();
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    (void)others.take_latencies();
    Result result;
    result.before = server.memory("VmRSS:");
    load.seconds = setup.seconds;
    const std::uint64_t before = others.received();
    const Sent sent = Generator(load, event).run();
    const std::uint64_t patience = steady_nanoseconds() + 30'000'000'000;
    const std::uint64_t expected = before + sent.events * 4 / 5 - 1;
    while (others.received() < expected && steady_nanoseconds() < patience) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    if (others.received() < expected) std::printf("  (not all arrived)\n");
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    auto latencies = others.take_latencies();
    result.p50 = quantile(latencies, 0.5);
    result.p99 = quantile(latencies, 0.99);
    result.peak = server.memory("VmHWM:");
    return result;
}

void print(const char* who, const Result& result) {
    std::printf("  %-8s p50 %6.2f ms  p99 %6.2f ms  memory %ld MB, at most %ld MB\n", who,
                result.p50, result.p99, result.before / 1'024, result.peak / 1'024);
    std::fflush(stdout);
}

void compare(const std::string& title, const Setup& setup, Bad bad) {
    std::printf("%s\n", title.c_str());
    std::vector<double> p50s;
    std::vector<double> p99s;
    for (int round = 0; round < setup.rounds; ++round) {
        const Result without = measure(setup, Bad::nothing);
        const Result with = measure(setup, bad);
        print("without", without);
        print("with", with);
        p50s.push_back(with.p50 / without.p50);
        p99s.push_back(with.p99 / without.p99);
    }
    std::printf("  => p50 %.2f, p99 %.2f of what it is without it (medians of %d)\n", median(p50s),
                median(p99s), setup.rounds);
}

}  // namespace
}  // namespace herald::bench

int main(int argc, char** argv) {
    using namespace herald::bench;
    if (argc < 3) {
        std::fprintf(stderr,
                     "usage: bench_fairness HERALD EVENT.json [rounds] [seconds] [pending]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
    Setup setup{argv[1], argv[2]};
    if (argc > 3) setup.rounds = std::atoi(argv[3]);
    if (argc > 4) setup.seconds = std::atof(argv[4]);
    if (argc > 5) setup.pending = static_cast<std::uint64_t>(std::atoll(argv[5]));
    std::printf("1,000 webhooks, 2,000 events a second, a fifth of them for the first webhook\n");
    compare("the first one's receiver hangs", setup, Bad::hangs);
    const std::string many = std::to_string(setup.pending) + " deliveries pending";
    compare("the first one has " + many + " and its receiver keeps up", setup, Bad::has_backlog);
    compare("the first one has " + many + " and its receiver hangs", setup,
            Bad::hangs_with_backlog);
    return 0;
}
