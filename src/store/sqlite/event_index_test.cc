#include "store/sqlite/event_index.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>

#include "store/sqlite/crc32c.h"
#include "store/sqlite/event_columns.h"
#include "store/sqlite/event_index_file.h"

// A query here names the filters it is about; the others have no values by their default.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace herald {
namespace {

namespace fs = std::filesystem;

EventId id_of(std::uint64_t n) {
    EventId id;
    std::memcpy(id.bytes.data(), &n, 8);
    id.bytes[15] = 7;
    return id;
}

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
    std::mt19937_64 engine_;
};

/// How varied the events are; many names make wide codes and tables instead of ranges.
struct Variety {
    std::uint64_t names = 8;
    std::uint64_t nodes = 50;
    bool gaps = true;
    bool times_in_order = false;
};

std::string type_name(std::uint64_t n) {
    static constexpr std::array kinds = {"node.created", "node.updated", "branch.merged"};
    return "infrahub." + std::string(kinds[n % 3]) + (n < 3 ? "" : std::to_string(n));
}

Event random_event(Random& random, const Variety& variety, std::uint64_t n) {
    Event event;
    event.id = id_of(n);
    event.type = type_name(random.below(variety.names));
    event.occurred_at = from_micros(static_cast<std::int64_t>(
        variety.times_in_order ? n * 1000 + random.below(3000) : random.below(100'000)));
    if (!random.one_in(5)) {
        event.branch = "branch-" + std::to_string(random.below(variety.names));
    }
    if (!random.one_in(4)) {
        event.account_id = "account-" + std::to_string(random.below(variety.names));
    }
    if (!random.one_in(6)) {
        event.node.id = "node-" + std::to_string(random.below(variety.nodes));
    }
    for (std::uint64_t i = random.below(4); i > 0; --i) {
        const auto related = random.below(variety.nodes + 1);
        event.related.push_back({related == 0 ? "" : "node-" + std::to_string(related), ""});
    }
    if (random.one_in(3)) {
        event.parent = id_of(random.below(n + 1));
    }
    event.level = static_cast<std::uint32_t>(random.one_in(50) ? 70'000 : random.below(3));
    event.has_children = random.one_in(4);
    return event;
}

EventQuery random_query(Random& random, const Variety& variety, std::uint64_t rows) {
    EventQuery query;
    const auto fill = [&](auto& values, std::uint64_t one_in, auto make) {
        if (random.one_in(one_in)) {
            for (std::uint64_t i = random.below(random.one_in(4) ? 40 : 3) + 1; i > 0; --i) {
                values.push_back(make());
            }
        }
    };
    static const std::vector<std::string> globs = {"*", "infrahub.node.*", "*merged*", "*.updated?",
                                                   "none.*"};
    fill(query.types, 4, [&] {
        return random.one_in(3) ? globs[random.below(globs.size())]
                                : type_name(random.below(variety.names + 2));
    });
    fill(query.branches, 5,
         [&] { return "branch-" + std::to_string(random.below(variety.names + 1)); });
    fill(query.accounts, 5,
         [&] { return "account-" + std::to_string(random.below(variety.names + 1)); });
    fill(query.nodes, 8, [&] { return "node-" + std::to_string(random.below(variety.nodes + 2)); });
    fill(query.related, 8,
         [&] { return "node-" + std::to_string(random.below(variety.nodes + 2)); });
    fill(query.parents, 12, [&] { return id_of(random.below(rows + 2)); });
    fill(query.ids, 15, [&] { return id_of(random.below(rows + 2)); });
    if (random.one_in(6)) {
        query.has_children = random.one_in(2);
    }
    if (random.one_in(6)) {
        query.level = static_cast<std::uint32_t>(random.one_in(5) ? 70'000 : random.below(4));
    }
    const std::uint64_t times = variety.times_in_order ? rows * 1000 : 100'000;
    if (random.one_in(4)) {
        query.since = from_micros(static_cast<std::int64_t>(random.below(times + 10)));
    }
    if (random.one_in(4)) {
        query.until = from_micros(static_cast<std::int64_t>(random.below(times + 10)));
    }
    query.order = random.one_in(2) ? Order::newest_first : Order::oldest_first;
    return query;
}

class EventIndexTest : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(directory); }
    void TearDown() override { fs::remove_all(directory); }

    [[nodiscard]] fs::path path() const { return directory / "000001.idx"; }

    void add(std::uint64_t seq, Event event) {
        tail.append(EventSeq{seq}, event);
        model.emplace_back(EventSeq{seq}, std::move(event));
    }

    void add_random(Random& random, const Variety& variety, std::uint64_t rows) {
        std::uint64_t seq = model.empty() ? 100 : static_cast<std::uint64_t>(model.back().first);
        for (std::uint64_t i = 0; i < rows; ++i) {
            seq += variety.gaps ? 1 + random.below(3) : 1;
            add(seq, random_event(random, variety, model.size()));
        }
    }

    /// The tail as it is found after a restart.
    EventIndex reopened() {
        EXPECT_TRUE(tail.save(path()));
        auto opened = EventIndex::open(path());
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(opened.value());
    }

    [[nodiscard]] std::vector<EventSeq> expected(const EventQuery& query) const {
        std::vector<EventSeq> seqs;
        for (const auto& [seq, event] : model) {
            const bool behind =
                !query.after ||
                (query.order == Order::newest_first ? seq < *query.after : seq > *query.after);
            if (behind && holds(query, event)) {
                seqs.push_back(seq);
            }
        }
        if (query.order == Order::newest_first) {
            std::ranges::reverse(seqs);
        }
        return seqs;
    }

    /// Asks page by page and puts the pages together.
    static std::vector<EventSeq> paged(const EventIndex& index, const EventQuery& query,
                                       std::size_t page, bool by_cursor) {
        std::vector<EventSeq> all;
        EventQuery next = query;
        std::optional<EventSeq> resume;
        while (true) {
            const auto found = index.search(next, page, resume);
            all.insert(all.end(), found.begin(), found.end());
            if (found.size() < page) {
                return all;
            }
            (by_cursor ? next.after : resume) = found.back();
        }
    }

    void compare(const EventIndex& index, Random& random, const Variety& variety, int queries) {
        for (int i = 0; i < queries; ++i) {
            EventQuery query = random_query(random, variety, model.size());
            const std::size_t all = expected(query).size();
            ASSERT_EQ(index.count(query, std::numeric_limits<std::uint64_t>::max()), all);
            ASSERT_EQ(index.count(query, 7), std::min<std::size_t>(all, 7));
            if (random.one_in(2)) {
                query.after = EventSeq{90 + random.below(model.size() * 2 + 20)};
            }
            const auto wanted = expected(query);
            ASSERT_EQ(index.search(query, model.size() + 1), wanted);
            ASSERT_EQ(paged(index, query, 1 + random.below(1 + wanted.size()), i % 2 == 0), wanted);
        }
    }

    EventIndex tail;
    std::vector<std::pair<EventSeq, Event>> model;
    fs::path directory =
        fs::temp_directory_path() / ("event_index_test-" + std::to_string(::getpid()));
};

TEST_F(EventIndexTest, EmptyIndexFindsNothingInEitherForm) {
    const EventIndex opened = reopened();
    for (const EventIndex* index : {static_cast<const EventIndex*>(&tail), &opened}) {
        EXPECT_EQ(index->size(), 0U);
        EXPECT_FALSE(index->first());
        EXPECT_FALSE(index->last());
        EXPECT_TRUE(index->search({}, 10).empty());
        EXPECT_EQ(index->count({}, 10), 0U);
        EXPECT_TRUE(index->find(id_of(1)).empty());
        EXPECT_TRUE(index->id_hashes().empty());
    }
}

TEST_F(EventIndexTest, AnswersAsTheModelDoesWhileItGrows) {
    Random random(1);
    const Variety variety;
    for (const std::uint64_t rows : {1, 10, 1012, 1, 1, 1500}) {
        add_random(random, variety, rows);
        compare(tail, random, variety, 150);
    }
}

TEST_F(EventIndexTest, AnswersAsTheModelDoesWhenSavedAndReopened) {
    Random random(2);
    const Variety variety;
    add_random(random, variety, 3000);
    compare(reopened(), random, variety, 600);
}

TEST_F(EventIndexTest, AnswersAlikeWithManyNamesAndFewNodes) {
    Random random(3);
    const Variety variety{.names = 700, .nodes = 3, .gaps = false, .times_in_order = true};
    add_random(random, variety, 2500);
    compare(tail, random, variety, 300);
    compare(reopened(), random, variety, 300);
}

TEST_F(EventIndexTest, AnswersAlikeWithMoreNamesThanTwoBytesCount) {
    for (std::uint64_t n = 0; n < 66'000; ++n) {
        Event event;
        event.id = id_of(n);
        event.account_id = std::to_string(n);
        add(n + 1, event);
    }
    const EventIndex opened = reopened();
    for (const std::uint64_t n : {0, 255, 256, 65'535, 65'999}) {
        const EventQuery query{.accounts = {std::to_string(n)}};
        EXPECT_EQ(opened.search(query, 9), std::vector{EventSeq{n + 1}});
    }
    EXPECT_TRUE(opened.search({.accounts = {"66000"}}, 9).empty());
}

TEST_F(EventIndexTest, FileCanBeSavedAgainFromItsMappedForm) {
    Random random(4);
    add_random(random, {}, 500);
    const EventIndex opened = reopened();
    ASSERT_TRUE(opened.save(directory / "copy"));
    const auto copy = EventIndex::open(directory / "copy");
    ASSERT_TRUE(copy);
    compare(*copy, random, {}, 50);
}

TEST_F(EventIndexTest, KnowsItsBoundsInEitherForm) {
    Random random(5);
    add_random(random, {}, 2000);
    const auto by_time = [](const auto& a, const auto& b) {
        return a.second.occurred_at < b.second.occurred_at;
    };
    const auto [low, high] = std::ranges::minmax_element(model, by_time);
    const EventIndex opened = reopened();
    for (const EventIndex* index : {static_cast<const EventIndex*>(&tail), &opened}) {
        EXPECT_EQ(index->size(), model.size());
        EXPECT_EQ(index->first(), model.front().first);
        EXPECT_EQ(index->last(), model.back().first);
        EXPECT_EQ(index->earliest(), low->second.occurred_at);
        EXPECT_EQ(index->latest(), high->second.occurred_at);
    }
}

TEST_F(EventIndexTest, FindsAnEventByItsIdAndListsAllIdHashes) {
    Random random(6);
    add_random(random, {}, 2000);
    const EventIndex opened = reopened();
    std::vector<std::uint64_t> hashes;
    for (const auto& [seq, event] : model) {
        ASSERT_EQ(tail.find(event.id), std::vector{seq});
        ASSERT_EQ(opened.find(event.id), std::vector{seq});
        hashes.push_back(id_hash(event.id));
    }
    EXPECT_TRUE(opened.find(id_of(999'999)).empty());
    EXPECT_TRUE(std::ranges::is_permutation(tail.id_hashes(), hashes));
    EXPECT_TRUE(std::ranges::is_permutation(opened.id_hashes(), hashes));
}

TEST_F(EventIndexTest, ResumesBehindWhicheverOfCursorAndResumeIsFurther) {
    for (std::uint64_t n = 1; n <= 10; ++n) {
        add(n, Event{.id = id_of(n)});
    }
    EventQuery query{.order = Order::oldest_first, .after = EventSeq{3}};
    EXPECT_EQ(tail.search(query, 1, EventSeq{5}), std::vector{EventSeq{6}});
    EXPECT_EQ(tail.search(query, 1, EventSeq{1}), std::vector{EventSeq{4}});
    query.order = Order::newest_first;
    EXPECT_EQ(tail.search(query, 1, EventSeq{2}), std::vector{EventSeq{1}});
    EXPECT_EQ(tail.search(query, 1, EventSeq{9}), std::vector{EventSeq{2}});
    EXPECT_TRUE(tail.search(query, 1, EventSeq{1}).empty());
}

TEST_F(EventIndexTest, TakesTheExtremesOfTimeSequenceAndLevel) {
    const Time first = Time::min();
    const Time last = Time::max();
    const auto greatest = std::numeric_limits<std::uint32_t>::max();
    add(1, Event{.id = id_of(1), .occurred_at = first, .level = greatest});
    add(std::uint64_t{1} << 63, Event{.id = id_of(2), .occurred_at = last});
    add(std::numeric_limits<std::uint64_t>::max(), Event{.id = id_of(3)});
    const EventIndex opened = reopened();
    for (const EventIndex* index : {static_cast<const EventIndex*>(&tail), &opened}) {
        EXPECT_EQ(index->count({.until = first}, 9), 0U);
        EXPECT_EQ(index->count({.since = last}, 9), 1U);
        EXPECT_EQ(index->count({.since = first, .until = last}, 9), 2U);
        EXPECT_EQ(index->count({.level = greatest}, 9), 1U);
        EventQuery query{.order = Order::oldest_first,
                         .after = EventSeq{std::numeric_limits<std::uint64_t>::max()}};
        EXPECT_TRUE(index->search(query, 9).empty());
        query.order = Order::newest_first;
        EXPECT_EQ(index->search(query, 9).size(), 2U);
    }
}

TEST_F(EventIndexTest, MissingFileIsInvalid) {
    const auto opened = EventIndex::open(directory / "nothing");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::invalid);
    EXPECT_EQ(EventIndex::open(directory).error().code, Errc::invalid);
}

TEST_F(EventIndexTest, SavingWhereThereIsNoDirectoryFailsAndLeavesNothing) {
    EXPECT_EQ(tail.save(directory / "no" / "index").error().code, Errc::unavailable);
    fs::create_directories(path());
    EXPECT_FALSE(tail.save(path()));
    EXPECT_FALSE(fs::exists(path().string() + ".tmp"));
}

/// Damages a saved index and opens it.
class DamagedIndexTest : public EventIndexTest {
protected:
    void SetUp() override {
        EventIndexTest::SetUp();
        Random random(7);
        add_random(random, {.names = 300}, 400);
        ASSERT_TRUE(tail.save(path()));
        std::ifstream file(path(), std::ios::binary);
        good.assign(std::istreambuf_iterator<char>(file), {});
    }

    Result<EventIndex> open_damaged(std::string_view bytes) {
        std::ofstream(path(), std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return EventIndex::open(path());
    }

    static void stamp(std::string& bytes) {
        const std::uint32_t crc = crc32c(std::as_bytes(std::span(bytes)).subspan(crc_starts));
        std::memcpy(bytes.data() + offsetof(FileHeader, crc), &crc, 4);
    }

    /// Uses every part of an index, whatever it says.
    static void exercise(const EventIndex& index) {
        Random random(8);
        for (int i = 0; i < 20; ++i) {
            const EventQuery query = random_query(random, {.names = 300}, 400);
            (void)index.search(query, 50);
            (void)index.count(query, 1000);
            (void)index.find(id_of(static_cast<std::uint64_t>(i)));
        }
    }

    std::string good;
};

TEST_F(DamagedIndexTest, EveryTruncationIsInvalid) {
    Random random(9);
    for (std::size_t i = 0; i < 600; ++i) {
        const std::size_t size = i < 400 ? i : random.below(good.size());
        const auto opened = open_damaged(std::string_view(good).substr(0, size));
        ASSERT_FALSE(opened);
        ASSERT_EQ(opened.error().code, Errc::invalid);
    }
    EXPECT_FALSE(open_damaged(good + "x"));
    EXPECT_TRUE(open_damaged(good));
}

TEST_F(DamagedIndexTest, EveryFlippedBitIsInvalid) {
    Random random(10);
    for (std::size_t i = 0; i < 3000; ++i) {
        const std::size_t bit = i < std::size_t{8} * 200 ? i : random.below(good.size() * 8);
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        const auto opened = open_damaged(bad);
        ASSERT_FALSE(opened) << "bit " << bit;
        ASSERT_EQ(opened.error().code, Errc::invalid);
    }
}

TEST_F(DamagedIndexTest, WrongContentsWithTheRightCheckSumNeverLeadOutsideTheFile) {
    Random random(11);
    for (int i = 0; i < 3000; ++i) {
        std::string bad = good;
        for (std::uint64_t n = random.below(3) + 1; n > 0; --n) {
            const std::size_t place = random.below(random.one_in(2) ? 300 : bad.size());
            bad[place] = static_cast<char>(random.below(256));
        }
        stamp(bad);
        if (const auto opened = open_damaged(bad)) {
            exercise(*opened);
        }
    }
}

TEST(Crc32cTest, GivesThePublishedCheckValue) {
    const std::string_view text = "123456789";
    EXPECT_EQ(crc32c(std::as_bytes(std::span(text.data(), text.size()))), 0xE3069283U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(HoldsTest, RelatedCountsThePrimaryNodeButNodesDoesNotCountTheRelated) {
    const Event event{.node = {"a", ""}, .related = {{"b", ""}}};
    EXPECT_TRUE(holds({.nodes = {"a"}}, event));
    EXPECT_FALSE(holds({.nodes = {"b"}}, event));
    EXPECT_TRUE(holds({.related = {"a"}}, event));
    EXPECT_TRUE(holds({.related = {"x", "b"}}, event));
    EXPECT_FALSE(holds({.nodes = {""}}, Event{}));
}

TEST(HoldsTest, WhatAnEventLacksIsNeverAskedFor) {
    const Event event;
    EXPECT_TRUE(holds({}, event));
    EXPECT_FALSE(holds({.branches = {""}}, event));
    EXPECT_FALSE(holds({.accounts = {""}}, event));
    EXPECT_FALSE(holds({.parents = {EventId{}}}, event));
}

TEST(HoldsTest, TimeBeginsWithSinceAndEndsBeforeUntil) {
    const Event event{.occurred_at = from_micros(10)};
    EXPECT_TRUE(holds({.since = from_micros(10), .until = from_micros(11)}, event));
    EXPECT_FALSE(holds({.since = from_micros(11)}, event));
    EXPECT_FALSE(holds({.until = from_micros(10)}, event));
}

TEST(HoldsTest, TypesAreNamesOrGlobs) {
    const Event event{.type = "infrahub.node.updated"};
    EXPECT_TRUE(holds({.types = {"infrahub.node.updated"}}, event));
    EXPECT_TRUE(holds({.types = {"no", "infrahub.*.upd?ted"}}, event));
    EXPECT_FALSE(holds({.types = {"infrahub.node"}}, event));
}

}  // namespace
}  // namespace herald
