#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/sqlite/sqlite.h"
#include "store/store.h"
#include "support/builders.h"
#include "support/temp_dir.h"

/// What is true of the embedded store only: its files, its lock, and what a crash leaves.
namespace herald::test {

namespace {

namespace fs = std::filesystem;

StoreOptions small_segments(const fs::path& data_dir) {
    StoreOptions options;
    options.data_dir = data_dir;
    options.segment_events = 16;
    return options;
}

std::unique_ptr<Store> open(const fs::path& data_dir) {
    auto opened = open_sqlite_store(small_segments(data_dir));
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

Committed append(Store& store, std::uint64_t n, std::vector<NewDelivery> deliveries = {}) {
    Batch batch;
    batch.now = noon + std::chrono::seconds{n};
    batch.lease_until = batch.now;
    batch.events.push_back(new_event(make_event(n), std::move(deliveries)));
    auto committed = store.commit(batch);
    EXPECT_TRUE(committed) << committed.error().message;
    return *committed;
}

void tend_all(Store& store) {
    while (*store.tend({}, noon)) {
    }
}

TEST(SqliteStore, is_opened_by_one_process_at_a_time) {
    const TempDir dir;
    auto store = open(dir.path());
    const auto second = open_sqlite_store(small_segments(dir.path()));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_NE(second.error().message.find(dir.path().string()), std::string::npos);
    store.reset();
    EXPECT_TRUE(open_sqlite_store(small_segments(dir.path())));
}

TEST(SqliteStore, says_why_it_cannot_be_opened) {
    const TempDir dir;
    std::ofstream(dir.path() / "file") << "not a directory";
    const auto store = open_sqlite_store(small_segments(dir.path() / "file" / "data"));
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::unavailable);

    std::ofstream(dir.path() / "herald.db") << std::string(4'096, 'x');
    const auto damaged = open_sqlite_store(small_segments(dir.path()));
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, Errc::internal);
}

TEST(SqliteStore, lets_only_its_owner_read_its_files) {
    const TempDir dir;
    auto store = open(dir.path() / "data");
    append(*store, 1);
    for (const auto& entry : fs::recursive_directory_iterator(dir.path() / "data")) {
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none) << entry.path();
    }
    EXPECT_EQ(fs::status(dir.path() / "data").permissions() & fs::perms(0077), fs::perms::none);
}

TEST(SqliteStore, makes_a_lost_or_damaged_index_again) {
    const TempDir dir;
    {
        auto store = open(dir.path());
        for (std::uint64_t n = 1; n <= 60; ++n) append(*store, n);
        tend_all(*store);
    }
    ASSERT_TRUE(fs::exists(dir.path() / "segments" / "000001.idx"));
    fs::remove(dir.path() / "segments" / "000001.idx");
    fs::resize_file(dir.path() / "segments" / "000002.idx", 100);
    auto store = open(dir.path());
    EXPECT_TRUE(append(*store, 5).events[0].duplicate);
    EXPECT_TRUE(append(*store, 20).events[0].duplicate);
    EXPECT_EQ(store->reader()->events({.limit = 250})->items.size(), 60U);
    EXPECT_GT(fs::file_size(dir.path() / "segments" / "000002.idx"), 100U);
}

TEST(SqliteStore, removes_files_that_a_crash_left) {
    const TempDir dir;
    {
        auto store = open(dir.path());
        append(*store, 1);
    }
    std::ofstream(dir.path() / "segments" / "000002.db") << "half a roll";
    auto store = open(dir.path());
    EXPECT_FALSE(fs::exists(dir.path() / "segments" / "000002.db"));
    for (std::uint64_t n = 2; n <= 40; ++n) append(*store, n);
    EXPECT_EQ(store->reader()->events({.limit = 250})->items.size(), 40U);
}

TEST(SqliteStore, refuses_the_files_of_a_newer_herald) {
    const TempDir dir;
    open(dir.path());
    std::fstream file(dir.path() / "herald.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);  // the user version, big-endian
    file.write("\0\0\0\x63", 4);
    file.close();
    const auto store = open_sqlite_store(small_segments(dir.path()));
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::unavailable);
    EXPECT_NE(store.error().message.find("newer"), std::string::npos);
}

TEST(SqliteStore, is_read_while_it_is_written_and_tended) {
    const TempDir dir;
    auto store = open(dir.path());
    std::atomic<std::uint64_t> committed{0};
    std::atomic<bool> ended{false};
    auto read = [&, reader = store->reader()] {
        while (!ended) {
            const std::uint64_t before = committed;
            EventQuery newest;
            newest.limit = 1;
            const auto page = reader->events(newest);
            ASSERT_TRUE(page) << page.error().message;
            if (before > 0) {
                ASSERT_GE(static_cast<std::uint64_t>(page->items.at(0).seq), before);
            }
            DeliveryQuery pending;
            pending.states = {DeliveryState::pending};
            const auto open_ones = reader->deliveries(pending);
            ASSERT_TRUE(open_ones) << open_ones.error().message;
            // Every second one is settled in the commit after its own.
            ASSERT_LE(open_ones->items.size(), 30U);
        }
    };
    std::jthread one(std::move(read));
    Batch settle;
    for (std::uint64_t n = 1; n <= 300; ++n) {
        const Committed stored = append(*store, n, {for_webhook(1)});
        settle.settlements = {
            {stored.events[0].deliveries[0], make_attempt(1, 200), DeliveryState::delivered, noon}};
        ASSERT_TRUE(store->commit(settle));
        committed = n;
        ASSERT_TRUE(store->tend({}, noon));
    }
    ended = true;
}

TEST(SqliteStore, and_a_copy_of_it_give_different_ids) {
    const TempDir dir;
    const TempDir elsewhere;
    const fs::path copy = elsewhere.path() / "copy";
    DeliveryId before;
    {
        auto store = open(dir.path());
        before = append(*store, 1, {for_webhook(1)}).events[0].deliveries[0];
    }
    fs::copy(dir.path(), copy, fs::copy_options::recursive);
    auto original = open(dir.path());
    auto copied = open(copy);
    const DeliveryId here = append(*original, 2, {for_webhook(1)}).events[0].deliveries[0];
    const DeliveryId there = append(*copied, 3, {for_webhook(1)}).events[0].deliveries[0];
    EXPECT_EQ(here.seq, there.seq);
    EXPECT_NE(here, there);
    for (Store* store : {original.get(), copied.get()}) {
        const auto found = store->reader()->delivery(before);
        EXPECT_TRUE(found && *found) << "ids given before are known to both";
    }
    const auto foreign = original->reader()->delivery(there);
    EXPECT_TRUE(foreign && !*foreign);
}

TEST(SqliteStore, refuses_a_segment_of_a_newer_version) {
    const TempDir dir;
    {
        auto store = open(dir.path());
        append(*store, 1, {});
    }
    const sqlite::Database segment(dir.path() / "segments" / "000001.db",
                                   sqlite::Access::read_write);
    segment.run("PRAGMA user_version = 2");
    const auto opened = open_sqlite_store({.data_dir = dir.path()});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, testing::HasSubstr("newer herald"));
}

TEST(SqliteStore, brings_a_store_of_version_1_up_to_date) {
    const TempDir dir;
    const Webhook webhook = [&] {
        auto store = open(dir.path());
        return store->put_webhook(make_webhook("old"), {}).value();
    }();
    {
        const sqlite::Database main(dir.path() / "herald.db", sqlite::Access::read_write);
        main.run(
            "ALTER TABLE webhook DROP COLUMN options; DROP TABLE transformation;"
            "DROP TABLE made_request; DROP TABLE webhook_health; PRAGMA user_version = 1");
    }
    for (int start = 0; start < 2; ++start) {
        auto store = open(dir.path());
        EXPECT_EQ(*store->webhooks(), std::vector{webhook});
        EXPECT_TRUE(store->transformations()->empty());
    }
}

TEST(SqliteStore, brings_a_store_of_version_3_up_to_date) {
    const TempDir dir;
    WebhookHealth failing{WebhookId{1}, {}};
    failing.health.failure_streak = 3;
    ASSERT_TRUE(open(dir.path())->put_health(std::vector{failing}));
    {
        const sqlite::Database main(dir.path() / "herald.db", sqlite::Access::read_write);
        main.run("ALTER TABLE webhook_health DROP COLUMN held_until; PRAGMA user_version = 3");
    }
    EXPECT_EQ(*open(dir.path())->health(), std::vector{failing});
    failing.health.held_until = noon;
    ASSERT_TRUE(open(dir.path())->put_health(std::vector{failing}));
    EXPECT_EQ(*open(dir.path())->health(), std::vector{failing});
}

TEST(SqliteStore, waits_no_longer_after_a_restart_when_the_clock_was_set_back_meanwhile) {
    using std::chrono::hours;
    using std::chrono::minutes;
    const TempDir dir;
    const Time now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    {
        auto store = open(dir.path());
        Batch batch;
        batch.now = now + hours{24};  // so the clock said then
        batch.lease_until = batch.now;
        batch.events.push_back(new_event(make_event(1), {for_webhook(1)}));
        const DeliveryId id = store->commit(batch)->events.at(0).deliveries.at(0);
        batch.events.clear();
        batch.settlements.push_back(
            {id, make_attempt(1, 500), DeliveryState::pending, batch.now + hours{1}});
        ASSERT_TRUE(store->commit(batch));
    }
    auto store = open(dir.path());
    const LaneRoom lane{WebhookId{1}, 1};
    EXPECT_TRUE(store->claim(now + minutes{50}, now + hours{2}, {&lane, 1})->empty());
    EXPECT_EQ(store->claim(now + minutes{70}, now + hours{2}, {&lane, 1})->size(), 1U);
}

/// Appends and settles until it is killed; tells what was acknowledged, one number after the other.
[[noreturn]] void work_until_killed(const fs::path& data_dir, std::uint64_t from, int acknowledge) {
    auto store = open(data_dir);
    for (std::uint64_t n = from;; ++n) {
        Batch batch;
        batch.now = noon;
        batch.lease_until = noon;
        batch.events.push_back(new_event(make_event(n), {for_webhook(1)}));
        const LaneRoom lane{WebhookId{1}, 1};
        const auto due = store->claim(noon, noon, {&lane, 1});
        for (const Claimed& claimed : *due) {
            batch.settlements.push_back(
                {claimed.delivery.id, make_attempt(1, 500),
                 n % 3 == 0 ? DeliveryState::pending : DeliveryState::delivered, noon});
        }
        if (!store->commit(batch)) std::abort();
        if (::write(acknowledge, &n, sizeof n) != sizeof n) std::abort();
        if (!store->tend({}, noon)) std::abort();
    }
}

TEST(SqliteStore, keeps_what_it_acknowledged_when_it_is_killed) {
    const TempDir dir;
    std::mt19937 random(20260313);
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < 25; ++round) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) work_until_killed(dir.path(), acknowledged + 1, pipe[1]);
        ::close(pipe[1]);
        const std::uint64_t enough = acknowledged + 1 + random() % 60;
        std::uint64_t n = 0;
        while (n < enough && ::read(pipe[0], &n, sizeof n) == sizeof n) acknowledged = n;
        ::usleep(static_cast<useconds_t>(random() % 2'000));
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &n, sizeof n) == sizeof n) acknowledged = n;
        ::close(pipe[0]);
        ::waitpid(child, nullptr, 0);

        auto store = open(dir.path());
        auto reader = store->reader();
        const auto newest = reader->events({.limit = 1});
        ASSERT_TRUE(newest) << newest.error().message;
        const auto stored = static_cast<std::uint64_t>(newest->items.at(0).seq);
        // What was on its way may be there or not; what was acknowledged is.
        ASSERT_GE(stored, acknowledged);
        ASSERT_LE(stored, acknowledged + 1);
        acknowledged = stored;

        DeliveryQuery query;
        query.limit = 250;
        query.states = {DeliveryState::pending};
        std::set<std::uint64_t> pending;
        for (bool more = true; more;) {
            const auto page = reader->deliveries(query);
            ASSERT_TRUE(page);
            for (const Delivery& one : page->items) pending.insert(one.id.seq);
            more = page->more;
            if (more) query.after = page->items.back().id.seq;
        }
        const auto due = store->due();
        ASSERT_TRUE(due && due->size() == 1);
        ASSERT_EQ(due->at(0).pending, pending.size());
        EventQuery all;
        all.order = Order::oldest_first;
        all.after = EventSeq{stored > 100 ? stored - 100 : 0};
        const auto last = reader->events(all);
        for (const LoggedEvent& item : last->items) {
            const auto detail = reader->event(item.event.id);
            ASSERT_TRUE(detail && *detail);
            ASSERT_EQ((*detail)->deliveries.size(), 1U);
            ASSERT_EQ((*detail)->event, make_event(static_cast<std::uint64_t>(item.seq)));
        }
    }
}

}  // namespace

}  // namespace herald::test
