/// Searches over 10 million events (153 segments) by their event indexes, warm, one core.
///
/// Each measurement walks all segments newest first until its page is full, as the store does;
/// those that find nothing see every segment. Events come in bursts: types 30, branches 40 and
/// accounts 200 in the whole log, nodes 1 million, times in order but for "disorder".

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "store/sqlite/event_index.h"

// A query here names the filters it is about; the others have no values by their default.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace herald {
namespace {

constexpr std::uint64_t segments = 153;
constexpr std::uint64_t segment_rows = 65'536;

EventId id_of(std::uint64_t n) {
    EventId id;
    std::memcpy(id.bytes.data(), &n, 8);
    return id;
}

std::string node_of(std::uint64_t n) {
    std::string text = "17f0d6c2-0000-4000-8000-000000000000";
    const std::string digits = std::to_string(n);
    return text.replace(text.size() - digits.size(), digits.size(), digits);
}

Event make_event(std::mt19937_64& random, std::uint64_t n, bool disorder) {
    Event event;
    event.id = id_of(n);
    event.type = "log.node.type" + std::to_string(random() % 30);
    event.occurred_at =
        from_micros(static_cast<std::int64_t>(disorder ? random() % 10'000'000'000 : n * 1000));
    event.branch = "branch-" + std::to_string(random() % 40);
    // One account never makes one type of event: together they are asked for in vain.
    event.account_id = "account-" + std::to_string(random() % 200);
    if (event.type == "log.node.type7" && event.account_id == "account-9") {
        event.account_id = "account-10";
    }
    event.node.id = node_of(random() % 1'000'000);
    event.related = {{"common-node", ""}};
    if (n % 2 == 0) {
        event.parent = id_of(random() % (n + 1));
    }
    event.level = static_cast<std::uint32_t>(random() % 4);
    event.has_children = random() % 4 == 0;
    return event;
}

/// The saved and mapped segments, made once.
class Log {
public:
    explicit Log(bool disorder) {
        std::filesystem::create_directories(directory_);
        std::mt19937_64 random(1);
        for (std::uint64_t s = 0; s < segments; ++s) {
            EventIndex tail;
            for (std::uint64_t i = 0; i < segment_rows; ++i) {
                const std::uint64_t n = s * segment_rows + i;
                tail.append(EventSeq{n + 1}, make_event(random, n, disorder));
            }
            const auto path = directory_ / std::to_string(s);
            if (!tail.save(path)) {
                std::abort();
            }
            indexes_.push_back(EventIndex::open(path).value());
        }
    }
    ~Log() { std::filesystem::remove_all(directory_); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    static const Log& ordered() {
        static const Log log(false);
        return log;
    }

    [[nodiscard]] std::size_t page(const EventQuery& query) const {
        std::size_t found = 0;
        for (auto index = indexes_.rbegin(); index != indexes_.rend() && found < 50; ++index) {
            found += index->search(query, 50 - found).size();
        }
        return found;
    }
    [[nodiscard]] std::uint64_t count(const EventQuery& query) const {
        std::uint64_t total = 0;
        for (const EventIndex& index : indexes_) {
            total += index.count(query, ~std::uint64_t{0});
        }
        return total;
    }
    [[nodiscard]] std::size_t find(std::uint64_t n) const {
        std::size_t found = 0;
        for (const EventIndex& index : indexes_) {
            found += index.find(id_of(n)).size();
        }
        return found;
    }
    [[nodiscard]] std::size_t reopen() const {
        std::size_t rows = 0;
        for (std::uint64_t s = 0; s < segments; ++s) {
            rows += EventIndex::open(directory_ / std::to_string(s)).value().size();
        }
        return rows;
    }
    [[nodiscard]] double bytes_per_event() const {
        std::uintmax_t bytes = 0;
        for (std::uint64_t s = 0; s < segments; ++s) {
            bytes += std::filesystem::file_size(directory_ / std::to_string(s));
        }
        return static_cast<double>(bytes) / static_cast<double>(segments * segment_rows);
    }

private:
    std::filesystem::path directory_ = std::filesystem::temp_directory_path() /
                                       ("herald-bench-index-" + std::to_string(::getpid()));
    std::vector<EventIndex> indexes_;
};

std::vector<std::string> numbered(const std::string& prefix, int count) {
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        names.push_back(prefix + std::to_string(i * 2));
    }
    return names;
}

void pages(benchmark::State& state, const EventQuery& query) {
    const Log& log = Log::ordered();
    std::size_t found = 0;
    for (auto _ : state) {
        found = log.page(query);
    }
    state.counters["found"] = static_cast<double>(found);
}

void counts(benchmark::State& state, const EventQuery& query) {
    const Log& log = Log::ordered();
    std::uint64_t found = 0;
    for (auto _ : state) {
        found = log.count(query);
    }
    state.counters["found"] = static_cast<double>(found);
}

void find_id(benchmark::State& state) {
    const Log& log = Log::ordered();
    std::uint64_t n = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(log.find(++n * 7919));
    }
}

void open_all(benchmark::State& state) {
    const Log& log = Log::ordered();
    for (auto _ : state) {
        benchmark::DoNotOptimize(log.reopen());
    }
    state.counters["bytes_per_event"] = log.bytes_per_event();
}

void append(benchmark::State& state) {
    std::mt19937_64 random(1);
    std::vector<Event> events;
    events.reserve(segment_rows);
    for (std::uint64_t n = 0; n < segment_rows; ++n) {
        events.push_back(make_event(random, n, false));
    }
    for (auto _ : state) {
        EventIndex tail;
        std::uint64_t seq = 0;
        for (const Event& event : events) {
            tail.append(EventSeq{++seq}, event);
        }
        benchmark::DoNotOptimize(tail.size());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(segment_rows));
}

void disordered_times(benchmark::State& state) {
    static const Log log(true);
    // Every block of every segment has to be read for its times.
    const Time time = from_micros(4'000'000'000);
    const EventQuery query{.since = time, .until = time + Duration{1}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(log.page(query));
    }
}

void add_all() {
    const auto page = [](const char* name, EventQuery query) {
        benchmark::RegisterBenchmark(name, pages, std::move(query))->Unit(benchmark::kMicrosecond);
    };
    const auto count = [](const char* name, EventQuery query) {
        benchmark::RegisterBenchmark(name, counts, std::move(query))->Unit(benchmark::kMicrosecond);
    };
    page("page/latest", {});
    page("page/unknown_type", {.types = {"log.no.such"}});
    page("page/branch_and_type", {.branches = {"branch-3"}, .types = {"log.node.type7"}});
    page("page/node", {.nodes = {node_of(77)}});
    page("page/related_and_type", {.types = {"log.node.type7"}, .related = {"common-node"}});
    page("page/unknown_node", {.nodes = {"none"}});
    page("page/hundred_nodes", {.nodes = numbered("none-", 100)});
    page("page/dense_related_and_node_no_hit",
         {.branches = {"no"}, .nodes = {node_of(77)}, .related = {"common-node"}});
    page("page/no_hit_of_two_filters", {.types = {"log.node.type7"}, .accounts = {"account-9"}});
    page("page/no_hit_of_five_filters", {.branches = {"branch-3"},
                                         .types = {"log.node.type7"},
                                         .accounts = {"account-9"},
                                         .has_children = true,
                                         .level = 3});
    count("count/type", {.types = {"log.node.type7"}});
    count("count/glob", {.types = {"*.type1?"}});
    count("count/wide_sets", {.branches = numbered("branch-", 15),
                              .types = numbered("log.node.type", 15),
                              .accounts = numbered("account-", 100),
                              .has_children = true});
    count("count/dense_related_and_names",
          {.branches = {"branch-3"}, .types = {"log.node.type7"}, .related = {"common-node"}});
    count("count/half_time", {.since = from_micros(5'000'000'000)});
    benchmark::RegisterBenchmark("find/id", find_id)->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark("open/all", open_all)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("append/segment", append)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("page/disordered_times", disordered_times)
        ->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace herald

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    herald::add_all();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
