#include <algorithm>
#include <random>
#include <ranges>

#include "conformance/store_suite.h"
#include "core/limits.h"

namespace herald::test {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

using StoreEvents = StoreSuite;

std::uint64_t number(EventSeq seq) { return static_cast<std::uint64_t>(seq); }

/// Without the parts that lists leave out.
Event listed(Event event) {
    event.body.clear();
    event.extra.clear();
    return event;
}

TEST_P(StoreEvents, comes_back_whole_after_a_restart) {
    Event event = make_event(1);
    event.related = {{"node-2", "ShopItem"}, {"node-3", ""}};
    event.parent = event_id(77);
    event.ancestors = {{event_id(77), "shop.order.opened"}, {event_id(78), "shop.cart.filled"}};
    event.level = 2;
    event.has_children = true;
    event.origin = "merge";
    event.extra = R"({"labels":["a"]})";
    event.body = R"({"data":"\u00e9"})";
    const StoredEvent stored = append(event);
    EXPECT_EQ(number(stored.seq), 1U);
    EXPECT_FALSE(stored.duplicate);

    reopen();

    const auto found = reader().event(event.id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->event, event);
    EXPECT_EQ((*found)->seq, stored.seq);
    const auto page = reader().events({});
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items[0].event, listed(event));
    const auto whole = reader().events({.whole = true});
    ASSERT_TRUE(whole);
    ASSERT_EQ(whole->items.size(), 1U);
    EXPECT_EQ(whole->items[0].event, event);
}

TEST_P(StoreEvents, keeps_the_difference_between_no_value_and_an_empty_one) {
    Event bare = make_event(1);
    bare.branch.reset();
    bare.account_id.reset();
    bare.node = {};
    Event empty = make_event(2);
    empty.branch = "";
    append(bare);
    append(empty);
    EXPECT_EQ((*reader().event(bare.id))->event, bare);
    EXPECT_EQ((*reader().event(empty.id))->event, empty);
}

TEST_P(StoreEvents, stores_an_id_once) {
    const EventSeq first = append(make_event(1)).seq;
    append(make_event(2));

    const StoredEvent again = append(make_event(1), {for_webhook(1)});
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.seq, first);
    EXPECT_TRUE(again.deliveries.empty());

    reopen();
    EXPECT_TRUE(append(make_event(2)).duplicate);
    EXPECT_EQ(reader().events({})->items.size(), 2U);
}

TEST_P(StoreEvents, stores_an_id_once_within_a_batch) {
    append(make_event(1));
    Batch batch;
    for (const std::uint64_t n : {2, 1, 2, 3, 1}) {
        batch.events.push_back(new_event(make_event(n), {for_webhook(1)}));
    }
    const Committed committed = commit(std::move(batch));
    std::vector<bool> duplicate;
    std::vector<std::uint64_t> seqs;
    for (const StoredEvent& event : committed.events) {
        duplicate.push_back(event.duplicate);
        seqs.push_back(number(event.seq));
        EXPECT_EQ(event.deliveries.size(), event.duplicate ? 0U : 1U);
    }
    EXPECT_EQ(duplicate, (std::vector<bool>{false, true, true, false, true}));
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{2, 1, 2, 3, 1}));
}

TEST_P(StoreEvents, knows_the_ids_of_sealed_segments) {
    for (std::uint64_t n = 1; n <= 100; ++n) append(make_event(n));
    EXPECT_TRUE(append(make_event(3)).duplicate);
    tend_all();
    EXPECT_TRUE(append(make_event(3)).duplicate);
    reopen();
    for (std::uint64_t n = 1; n <= 100; ++n) {
        const StoredEvent again = append(make_event(n));
        EXPECT_TRUE(again.duplicate) << n;
        EXPECT_EQ(number(again.seq), n);
    }
    EXPECT_EQ(number(append(make_event(101)).seq), 101U);
}

TEST_P(StoreEvents, answers_with_what_surrounds_an_event) {
    append(make_event(1), {for_webhook(1), for_webhook(2)});
    for (const std::uint64_t n : {2, 3}) {
        Event child = make_event(n);
        child.parent = event_id(1);
        append(child, {for_webhook(1)});
    }
    const auto detail = reader().event(event_id(1));
    ASSERT_TRUE(detail && *detail);
    EXPECT_EQ((*detail)->children, (std::vector{EventSeq{2}, EventSeq{3}}));
    ASSERT_EQ((*detail)->deliveries.size(), 2U);
    EXPECT_EQ((*detail)->deliveries[0].webhook, WebhookId{1});
    EXPECT_EQ((*detail)->deliveries[1].webhook, WebhookId{2});
    EXPECT_FALSE(*reader().event(event_id(99)));
}

/// Pages until the end, in pages of `limit`.
std::vector<std::uint64_t> all_pages(StoreReader& reader, EventQuery query) {
    std::vector<std::uint64_t> seqs;
    for (;;) {
        const auto page = reader.events(query);
        if (!page) {
            ADD_FAILURE() << page.error().message;
            return seqs;
        }
        EXPECT_LE(page->items.size(), query.limit);
        for (const LoggedEvent& item : page->items) seqs.push_back(number(item.seq));
        if (!page->more) return seqs;
        query.after = page->items.back().seq;
    }
}

TEST_P(StoreEvents, pages_stay_correct_while_events_arrive) {
    for (std::uint64_t n = 1; n <= 90; ++n) append(make_event(n));
    EventQuery query;
    query.limit = 20;
    auto page = reader().events(query);
    ASSERT_TRUE(page->more);
    EXPECT_EQ(number(page->items.back().seq), 71U);
    for (std::uint64_t n = 91; n <= 120; ++n) append(make_event(n));
    query.after = page->items.back().seq;
    page = reader().events(query);
    EXPECT_EQ(number(page->items.front().seq), 70U);

    EventQuery onward;
    onward.order = Order::oldest_first;
    onward.limit = 250;
    EXPECT_EQ(reader().events(onward)->items.size(), 120U);
    EXPECT_FALSE(reader().events(onward)->more);
    onward.after = EventSeq{120};
    EXPECT_TRUE(reader().events(onward)->items.empty());
    append(make_event(121));
    ASSERT_EQ(reader().events(onward)->items.size(), 1U);
    EXPECT_EQ(number(reader().events(onward)->items[0].seq), 121U);
}

TEST_P(StoreEvents, counts_up_to_a_bound) {
    Batch batch;
    for (std::uint64_t n = 1; n <= limits::count_max + 50; ++n) {
        Event event = make_event(n);
        if (n % 100 == 0) event.type = "shop.order.sent";
        batch.events.push_back(new_event(std::move(event)));
        if (batch.events.size() == 500) commit(std::exchange(batch, {}));
    }
    commit(std::move(batch));
    const auto all = reader().count_events({});
    EXPECT_EQ(all->value, limits::count_max);
    EXPECT_TRUE(all->capped);
    EventQuery query;
    query.types = {"shop.order.s*"};
    EXPECT_EQ(reader().count_events(query)->value, 100U);
    EXPECT_FALSE(reader().count_events(query)->capped);
}

/// A few values for everything, so that filters both hit and miss.
class Random {
public:
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool maybe(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
    std::string one_of(std::string_view name, std::uint64_t n) {
        return std::string(name) + std::to_string(below(n));
    }

private:
    std::mt19937_64 engine_{20260313};
};

Event random_event(Random& random, std::uint64_t n) {
    Event event = make_event(n);
    event.type = random.one_of("shop.order.", 5);
    event.occurred_at = noon + seconds{random.below(1'000)};
    if (random.maybe(30)) event.branch.reset();
    if (random.maybe(30)) event.branch = random.one_of("branch-", 3);
    if (random.maybe(30)) event.account_id = random.one_of("account-", 3);
    event.node.id = random.maybe(20) ? "" : random.one_of("node-", 12);
    for (std::uint64_t i = random.below(3); i > 0; --i) {
        event.related.push_back({random.one_of("node-", 12), "ShopItem"});
    }
    if (random.maybe(40) && n > 1) event.parent = event_id(1 + random.below(n - 1));
    event.level = static_cast<std::uint32_t>(random.below(3));
    event.has_children = random.maybe(30);
    return event;
}

EventQuery random_query(Random& random) {
    EventQuery query;
    if (random.maybe(15)) query.ids = {event_id(random.below(300)), event_id(random.below(300))};
    if (random.maybe(25)) query.branches = {"main", random.one_of("branch-", 4)};
    if (random.maybe(25)) query.types = {random.one_of("shop.order.", 6)};
    if (random.maybe(15)) query.types = {"shop.*.1", "shop.order.[2-3]"};
    if (random.maybe(20)) query.accounts = {random.one_of("account-", 4)};
    if (random.maybe(20)) query.nodes = {random.one_of("node-", 13)};
    if (random.maybe(20)) query.related = {random.one_of("node-", 13)};
    if (random.maybe(15)) query.parents = {event_id(random.below(300)), event_id(3)};
    if (random.maybe(15)) query.has_children = random.maybe(50);
    if (random.maybe(15)) query.level = static_cast<std::uint32_t>(random.below(4));
    if (random.maybe(20)) query.since = noon + seconds{random.below(1'000)};
    if (random.maybe(20)) query.until = noon + seconds{random.below(1'000)};
    query.order = random.maybe(50) ? Order::newest_first : Order::oldest_first;
    query.limit = 1 + random.below(40);
    return query;
}

/// The rule itself, one event after the other.
bool asked_for(const EventQuery& query, const Event& event) {
    const auto among = [](const auto& wanted, const auto& value) {
        return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
    };
    const auto is_type = [&](const std::string& pattern) {
        return is_glob(pattern) ? glob_match(pattern, event.type) : pattern == event.type;
    };
    const auto touches = [&](const std::string& id) {
        return event.node.id == id ||
               std::ranges::find(event.related, id, &NodeRef::id) != event.related.end();
    };
    return among(query.ids, event.id) &&
           (query.branches.empty() || (event.branch && among(query.branches, *event.branch))) &&
           (query.types.empty() || std::ranges::any_of(query.types, is_type)) &&
           (query.accounts.empty() ||
            (event.account_id && among(query.accounts, *event.account_id))) &&
           among(query.nodes, event.node.id) &&
           (query.related.empty() || std::ranges::any_of(query.related, touches)) &&
           (query.parents.empty() || (event.parent && among(query.parents, *event.parent))) &&
           (!query.has_children || *query.has_children == event.has_children) &&
           (!query.level || *query.level == event.level) &&
           (!query.since || *query.since <= event.occurred_at) &&
           (!query.until || event.occurred_at < *query.until);
}

TEST_P(StoreEvents, every_combination_of_filters_finds_what_it_should) {
    Random random;
    std::vector<Event> model;
    for (int round = 0; round < 12; ++round) {
        Batch batch;
        for (int i = 0; i < 25; ++i) {
            model.push_back(random_event(random, model.size() + 1));
            batch.events.push_back(new_event(model.back()));
        }
        commit(std::move(batch));
        if (round % 3 == 1) tend_all();
        if (round % 5 == 4) reopen();
        for (int i = 0; i < 60; ++i) {
            const EventQuery query = random_query(random);
            std::vector<std::uint64_t> expected;
            for (std::size_t at = 0; at < model.size(); ++at) {
                if (asked_for(query, model[at])) expected.push_back(at + 1);
            }
            if (query.order == Order::newest_first) std::ranges::reverse(expected);
            EXPECT_EQ(all_pages(reader(), query), expected) << "round " << round << " query " << i;
            EXPECT_EQ(reader().count_events(query)->value, expected.size());
        }
    }
}

TEST_P(StoreEvents, retention_removes_old_events_and_keeps_those_that_are_owed) {
    DeliveryId owed;
    for (std::uint64_t n = 1; n <= 200; ++n) {
        Batch batch;
        batch.now = noon + minutes{n};
        batch.events.push_back(new_event(make_event(n), {for_webhook(1)}));
        const DeliveryId id = commit(std::move(batch)).events[0].deliveries[0];
        if (n == 90) {
            owed = id;
        } else {
            settle(id, DeliveryState::delivered, make_attempt(1, 200));
        }
    }
    Retention retention;
    retention.events = minutes{60};
    tend_all(retention, noon + minutes{200});

    EXPECT_FALSE(*reader().event(event_id(1)));
    EXPECT_TRUE(*reader().event(event_id(90)));
    EXPECT_TRUE(*reader().event(event_id(150)));
    const std::size_t kept = reader().events({.limit = 250})->items.size();
    EXPECT_LT(kept, 180U);
    EXPECT_GE(kept, 110U);
    EXPECT_EQ(claim(1, 10, noon + minutes{300}).size(), 1U);

    settle(owed, DeliveryState::delivered, make_attempt(1, 200));
    tend_all(retention, noon + minutes{200});
    EXPECT_FALSE(*reader().event(event_id(90)));
    EXPECT_TRUE(*reader().event(event_id(150)));
    EXPECT_FALSE(append(make_event(1)).duplicate) << "a removed event is forgotten";
}

TEST_P(StoreEvents, statistics_tell_what_is_there) {
    for (std::uint64_t n = 1; n <= 50; ++n) append(make_event(n), {for_webhook(1)});
    const auto stats = reader().stats();
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->events, 50U);
    EXPECT_EQ(stats->pending, 50U);
    EXPECT_GT(stats->bytes, 0U);
    EXPECT_EQ(stats->oldest_event, noon + seconds{1});
}

INSTANTIATE_TEST_SUITE_P(, StoreEvents, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
