// The embedded store as the program uses it: inserts while the log grows, pages of the activity log
// under any filter, and a start with many deliveries pending.
//   bench_store [events (1000000)] [pending (1000000)]
// Yardsticks of the same run: a plain file with the same bytes synced as often; the newest page.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "load/poll.h"
#include "load/process.h"
#include "store/store.h"

namespace herald::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t batch_events = 256;

double seconds_since(steady_clock::time_point began) {
    return std::chrono::duration<double>(steady_clock::now() - began).count();
}

std::string uuid_text(std::uint64_t n) {
    Uuid id{};
    std::memcpy(id.bytes.data(), &n, sizeof n);
    return id.text();
}

/// The n-th event of a log with 30 types, 40 branches, 200 accounts and 1 million nodes. One
/// account never makes one type of event: together they are asked for in vain.
std::shared_ptr<const Event> make_event(std::mt19937_64& random, std::uint64_t n) {
    auto event = std::make_shared<Event>();
    std::memcpy(event->id.bytes.data(), &n, sizeof n);
    event->type = "log.node.type" + std::to_string(random() % 30);
    event->occurred_at = from_micros(static_cast<std::int64_t>(1'700'000'000'000'000 + n * 1'000));
    event->received_at = event->occurred_at;
    event->source = "api";
    event->branch = "branch-" + std::to_string(random() % 40);
    event->account_id = "account-" + std::to_string(random() % 200);
    if (event->type == "log.node.type7" && event->account_id == "account-9") {
        event->account_id = "account-10";
    }
    event->node = {uuid_text(random() % 1'000'000), "InfraDevice"};
    event->related = {{uuid_text(random() % 1'000'000), "InfraSite"}};
    event->level = static_cast<std::uint32_t>(random() % 4);
    event->body.assign(1'100, 'b');
    return event;
}

Attempt make_attempt() {
    Attempt attempt;
    attempt.url = "http://receiver.example/hook";
    attempt.signature_profile = "infrahub";
    attempt.request_headers = {{"Accept", "application/json"},
                               {"Content-Type", "application/json"},
                               {"webhook-id", "msg_0123456789abcdef0123456789abcdef"},
                               {"webhook-timestamp", "1700000000"},
                               {"webhook-signature", "***"}};
    attempt.status = 200;
    attempt.response_headers = {{"Content-Length", "2"}};
    attempt.response_body = "ok";
    return attempt;
}

class Folder {
public:
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    const std::filesystem::path path = std::filesystem::current_path() / "bench-store-data";
};

std::unique_ptr<Store> open(const std::filesystem::path& folder) {
    auto store = open_sqlite_store({.data_dir = folder});
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().message.c_str());
        std::exit(1);
    }
    return std::move(*store);
}

/// As the writer works: new events with a delivery each, the outcomes of the batch before, and a
/// step of upkeep after each commit.
class Filler {
public:
    explicit Filler(Store& store) : store_(store) {}

    /// Events a second.
    double add(std::uint64_t events, bool settle) {
        const auto began = steady_clock::now();
        for (std::uint64_t done = 0; done < events; done += batch_events) commit(settle);
        return static_cast<double>(events) / seconds_since(began);
    }
    void tend_all() {
        while (store_.tend({}, now()).value_or(false)) {
        }
    }

private:
    static Time now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

    void commit(bool settle) {
        Batch batch;
        batch.now = now();
        batch.lease_until = batch.now;
        for (std::size_t i = 0; i < batch_events; ++i) {
            batch.events.push_back({make_event(random_, ++count_), {{WebhookId{1}, {}, settle}}});
        }
        for (const DeliveryId id : open_) {
            batch.settlements.push_back({id, make_attempt(), DeliveryState::delivered, batch.now});
        }
        open_.clear();
        const auto committed = store_.commit(batch);
        if (!committed) std::abort();
        for (const StoredEvent& stored : committed->events) {
            if (settle) open_.push_back(stored.deliveries[0]);
        }
        if (!store_.tend({}, batch.now)) std::abort();
    }

    Store& store_;
    std::mt19937_64 random_{1};
    std::uint64_t count_ = 0;
    std::vector<DeliveryId> open_;
};

/// The yardstick: batches of the same size, appended to a plain file and synced.
double plain_file(const std::filesystem::path& folder) {
    const Fd file(::open((folder / "plain").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const std::string block(batch_events * 1'100, 'b');
    constexpr int batches = 400;
    const auto began = steady_clock::now();
    for (int i = 0; i < batches; ++i) {
        if (::write(file.get(), block.data(), block.size()) < 0) std::abort();
        ::fdatasync(file.get());
    }
    return batches * batch_events / seconds_since(began);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

/// The median of many calls, warm, in milliseconds.
double median_ms(const std::function<void()>& call) {
    call();
    std::vector<double> took;
    for (int i = 0; i < 15; ++i) {
        const auto began = steady_clock::now();
        call();
        took.push_back(seconds_since(began) * 1e3);
    }
    return median(std::move(took));
}

void pages(StoreReader& reader, std::uint64_t events) {
    const auto page = [&](const char* name, const EventQuery& query) {
        std::size_t found = 0;
        const double ms = median_ms([&] {
            const auto got = reader.events(query);
            if (!got) std::abort();
            found = got->items.size();
        });
        std::printf("  page %-44s %8.2f ms  (%zu rows)\n", name, ms, found);
    };
    const auto query = [](auto change) {
        EventQuery made;
        change(made);
        return made;
    };
    page("the newest", {});
    page("one type", query([](auto& q) { q.types = {"log.node.type7"}; }));
    page("one type, from the middle", query([&](auto& q) {
             q.types = {"log.node.type7"};
             q.after = EventSeq{events / 2};
         }));
    page("branch and type", query([](auto& q) {
             q.branches = {"branch-7"};
             q.types = {"log.node.type7"};
         }));
    page("one node, all its events", query([](auto& q) { q.nodes = {uuid_text(4'711)}; }));
    page("related node", query([](auto& q) { q.related = {uuid_text(4'711)}; }));
    page("account, branch and type", query([](auto& q) {
             q.accounts = {"account-11"};
             q.branches = {"branch-7"};
             q.types = {"log.node.type7"};
         }));
    page("four filters, nothing found", query([](auto& q) {
             q.accounts = {"account-9"};
             q.branches = {"branch-7"};
             q.types = {"log.node.type7"};
             q.level = 1;
         }));
    page("a glob and a time range", query([&](auto& q) {
             q.types = {"log.node.type*"};
             q.until = from_micros(static_cast<std::int64_t>(1'700'000'000'000'000 + events * 100));
         }));
    std::uint64_t n = 0;
    const double count = median_ms([&] {
        n = reader.count_events(query([](auto& q) { q.types = {"log.node.type7"}; }))->value;
    });
    std::printf("  count of one type, stops at its bound            %8.2f ms  (%llu)\n", count,
                static_cast<unsigned long long>(n));
}

void growth(std::uint64_t events) {
    const Folder folder;
    auto store = open(folder.path);
    Filler filler(*store);
    std::printf("inserts with one delivery each, batches of %zu\n", batch_events);
    const double plain = plain_file(folder.path);
    std::vector<double> rates;
    for (std::uint64_t n = 0; n < events; n += 100'000) rates.push_back(filler.add(100'000, true));
    const std::size_t tenth = std::max<std::size_t>(rates.size() / 10, 1);
    const double first = median({rates.begin(), rates.begin() + static_cast<long>(tenth)});
    const double last = median({rates.end() - static_cast<long>(tenth), rates.end()});
    std::printf("  first tenth of %llu %.0f/s, last tenth %.0f/s => ratio %.2f\n",
                static_cast<unsigned long long>(events), first, last, last / first);
    std::printf(
        "  a plain file synced as often takes %.0f/s before and %.0f/s after => store %.2f\n",
        plain, plain_file(folder.path), first / plain);
    filler.tend_all();
    pages(*store->reader(), events);
}

void start(std::uint64_t pending) {
    const Folder folder;
    {
        auto store = open(folder.path);
        Filler filler(*store);
        filler.add(pending, false);
        filler.tend_all();
    }
    const Process self = Process::self();
    const long before = self.memory("VmRSS:");
    const auto began = steady_clock::now();
    auto store = open(folder.path);
    const double took = seconds_since(began);
    std::printf("start with %llu deliveries pending: %.2f s, %ld MB more in memory\n",
                static_cast<unsigned long long>(store->due()->at(0).pending), took,
                (self.memory("VmRSS:") - before) / 1'024);
}

}  // namespace
}  // namespace herald::bench

int main(int argc, char** argv) {
    const std::uint64_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const std::uint64_t pending = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
    herald::bench::growth(events);
    herald::bench::start(pending);
    return 0;
}
