#include <algorithm>
#include <set>

#include "conformance/store_suite.h"

namespace herald::test {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

using StoreDeliveries = StoreSuite;

TEST_P(StoreDeliveries, are_born_with_their_event) {
    const StoredEvent stored = append(make_event(1), {for_webhook(7), for_webhook(8)});
    ASSERT_EQ(stored.deliveries.size(), 2U);
    const Delivery born = delivery(stored.deliveries[1]);
    EXPECT_EQ(born.id, stored.deliveries[1]);
    EXPECT_EQ(born.webhook, WebhookId{8});
    EXPECT_EQ(born.event, event_id(1));
    EXPECT_EQ(born.event_seq, stored.seq);
    EXPECT_EQ(born.event_type, "shop.order.paid");
    EXPECT_EQ(born.created_at, noon);
    EXPECT_EQ(born.cause, Cause::event);
    EXPECT_FALSE(born.redelivers);
    EXPECT_EQ(born.state, DeliveryState::pending);
    EXPECT_EQ(born.attempts, 0U);
}

TEST_P(StoreDeliveries, say_what_caused_them) {
    NewDelivery test = for_webhook(1);
    test.cause = Cause::test;
    const StoredEvent stored = append(make_event(1), {test});
    EXPECT_EQ(delivery(stored.deliveries[0]).cause, Cause::test);
}

TEST_P(StoreDeliveries, have_ids_that_nobody_can_guess) {
    const StoredEvent stored = append(make_event(1), {for_webhook(1), for_webhook(2)});
    EXPECT_NE(stored.deliveries[0].salt, stored.deliveries[1].salt);
    DeliveryId guessed = stored.deliveries[0];
    guessed.salt ^= 1;
    EXPECT_FALSE(*reader().delivery(guessed));
    EXPECT_FALSE(settle(guessed, DeliveryState::cancelled));
    Batch batch;
    batch.redeliveries.push_back({guessed});
    EXPECT_FALSE(commit(std::move(batch)).redeliveries[0].id);
}

TEST_P(StoreDeliveries, are_claimed_once_until_the_lease_ends) {
    append(make_event(1), {for_webhook(1)});
    const auto first = claim(1, 10);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(*first[0].event, make_event(1));
    EXPECT_TRUE(claim(1, 10).empty());
    EXPECT_TRUE(claim(1, 10, noon + minutes{4}).empty());
    EXPECT_EQ(claim(1, 10, noon + minutes{5}).size(), 1U);
}

TEST_P(StoreDeliveries, born_leased_are_not_given_out_before_the_lease_ends) {
    append(make_event(1), {for_webhook(1, true)});
    EXPECT_TRUE(claim(1, 10).empty());
    EXPECT_EQ(claim(1, 10, noon + minutes{5}).size(), 1U);
}

TEST_P(StoreDeliveries, are_claimed_again_after_a_restart) {
    append(make_event(1), {for_webhook(1, true), for_webhook(1)});
    EXPECT_EQ(claim(1, 10).size(), 1U);
    reopen();
    EXPECT_EQ(claim(1, 10).size(), 2U);
}

TEST_P(StoreDeliveries, are_claimed_as_there_is_room_those_due_first_first) {
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 4; ++n) {
        ids.push_back(append(make_event(n), {for_webhook(1)}).deliveries[0]);
    }
    settle(ids[0], DeliveryState::pending, make_attempt(1, 500), noon + seconds{30});
    settle(ids[2], DeliveryState::pending, make_attempt(1, 500), noon + seconds{10});
    settle(ids[3], DeliveryState::pending, make_attempt(1, 500), noon + minutes{30});
    const Time later = noon + minutes{1};
    auto claimed = claim(1, 2, later);
    ASSERT_EQ(claimed.size(), 2U);
    EXPECT_EQ(claimed[0].delivery.id, ids[1]);
    EXPECT_EQ(claimed[1].delivery.id, ids[2]);
    EXPECT_EQ(claimed[1].delivery.attempts, 1U);
    claimed = claim(1, 10, later);
    ASSERT_EQ(claimed.size(), 1U);
    EXPECT_EQ(claimed[0].delivery.id, ids[0]);
}

TEST_P(StoreDeliveries, of_one_webhook_do_not_take_the_room_of_another) {
    for (std::uint64_t n = 1; n <= 5; ++n) append(make_event(n), {for_webhook(1), for_webhook(2)});
    EXPECT_EQ(claim(1, 3).size(), 3U);
    EXPECT_EQ(claim(2, 10).size(), 5U);
    EXPECT_EQ(claim(1, 10).size(), 2U);
    EXPECT_TRUE(claim(3, 10).empty());
}

TEST_P(StoreDeliveries, due_tells_which_webhooks_have_work_and_when) {
    EXPECT_TRUE(store().due()->empty());
    const DeliveryId one = append(make_event(1), {for_webhook(1)}).deliveries[0];
    append(make_event(2), {for_webhook(2, true)});
    settle(one, DeliveryState::pending, make_attempt(1, 500), noon + minutes{2});
    auto due = *store().due();
    std::ranges::sort(due, {}, &DueWebhook::webhook);
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].due_at, noon + minutes{2});
    EXPECT_EQ(due[0].pending, 1U);
    EXPECT_EQ(due[1].due_at, noon + minutes{5}) << "the end of its lease";
    settle(one, DeliveryState::delivered, make_attempt(2, 200));
    EXPECT_EQ(store().due()->size(), 1U);
}

TEST_P(StoreDeliveries, record_every_attempt) {
    const DeliveryId id = append(make_event(1), {for_webhook(1)}).deliveries[0];
    Attempt refused = make_attempt(1, 401);
    refused.refused_profiles = {{"infrahub", 401}, {"infrahub-repr", 403}};
    refused.response_cut = true;
    EXPECT_TRUE(settle(id, DeliveryState::pending, refused, noon + minutes{1}));
    EXPECT_TRUE(settle(id, DeliveryState::delivered, make_attempt(2, 204)));
    reopen();
    const auto detail = reader().delivery(id);
    ASSERT_TRUE(detail && *detail);
    EXPECT_EQ((*detail)->attempts, (std::vector{refused, make_attempt(2, 204)}));
    EXPECT_EQ((*detail)->delivery.state, DeliveryState::delivered);
    EXPECT_EQ((*detail)->delivery.attempts, 2U);
    EXPECT_EQ((*detail)->delivery.last_failure, FailureClass::none);
}

TEST_P(StoreDeliveries, are_found_by_time_whatever_the_clock_said_at_a_restart) {
    const auto at = [&](Time now, std::uint64_t n) {
        Batch batch;
        batch.now = now;
        batch.events.push_back(new_event(make_event(n), {for_webhook(1)}));
        commit(std::move(batch));
    };
    const auto found = [&](std::optional<Time> since, std::optional<Time> until) {
        DeliveryQuery query;
        query.since = since;
        query.until = until;
        const auto page = reader().deliveries(query);
        return page ? page->items.size() : 0;
    };
    const auto century = std::chrono::days{36'500};
    const Time today = noon;
    at(today - century, 1);
    at(today + century, 2);
    reopen();
    at(today, 3);
    EXPECT_EQ(found({}, today), 1U);
    EXPECT_EQ(found(today + seconds{1}, {}), 1U);
    EXPECT_EQ(found({}, {}), 3U);
}

TEST_P(StoreDeliveries, that_are_final_stay_so) {
    const DeliveryId id = append(make_event(1), {for_webhook(1)}).deliveries[0];
    EXPECT_TRUE(settle(id, DeliveryState::cancelled));
    EXPECT_FALSE(settle(id, DeliveryState::pending, make_attempt(1, 500), noon));
    EXPECT_FALSE(settle(id, DeliveryState::delivered, make_attempt(1, 200)));
    EXPECT_EQ(delivery(id).state, DeliveryState::cancelled);
    EXPECT_TRUE(claim(1, 10, noon + minutes{60}).empty());
    reopen();
    EXPECT_TRUE(claim(1, 10, noon + minutes{60}).empty());
    EXPECT_FALSE(settle(DeliveryId{.seq = 99}, DeliveryState::cancelled));
}

TEST_P(StoreDeliveries, settled_twice_in_a_batch_keep_the_first_end) {
    const DeliveryId id = append(make_event(1), {for_webhook(1)}).deliveries[0];
    Batch batch;
    batch.settlements.push_back({id, make_attempt(1, 500), DeliveryState::pending, noon});
    batch.settlements.push_back({id, make_attempt(2, 200), DeliveryState::delivered, noon});
    batch.settlements.push_back({id, std::nullopt, DeliveryState::cancelled, noon});
    EXPECT_EQ(commit(std::move(batch)).settled, (std::vector<bool>{true, true, false}));
    EXPECT_EQ(delivery(id).state, DeliveryState::delivered);
    EXPECT_EQ(delivery(id).attempts, 2U);
}

TEST_P(StoreDeliveries, released_keep_their_count_and_failure) {
    const DeliveryId id = append(make_event(1), {for_webhook(1)}).deliveries[0];
    settle(id, DeliveryState::pending, make_attempt(1, 503), noon);
    ASSERT_EQ(claim(1, 10).size(), 1U);
    settle(id, DeliveryState::pending, std::nullopt, noon);
    const auto again = claim(1, 10);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].delivery.attempts, 1U);
    EXPECT_EQ(delivery(id).last_failure, FailureClass::http_server_error);
}

TEST_P(StoreDeliveries, are_repeated_as_new_ones) {
    const DeliveryId first = append(make_event(1), {for_webhook(4)}).deliveries[0];
    settle(first, DeliveryState::failed, make_attempt(1, 500));
    for (std::uint64_t n = 2; n <= 80; ++n) append(make_event(n));
    tend_all();

    Batch batch;
    batch.redeliveries.push_back({first, Cause::retry, true});
    const StoredRedelivery stored = commit(std::move(batch)).redeliveries.at(0);
    ASSERT_TRUE(stored.id);
    EXPECT_EQ(stored.webhook, WebhookId{4});
    EXPECT_EQ(*stored.event, make_event(1));
    const Delivery repeated = delivery(*stored.id);
    EXPECT_EQ(repeated.cause, Cause::retry);
    EXPECT_EQ(repeated.redelivers, first);
    EXPECT_EQ(repeated.event, event_id(1));
    EXPECT_TRUE(claim(4, 10).empty()) << "born leased";
    EXPECT_EQ(delivery(first).state, DeliveryState::failed);

    const auto detail = reader().event(event_id(1));
    ASSERT_EQ((*detail)->deliveries.size(), 2U);
    EXPECT_EQ((*detail)->deliveries[1].id, *stored.id);
    reopen();
    EXPECT_EQ(claim(4, 10).size(), 1U);
}

TEST_P(StoreDeliveries, of_a_removed_webhook_are_cancelled_in_small_steps) {
    for (std::uint64_t n = 1; n <= 10; ++n) append(make_event(n), {for_webhook(1), for_webhook(2)});
    ASSERT_EQ(claim(1, 3).size(), 3U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 5, noon), 5U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 5, noon), 2U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 5, noon), 0U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 5, noon + minutes{5}), 3U) << "leases ran out";
    DeliveryQuery cancelled;
    cancelled.states = {DeliveryState::cancelled};
    const auto page = reader().deliveries(cancelled);
    EXPECT_EQ(page->items.size(), 10U);
    for (const Delivery& one : page->items) EXPECT_EQ(one.webhook, WebhookId{1});
    EXPECT_EQ(claim(2, 100).size(), 10U);
}

TEST_P(StoreDeliveries, that_are_finished_can_go_before_their_events) {
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 100; ++n) {
        Batch batch;
        batch.now = noon + minutes{n};
        batch.events.push_back(new_event(make_event(n), {for_webhook(1)}));
        ids.push_back(commit(std::move(batch)).events[0].deliveries[0]);
        if (n != 5) settle(ids.back(), DeliveryState::delivered, make_attempt(1, 200));
    }
    Retention retention;
    retention.deliveries = minutes{30};
    tend_all(retention, noon + minutes{100});
    EXPECT_FALSE(*reader().delivery(ids[0]));
    EXPECT_TRUE(*reader().delivery(ids[4])) << "still pending";
    EXPECT_TRUE(*reader().delivery(ids[99]));
    EXPECT_TRUE(*reader().event(event_id(1)));
    Batch batch;
    batch.redeliveries.push_back({ids[0]});
    EXPECT_FALSE(commit(std::move(batch)).redeliveries[0].id);

    settle(ids[4], DeliveryState::delivered, make_attempt(1, 200));
    for (std::uint64_t n = 101; n <= 200; ++n) append(make_event(n));
    tend_all(retention, noon + minutes{200});
    EXPECT_FALSE(*reader().delivery(ids[4]));
}

INSTANTIATE_TEST_SUITE_P(, StoreDeliveries, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
