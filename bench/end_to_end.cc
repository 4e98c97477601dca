// From an event's arrival to its receipt, beside nginx in the same run: rates, CPU and latency.
// Generator, sink and the server under test share the machine's cores. scripts/bench runs it.
//   bench_end_to_end HERALD NGINX EVENT.json [rounds] [seconds] [scenario...]
// Scenarios: single256 single64 batch50 ingest latency; without one: all.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "load/generator.h"
#include "load/measure.h"
#include "load/process.h"
#include "load/sink.h"

namespace herald::bench {
namespace {

struct Setup {
    std::string herald;
    std::string nginx;
    std::string event;
    int rounds = 5;
    double seconds = 4;
};

struct Result {
    double rate = 0;  ///< events a second, from the first send to the last receipt
    double cpu = 0;   ///< microseconds of the server, an event
    double p50 = 0;   ///< milliseconds from send to receipt
    double p99 = 0;
    long idle = 0;  ///< kilobytes in memory before the load,
    long peak = 0;  ///< and at most
};

/// Sends the load, waits until everything has arrived, and takes the measures.
Result measure(const Process& server, const Load& load, const Setup& setup, Sink* sink) {
    StampedEvent event(setup.event);
    Generator generator(load, event);
    if (sink != nullptr) (void)sink->take_latencies();
    const std::uint64_t before = sink != nullptr ? sink->received() : 0;
    const double cpu = server.cpu();
    const long idle = server.memory("VmRSS:");
    const Sent sent = generator.run();
    std::uint64_t end = steady_nanoseconds();
    if (sent.refused > 0) {
        std::printf("  (%llu requests were refused)\n",
                    static_cast<unsigned long long>(sent.refused));
    }
    if (sink != nullptr) {
        const std::uint64_t patience = end + 60'000'000'000;
        while (sink->received() - before < sent.events && steady_nanoseconds() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        if (sink->received() - before < sent.events) std::printf("  (not all arrived)\n");
        end = sink->last_receipt();
    }
    // Outcomes ride with a later commit: their cost belongs to the run.
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    Result result;
    result.idle = idle;
    result.peak = server.memory("VmHWM:");
    const auto events = static_cast<double>(sent.events);
    result.rate = events / (static_cast<double>(end - sent.began) * 1e-9);
    result.cpu = (server.cpu() - cpu) / events;
    if (sink != nullptr) {
        auto latencies = sink->take_latencies();
        result.p50 = quantile(latencies, 0.5);
        result.p99 = quantile(latencies, 0.99);
    }
    return result;
}

/// One POST to the API, by the shell's means.
void create_webhook(const std::string& herald, const std::string& url, std::uint16_t sink) {
    const std::string command = "printf benchmarkkey | '" + herald +
                                "' webhook create bench --url " +
                                "http://127.0.0.1:" + std::to_string(sink) +
                                "/hook --event-type all --branch-scope all_branches " +
                                "--shared-key-file - --address " + url + " > /dev/null";
    if (std::system(command.c_str()) != 0) std::exit(1);  // NOLINT(concurrency-mt-unsafe)
}

Result with_herald(const Setup& setup, Load load, Sink* sink) {
    const Folder folder("herald");
    const auto log = folder.path() / "log";
    const Process server({"/usr/bin/env", "HERALD_LOG__FORMAT=json", setup.herald, "serve",
                          "--listen", "127.0.0.1:0", "--data-dir", folder.path() / "data"},
                         log);
    const std::string url = wait_for(log, "\"url\":\"");
    load.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    if (sink != nullptr) create_webhook(setup.herald, url, sink->port());
    Load warm = load;
    warm.seconds = 0.5;
    const long idle = measure(server, warm, setup, sink).idle;
    Result result = measure(server, load, setup, sink);
    result.idle = idle;
    return result;
}

std::uint16_t free_port() {
    const Sink probe;
    return probe.port();
}

/// As a reverse proxy before the sink, or answering 204 by itself.
Result with_nginx(const Setup& setup, Load load, Sink* sink) {
    const Folder folder("nginx");
    load.port = free_port();
    std::ofstream config(folder.path() / "nginx.conf");
    config << "worker_processes 1; daemon off; pid " << (folder.path() / "pid").native() << ";\n"
           << "error_log stderr error;\nevents { worker_connections 4096; }\n"
           << "http { access_log off; client_body_buffer_size 128k; keepalive_requests 100000000;\n"
           << "client_body_temp_path " << (folder.path() / "body").native() << ";\n";
    if (sink != nullptr) {
        config << "upstream sink { server 127.0.0.1:" << sink->port()
               << "; keepalive 512; keepalive_requests 100000000; }\n";
    }
    config << "server { listen 127.0.0.1:" << load.port << "; location / { "
           << (sink == nullptr ? "return 204;"
                               : "proxy_pass http://sink; proxy_http_version 1.1; "
                                 "proxy_set_header Connection \"\";")
           << " } } }\n";
    config.close();
    const Process server({setup.nginx, "-p", folder.path(), "-c", folder.path() / "nginx.conf"},
                         folder.path() / "log");
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    Load warm = load;
    warm.seconds = 0.5;
    (void)measure(server, warm, setup, sink);
    return measure(server, load, setup, sink);
}

void print(const char* who, const Result& result, bool delivered) {
    std::printf("  %-7s %8.0f events/s  %5.1f us CPU/event", who, result.rate, result.cpu);
    if (delivered) std::printf("  p50 %6.2f ms  p99 %6.2f ms", result.p50, result.p99);
    std::printf("\n");
    std::fflush(stdout);
}

/// herald and nginx in turn, and the median of the ratios.
void compare(const std::string& title, const Setup& setup, const Load& ours, const Load& theirs,
             bool delivered) {
    std::printf("%s\n", title.c_str());
    std::vector<double> rates;
    std::vector<double> cpus;
    for (int round = 0; round < setup.rounds; ++round) {
        std::optional<Sink> sink;
        if (delivered) sink.emplace();
        Sink* to = sink ? &*sink : nullptr;
        const Result herald = with_herald(setup, ours, to);
        const Result nginx = with_nginx(setup, theirs, to);
        print("herald", herald, delivered);
        print("nginx", nginx, delivered);
        rates.push_back(herald.rate / nginx.rate);
        cpus.push_back(herald.cpu / nginx.cpu);
    }
    std::printf("  => rate %.2f of nginx, CPU %.2f of nginx (medians of %d)\n", median(rates),
                median(cpus), setup.rounds);
}

/// The yardstick of latency: what one sync of a few kilobytes takes here.
double sync_p50(const std::filesystem::path& folder) {
    const Fd file(::open((folder / "sync").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    const std::string zeros(1 << 20, '\0');
    (void)::pwrite(file.get(), zeros.data(), zeros.size(), 0);
    (void)::fdatasync(file.get());
    const std::string block(4'096, 'x');
    std::vector<std::uint64_t> took;
    for (int i = 0; i < 500; ++i) {
        const std::uint64_t began = steady_nanoseconds();
        (void)::pwrite(file.get(), block.data(), block.size(), off_t{i % 256} * 4'096);
        (void)::fdatasync(file.get());
        took.push_back(steady_nanoseconds() - began);
    }
    return quantile(took, 0.5);
}

void latency(const Setup& setup) {
    std::printf("latency from send to receipt at 2,000 events/s, 64 connections\n");
    std::vector<double> p50s;
    std::vector<double> p99s;
    for (int round = 0; round < setup.rounds; ++round) {
        Sink sink;
        Load load;
        load.per_second = 2'000;
        load.seconds = setup.seconds;
        const Folder folder("sync");
        const double sync = sync_p50(folder.path());
        const Result herald = with_herald(setup, load, &sink);
        print("herald", herald, true);
        std::printf(
            "  fdatasync of 4 KiB p50 %.2f ms; herald's memory idle %ld MB, at most %ld MB\n", sync,
            herald.idle / 1'024, herald.peak / 1'024);
        p50s.push_back(herald.p50 / sync);
        p99s.push_back(herald.p99);
    }
    std::printf("  => p50 %.1f times a sync, p99 %.1f ms (medians of %d)\n", median(p50s),
                median(p99s), setup.rounds);
}

Load load_of(std::size_t connections, std::size_t events_each, const Setup& setup) {
    Load load;
    load.connections = connections;
    load.events_each = events_each;
    load.seconds = setup.seconds;
    return load;
}

const std::map<std::string, std::function<void(const Setup&)>> scenarios = {
    {"single256",
     [](const Setup& setup) {
         const Load load = load_of(256, 1, setup);
         compare("event to receipt, 256 connections", setup, load, load, true);
     }},
    {"single64",
     [](const Setup& setup) {
         const Load load = load_of(64, 1, setup);
         compare("event to receipt, 64 connections", setup, load, load, true);
     }},
    {"batch50",
     [](const Setup& setup) {
         compare(
             "event to receipt, 50 events a request over 8 connections, nginx with one over 256",
             setup, load_of(8, 50, setup), load_of(256, 1, setup), true);
     }},
    {"ingest",
     [](const Setup& setup) {
         const Load load = load_of(256, 1, setup);
         compare("durable ingest alone, 256 connections, nginx with `return 204`", setup, load,
                 load, false);
     }},
    {"latency", latency},
};

}  // namespace
}  // namespace herald::bench

int main(int argc, char** argv) {
    using namespace herald::bench;
    if (argc < 4) {
        std::fprintf(stderr,
                     "usage: bench_end_to_end HERALD NGINX EVENT.json [rounds] [seconds] "
                     "[scenario...]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
    Setup setup{argv[1], argv[2], argv[3]};
    if (argc > 4) setup.rounds = std::atoi(argv[4]);
    if (argc > 5) setup.seconds = std::atof(argv[5]);
    for (const auto& [name, run] : scenarios) {
        const bool named = std::any_of(argv + std::min(argc, 6), argv + argc,
                                       [&](const char* word) { return name == word; });
        if (argc <= 6 || named) run(setup);
    }
    return 0;
}
