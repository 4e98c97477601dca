// In what order a store gives out what is due.
#include <algorithm>

#include "conformance/store_suite.h"
#include "core/limits.h"

namespace herald::test {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr LaneOrder by_webhook{.ordering = Ordering::webhook, .set_aside_after = 3};
constexpr LaneOrder by_node{.ordering = Ordering::node, .set_aside_after = 3};
constexpr LaneOrder newest{.backlog = Backlog::newest};

class StoreOrders : public StoreSuite {
protected:
    /// One event for each node, all for webhook 1; their deliveries.
    std::vector<DeliveryId> append_for(const std::vector<std::string>& nodes, bool leased = false) {
        std::vector<DeliveryId> ids;
        for (const std::string& node : nodes) {
            Event event = make_event(++events_);
            event.node.id = node;
            ids.push_back(append(std::move(event), {for_webhook(1, leased)}).deliveries.at(0));
        }
        return ids;
    }
    std::vector<DeliveryId> claim_ids(const LaneOrder& order, std::size_t room = 100,
                                      Time now = noon) {
        std::vector<DeliveryId> ids;
        for (const Claimed& one : claim(1, room, now, order)) ids.push_back(one.delivery.id);
        return ids;
    }
    /// An attempt that failed; the next is due in a minute.
    void fail_once(DeliveryId id, std::uint32_t number = 1) {
        settle(id, DeliveryState::pending, make_attempt(number, 500), noon + minutes{1});
    }
    using Ids = std::vector<DeliveryId>;

private:
    std::uint64_t events_ = 0;
};

TEST_P(StoreOrders, of_a_webhook_come_in_sequence_and_wait_for_the_first) {
    const Ids ids = append_for({"a", "b", "c"});
    EXPECT_EQ(claim_ids(by_webhook, 2), (Ids{ids[0], ids[1]}));
    EXPECT_EQ(claim_ids(by_webhook), Ids{}) << "the last is behind what is in hand";
    settle(ids[0], DeliveryState::delivered, make_attempt(1, 200));
    EXPECT_EQ(claim_ids(by_webhook), Ids{});
    settle(ids[1], DeliveryState::delivered, make_attempt(1, 200));
    EXPECT_EQ(claim_ids(by_webhook), Ids{ids[2]});
}

TEST_P(StoreOrders, a_failing_first_holds_up_its_key_only) {
    const Ids ids = append_for({"a", "b", "a", "b", ""});
    EXPECT_EQ(claim_ids(by_node, 1), Ids{ids[0]});
    fail_once(ids[0]);
    EXPECT_EQ(claim_ids(by_node), (Ids{ids[1], ids[3], ids[4]}));
    EXPECT_EQ(claim_ids(by_node, 100, noon + minutes{1}), (Ids{ids[0], ids[2]}));
}

TEST_P(StoreOrders, what_is_behind_a_failing_first_is_due_when_that_is) {
    const Ids ids = append_for({"a", "a"});
    EXPECT_EQ(claim_ids(by_node), ids);
    fail_once(ids[0]);
    settle(ids[1], DeliveryState::pending);
    EXPECT_EQ(claim_ids(by_node), Ids{});
    ASSERT_EQ(store().due()->size(), 1U);
    EXPECT_EQ(store().due()->at(0).due_at, noon + minutes{1});
    EXPECT_EQ(store().due()->at(0).pending, 2U);
}

TEST_P(StoreOrders, a_first_that_failed_too_often_is_set_aside_and_tried_on) {
    const Ids ids = append_for({"a", "a", "a"});
    for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
        EXPECT_EQ(claim_ids(by_webhook, 1, noon + minutes{attempt}), Ids{ids[0]});
        fail_once(ids[0], attempt);
        EXPECT_EQ(claim_ids(by_webhook), Ids{});
    }
    EXPECT_EQ(claim_ids(by_webhook, 1, noon + minutes{1}), Ids{ids[0]});
    fail_once(ids[0], 3);
    EXPECT_EQ(claim_ids(by_webhook, 1), Ids{ids[1]});
    EXPECT_EQ(claim_ids(by_webhook, 1, noon + minutes{1}), Ids{ids[0]}) << "it is tried on";
    settle(ids[1], DeliveryState::delivered, make_attempt(1, 200));
    EXPECT_EQ(claim_ids(by_webhook), Ids{ids[2]});
}

TEST_P(StoreOrders, hold_over_a_restart) {
    const Ids ids = append_for({"a", "b", "a", "b"}, true);
    fail_once(ids[0]);
    settle(ids[1], DeliveryState::delivered, make_attempt(1, 200));
    reopen();
    EXPECT_EQ(claim_ids(by_node), Ids{ids[3]});
    EXPECT_EQ(claim_ids(by_node, 100, noon + minutes{1}), (Ids{ids[0], ids[2]}));
}

TEST_P(StoreOrders, hold_when_the_first_lies_in_an_old_segment) {
    const Ids ids = append_for({"a", "a"});
    fail_once(ids[0]);
    for (std::uint64_t n = 1'000; n < 1'300; ++n) append(make_event(n));
    tend_all();
    const Ids more = append_for({"a", "b"});
    fail_once(ids[0], 2);
    reopen();
    EXPECT_EQ(claim_ids(by_node), Ids{more[1]});
    settle(ids[0], DeliveryState::failed, make_attempt(3, 500));
    EXPECT_EQ(claim_ids(by_node), (Ids{ids[1], more[0]}));
}

TEST_P(StoreOrders, a_first_that_is_cancelled_lets_the_next_go) {
    const Ids ids = append_for({"a", "a"});
    fail_once(ids[0]);
    EXPECT_EQ(claim_ids(by_node), Ids{});
    settle(ids[0], DeliveryState::cancelled);
    EXPECT_EQ(claim_ids(by_node), Ids{ids[1]});
}

TEST_P(StoreOrders, give_a_key_so_many_at_a_time) {
    append_for(std::vector<std::string>(limits::ordered_run + 10, "a"));
    const Ids other = append_for({"b"});
    const Ids claimed = claim_ids(by_node, 1'000);
    EXPECT_EQ(claimed.size(), limits::ordered_run + 1);
    EXPECT_EQ(claimed.back(), other[0]);
}

TEST_P(StoreOrders, can_change_while_much_is_pending) {
    const Ids ids = append_for({"a", "b", "a", "b"});
    EXPECT_EQ(claim_ids({}, 1), Ids{ids[0]});
    EXPECT_EQ(claim_ids(by_node), (Ids{ids[1], ids[3]}));
    EXPECT_EQ(claim_ids(by_webhook), Ids{});
    EXPECT_EQ(claim_ids({}), Ids{ids[2]});
}

TEST_P(StoreOrders, all_of_a_removed_webhook_are_cancelled_in_any_order) {
    append_for({"a", "a", "b", "a", "b"});
    EXPECT_EQ(claim_ids(by_node, 1).size(), 1U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 3, noon), 3U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 3, noon), 1U);
    EXPECT_EQ(store().cancel_some(WebhookId{1}, 3, noon), 0U);
}

TEST_P(StoreOrders, the_newest_of_those_due_come_first_when_so_asked) {
    Ids ids = append_for({"a", "b", "c", "d"});
    fail_once(ids[3]);
    EXPECT_EQ(claim_ids(newest, 2), (Ids{ids[2], ids[1]}));
    const Ids later = append_for({"e"});
    EXPECT_EQ(claim_ids(newest), (Ids{later[0], ids[0]}));
    EXPECT_EQ(claim_ids(newest, 100, noon + minutes{1}), Ids{ids[3]});
    EXPECT_EQ(claim_ids(newest, 100, noon - minutes{1}), Ids{}) << "the clock was set back";
    EXPECT_EQ(claim_ids(newest, 100, noon + minutes{6}),
              (Ids{later[0], ids[3], ids[2], ids[1], ids[0]}));
}

INSTANTIATE_TEST_SUITE_P(, StoreOrders, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
