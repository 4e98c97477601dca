// What a transformation costs through the pool of hosts: rate with many events at hand, latency
// with one at a time. The yardstick of the same run is a host that gives back what it gets.
//   bench_transform EVENT.json [seconds] [rounds]
//   bench_transform echo              the yardstick's host, started by the pool
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "async/task_group.h"
#include "async/wheel.h"
#include "base/json.h"
#include "base/metrics.h"
#include "load/measure.h"
#include "transform/frame.h"
#include "transform/host_pool.h"
#include "transform/jq_host.h"
#include "transform/python_host.h"

namespace herald::bench {
namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr int callers = 64;

/// What a host in Python costs that does nothing: what its loop must at least do.
constexpr std::string_view bare_python = R"(
import os, struct
buffer = b''
while True:
    part = os.read(3, 262144)
    if not part: break
    buffer += part
    out = []
    while len(buffer) >= 5:
        size = struct.unpack_from('<I', buffer)[0] + 4
        if len(buffer) < size: break
        kind, text = buffer[4], buffer[5:size]
        buffer = buffer[size:]
        out.append(b'\1\0\0\0R' if kind == 76 else struct.pack('<I', size - 4) + b'B' + text)
    data = b''.join(out)
    while data: data = data[os.write(3, data):]
)";

struct Runtime {
    std::string name;
    std::shared_ptr<const HostPlan> plan;
};

Runtime runtime(std::string name, std::vector<std::string> command) {
    HostPlan plan;
    plan.command = std::move(command);
    plan.load = "{}";
    plan.limits.cpu_seconds = 0;
    plan.key = name;
    return {std::move(name), std::make_shared<const HostPlan>(std::move(plan))};
}

/// One with code that takes some of the event, and all of it.
Runtime coded(std::string name, std::vector<std::string> command, const std::string& source) {
    HostPlan plan = *runtime(std::move(name), std::move(command)).plan;
    const std::string_view kind = std::string_view(plan.key).substr(0, plan.key.find(' '));
    plan.load = R"({"runtime":")" + std::string(kind) + R"(","source":)";
    append_json_string(plan.load, source);
    plan.load += R"(,"file":null,"root":null,"class":null,"branch":"","input":"body","secrets":{},)"
                 R"("url":null,"headers":{},"content_type":"application/json","modules":{}})";
    if (kind != "jq") plan.program = python_host_program();
    std::string key = plan.key;
    return {std::move(key), std::make_shared<const HostPlan>(std::move(plan))};
}

/// The yardstick comes first.
std::vector<Runtime> runtimes() {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const auto python = python_host_command("python3");
    return {
        runtime("echo", {self, "echo"}),
        runtime("bare python", {"python3", "-I", "-S", "-c", std::string(bare_python)}),
        coded("jq", {self, "jq-host"}, "{event, id, data}"),
        coded("python", python,
              "def transform(data):\n"
              "    return {'event': data['event'], 'id': data['id'], 'data': data['data']}\n"),
        coded("jinja2", python,
              R"({"event": {{ event|tojson }}, "id": {{ id|tojson }}, "data": {{ data|tojson }}})"),
    };
}

struct Figures {
    std::vector<double> rate;  ///< a second, one per round
    std::vector<double> cpu;   ///< of herald's thread, in microseconds for each
    std::vector<std::uint64_t> latency;  ///< nanoseconds
};

double thread_cpu() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void must_answer(const HostAnswer& answer) {
    if (answer.kind == HostAnswer::Kind::body) return;
    std::fprintf(stderr, "%s\n", answer.payload.c_str());
    std::exit(1);
}

class Bench {
public:
    Bench(std::string event, double seconds) : event_(std::move(event)), seconds_(seconds) {}

    void round(const Runtime& runtime, Figures& figures) {
        ask(runtime, 1, 200, nullptr);
        const double cpu = thread_cpu();
        const auto began = steady_clock::now();
        const std::uint64_t done = ask(runtime, callers, 0, nullptr);
        const std::chrono::duration<double> took = steady_clock::now() - began;
        figures.rate.push_back(static_cast<double>(done) / took.count());
        figures.cpu.push_back((thread_cpu() - cpu) * 1e6 / static_cast<double>(done));
        ask(runtime, 1, 2'000, &figures.latency);
    }

    void stop() {
        TaskGroup tasks(loop_.get_executor());
        tasks.start(pool_.stop());
        run();
    }

private:
    /// `most` events for each caller; 0: as many as the time allows.
    std::uint64_t ask(const Runtime& runtime, int count, std::uint64_t most,
                      std::vector<std::uint64_t>* latency) {
        const auto until = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                                     std::chrono::duration<double>(seconds_));
        std::uint64_t done = 0;
        TaskGroup tasks(loop_.get_executor());
        for (int i = 0; i < count; ++i) tasks.start(call(runtime, most, until, latency, done));
        // What is left on the loop then are the pool's children.
        while (tasks.size() > 0) loop_.run_one();
        return done;
    }

    awaitable<void> call(const Runtime& runtime, std::uint64_t most, steady_clock::time_point until,
                         std::vector<std::uint64_t>* latency, std::uint64_t& done) {
        for (std::uint64_t n = 0; most == 0 ? steady_clock::now() < until : n < most; ++n) {
            const auto began = steady_clock::now();
            const HostAnswer answer = co_await pool_.run(runtime.plan, event_);
            must_answer(answer);
            const auto took = steady_clock::now() - began;
            if (latency != nullptr) {
                latency->push_back(static_cast<std::uint64_t>(
                    std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
            }
            ++done;
        }
    }

    void run() {
        loop_.restart();
        loop_.run();
    }

    boost::asio::io_context loop_{1};
    Wheel wheel_{loop_.get_executor()};
    Metrics metrics_;
    HostPool pool_{loop_.get_executor(), wheel_, metrics_, {.processes_each = 1}};
    std::string event_;
    double seconds_;
};

void print(const std::vector<Runtime>& all, std::vector<Figures>& figures) {
    std::printf("%-14s %12s %8s %14s %10s %10s %12s\n", "host", "events/s", "/ echo",
                "herald us each", "p50 ms", "p99 ms", "added p50");
    const double yard_rate = median(figures[0].rate);
    const double yard_latency = quantile(figures[0].latency, 0.5);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double rate = median(figures[i].rate);
        const double middle = quantile(figures[i].latency, 0.5);
        std::printf("%-14s %12.0f %8.2f %14.1f %10.3f %10.3f %12.3f\n", all[i].name.c_str(), rate,
                    rate / yard_rate, median(figures[i].cpu), middle,
                    quantile(figures[i].latency, 0.99), middle - yard_latency);
    }
}

int measure(const char* path, double seconds, int rounds) {
    std::ostringstream event;
    event << std::ifstream(path).rdbuf();
    Bench bench(event.str(), seconds);
    const std::vector<Runtime> all = runtimes();
    std::vector<Figures> figures(all.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) bench.round(all[i], figures[i]);
    }
    bench.stop();
    std::printf("%zu bytes an event, one child each, %d callers; medians of %d rounds\n",
                event.str().size(), callers, rounds);
    print(all, figures);
    return 0;
}

// --- The yardstick's host -----------------------------------------------------------------------

void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = ::write(3, bytes.data(), bytes.size());
        if (size <= 0) std::exit(1);
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

/// Answers each frame that begins `in`, and removes it.
void answer_all(std::string& in, std::string& out) {
    std::size_t at = 0;
    while (in.size() - at >= frame_head_bytes) {
        std::uint32_t length = 0;
        std::memcpy(&length, in.data() + at, sizeof length);
        if (in.size() - at < frame_length_bytes + length) break;
        const std::string_view payload(in.data() + at + frame_head_bytes, length - 1);
        const auto kind = static_cast<FrameKind>(in[at + frame_length_bytes]);
        if (kind == FrameKind::load) append_frame(out, FrameKind::ready, {});
        if (kind == FrameKind::transform) append_frame(out, FrameKind::body, payload);
        at += frame_length_bytes + length;
    }
    in.erase(0, at);
}

int echo() {
    std::string in;
    std::string out;
    std::vector<char> part(std::size_t{256} * 1024);
    for (;;) {
        const auto size = ::read(3, part.data(), part.size());
        if (size <= 0) return 0;
        in.append(part.data(), static_cast<std::size_t>(size));
        answer_all(in, out);
        write_all(out);
        out.clear();
    }
}

}  // namespace
}  // namespace herald::bench

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_transform EVENT.json [seconds] [rounds]\n");
        return 2;
    }
    if (std::string_view(argv[1]) == "echo") return herald::bench::echo();
    if (std::string_view(argv[1]) == "jq-host") return herald::run_jq_host(3);
    const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
    const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
    return herald::bench::measure(argv[1], seconds, rounds);
}
