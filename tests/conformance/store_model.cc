#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "conformance/store_suite.h"
#include "core/event_types.h"

namespace herald::test {

namespace {

using std::chrono::seconds;

/// What a delivery should be, by the prose of store.h.
struct Expected {
    Delivery delivery;
    std::vector<Attempt> attempts;
    Time next;
    std::uint32_t node_key = 0;
};

/// Does to a store and to a plain map what a herald does, at random, and compares.
class StoreModel : public StoreSuite {
protected:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    Time now() const { return noon + seconds{step_}; }
    void next_step() { ++step_; }

    void append_some() {
        Batch batch;
        batch.now = now();
        batch.lease_until = now() + lease;
        for (std::uint64_t i = 1 + below(6); i > 0; --i) {
            std::vector<NewDelivery> born;
            for (std::uint64_t d = below(4); d > 0; --d) {
                born.push_back(
                    for_webhook(static_cast<std::uint32_t>(1 + below(3)), below(2) == 0));
            }
            Event event = make_event(++events_);
            event.node.id = "node-" + std::to_string(below(4));
            if (below(3) == 0) event.type = "shop.order.[o]pened";
            batch.events.push_back(new_event(std::move(event), std::move(born)));
        }
        const Batch sent = batch;
        const Committed committed = commit(std::move(batch));
        for (std::size_t e = 0; e < sent.events.size(); ++e) {
            const StoredEvent& stored = committed.events[e];
            for (std::size_t d = 0; d < stored.deliveries.size(); ++d) {
                add(stored.deliveries[d], stored.seq, *sent.events[e].event,
                    sent.events[e].deliveries[d]);
            }
        }
    }

    void add(DeliveryId id, EventSeq seq, const Event& event, const NewDelivery& born) {
        Expected one;
        one.delivery.id = id;
        one.delivery.webhook = born.webhook;
        one.delivery.event_seq = seq;
        one.delivery.event = event.id;
        one.delivery.event_type = event.type;
        one.delivery.created_at = now();
        one.delivery.updated_at = now();
        one.delivery.due_at = now();
        one.next = born.leased ? now() + lease : now();
        one.node_key = order_key(Ordering::node, event.node.id);
        model_[id.seq] = one;
    }

    Expected* any() {
        if (model_.empty()) return nullptr;
        // Old ones more often than not: these have their home in sealed segments.
        auto at = model_.lower_bound(1 + below(model_.rbegin()->first));
        return at == model_.end() ? nullptr : &at->second;
    }

    void settle_some() {
        Batch batch;
        batch.now = now();
        std::vector<bool> expected;
        for (std::uint64_t i = 1 + below(8); i > 0; --i) {
            Expected* one = any();
            if (one == nullptr) return;
            Settlement settlement;
            settlement.delivery = one->delivery.id;
            settlement.due_at = now() + seconds{below(30)};
            settlement.state = static_cast<DeliveryState>(below(4));
            if (settlement.state != DeliveryState::cancelled && below(4) > 0) {
                const int status = settlement.state == DeliveryState::delivered ? 200 : 503;
                settlement.attempt = make_attempt(one->delivery.attempts + 1, status);
            }
            expected.push_back(apply(*one, settlement));
            batch.settlements.push_back(settlement);
        }
        EXPECT_EQ(commit(std::move(batch)).settled, expected);
    }

    /// An attempt that was on its way when its delivery was cancelled is recorded, no more.
    void end_late(Expected& one, const Settlement& settlement) {
        if (one.delivery.state != DeliveryState::cancelled || !settlement.attempt) return;
        if (settlement.attempt->number <= one.delivery.attempts) return;
        one.attempts.push_back(*settlement.attempt);
        one.delivery.attempts = settlement.attempt->number;
        one.delivery.last_failure = settlement.attempt->outcome.failure;
        one.delivery.updated_at = now();
    }

    bool apply(Expected& one, const Settlement& settlement) {
        if (is_final(one.delivery.state)) {
            end_late(one, settlement);
            return false;
        }
        one.delivery.state = settlement.state;
        one.delivery.due_at = settlement.due_at;
        one.delivery.updated_at = now();
        one.next = settlement.due_at;
        if (settlement.attempt) {
            one.attempts.push_back(*settlement.attempt);
            one.delivery.attempts = settlement.attempt->number;
            one.delivery.last_failure = settlement.attempt->outcome.failure;
        }
        return true;
    }

    void redeliver_one() {
        Expected* one = any();
        if (one == nullptr) return;
        Batch batch;
        batch.now = now();
        batch.redeliveries.push_back({one->delivery.id, Cause::retry, false});
        const auto stored = commit(std::move(batch)).redeliveries.at(0);
        ASSERT_TRUE(stored.id);
        add(*stored.id, one->delivery.event_seq, *stored.event, {.webhook = one->delivery.webhook});
        Delivery& repeated = model_[stored.id->seq].delivery;
        repeated.cause = Cause::retry;
        repeated.redelivers = one->delivery.id;
    }

    /// A page of a job: what it makes and how far it is are stored together, or not at all.
    void advance_job() {
        Expected* one = any();
        if (one == nullptr) return;
        Batch batch;
        batch.now = now();
        const Delivery& old = one->delivery;
        const bool repeats = below(2) == 0;
        const WebhookId webhook{static_cast<std::uint32_t>(1 + below(3))};
        batch.replays = {{old.event_seq, webhook, Cause::replay, std::nullopt},
                         {EventSeq{1'000'000}, webhook, Cause::replay, std::nullopt}};
        if (repeats) batch.replays[0].redelivers = old.id;
        const Uuid id = event_id(below(4));
        Job& job = jobs_[id];
        job.id = id;
        job.progress.after = old.id.seq;
        ++job.progress.made;
        batch.jobs = {job};
        const auto replays = commit(std::move(batch)).replays;
        ASSERT_EQ(replays.size(), 2U);
        ASSERT_TRUE(replays[0]);
        EXPECT_EQ(replays[1], std::nullopt) << "there is no such event";
        Event event;
        event.id = old.event;
        event.type = old.event_type;
        add(*replays[0], old.event_seq, event, {.webhook = webhook, .cause = Cause::replay});
        model_[replays[0]->seq].node_key = one->node_key;
        Delivery& made = model_[replays[0]->seq].delivery;
        made.cause = Cause::replay;
        if (repeats) made.redelivers = old.id;
    }

    LaneOrder random_order() {
        LaneOrder order;
        order.ordering = static_cast<Ordering>(below(3));
        order.set_aside_after = static_cast<std::uint32_t>(1 + below(4));
        order.backlog = static_cast<Backlog>(below(2));
        return order;
    }

    /// The pending ones of a webhook that nothing holds up, each with those of its key behind it.
    std::map<std::uint64_t, std::vector<std::uint64_t>> in_turn(WebhookId webhook,
                                                                const LaneOrder& order) {
        std::map<std::uint64_t, std::vector<std::uint64_t>> turns;
        std::map<std::uint32_t, std::uint64_t> first_of_key;
        for (const auto& [seq, one] : model_) {
            if (one.delivery.webhook != webhook || is_final(one.delivery.state)) continue;
            const bool aside = one.delivery.attempts >= order.set_aside_after;
            if (order.ordering == Ordering::none || aside) {
                turns[seq];
                continue;
            }
            const std::uint32_t key = order.ordering == Ordering::node ? one.node_key : 0;
            const auto [first, is_first] = first_of_key.try_emplace(key, seq);
            if (is_first) {
                turns[seq];
            } else {
                turns[first->second].push_back(seq);
            }
        }
        return turns;
    }

    std::vector<std::uint64_t> expect_claim(WebhookId webhook, const LaneOrder& order,
                                            std::size_t room) {
        const auto turns = in_turn(webhook, order);
        std::vector<std::pair<Time, std::uint64_t>> due;
        for (const auto& [seq, behind] : turns) {
            if (model_[seq].next <= now()) due.emplace_back(model_[seq].next, seq);
        }
        std::ranges::sort(due);
        if (order.ordering == Ordering::none && order.backlog == Backlog::newest) {
            std::ranges::sort(due, std::greater{}, [](const auto& one) { return one.second; });
        }
        std::vector<std::uint64_t> expected;
        for (const auto& [next, seq] : due) {
            expected.push_back(seq);
            for (const std::uint64_t after : turns.at(seq)) {
                if (model_[after].next > now()) break;
                expected.push_back(after);
            }
        }
        expected.resize(std::min(room, expected.size()));
        return expected;
    }

    void claim_some() {
        const WebhookId webhook{static_cast<std::uint32_t>(1 + below(3))};
        if (below(3) == 0) orders_[webhook] = random_order();
        const LaneOrder order = orders_[webhook];
        const std::size_t room = below(20);
        const auto expected = expect_claim(webhook, order, room);
        const LaneRoom lane{webhook, room, order};
        const auto claimed = store().claim(now(), now() + lease, {&lane, 1});
        ASSERT_TRUE(claimed);
        arranged_[webhook] = order;
        ASSERT_EQ(claimed->size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ((*claimed)[i].delivery.id.seq, expected[i]);
            EXPECT_EQ((*claimed)[i].event->id, (*claimed)[i].delivery.event);
            model_[expected[i]].next = now() + lease;
        }
    }

    void restart() {
        reopen();
        for (auto& [seq, one] : model_) one.next = one.delivery.due_at;  // no lease outlives us
        arranged_.clear();
    }

    void upkeep(int steps) {
        for (int i = 0; i < steps; ++i) ASSERT_TRUE(store().tend({}, now()));
    }

    DeliveryQuery random_query() {
        DeliveryQuery query;
        if (below(3) == 0) query.webhooks = {WebhookId{1}, WebhookId{3}};
        if (below(2) == 0) query.states = {static_cast<DeliveryState>(below(4))};
        if (below(6) == 0) query.states = {DeliveryState::pending, DeliveryState::failed};
        if (below(4) == 0) query.classes = {FailureClass::http_server_error};
        if (below(4) == 0) query.event_types = {below(2) == 0 ? "shop.order.paid" : "shop.*.pai?"};
        if (below(6) == 0) query.event_types.emplace_back("shop.[o]*");
        if (below(4) == 0) query.since = noon + seconds{below(step_ + 1)};
        if (below(4) == 0) query.until = noon + seconds{below(step_ + 1)};
        if (below(5) == 0) query.event = event_id(1 + below(events_ + 1));
        query.order = below(2) == 0 ? Order::newest_first : Order::oldest_first;
        query.limit = 1 + below(60);
        return query;
    }

    static std::string text_of(const DeliveryQuery& query) {
        std::string text = "query";
        for (const WebhookId id : query.webhooks) {
            text += " webhook=" + std::to_string(std::to_underlying(id));
        }
        for (const DeliveryState state : query.states) text.append(" ").append(to_text(state));
        for (const FailureClass one : query.classes) text.append(" ").append(to_text(one));
        for (const std::string& type : query.event_types) text += " " + type;
        if (query.since) text += " since " + to_rfc3339(*query.since);
        if (query.until) text += " until " + to_rfc3339(*query.until);
        if (query.event) text += " event " + query.event->text();
        if (query.order == Order::oldest_first) text += " oldest first";
        return text + " limit " + std::to_string(query.limit);
    }

    static bool is_of_type(const DeliveryQuery& query, const std::string& type) {
        return std::ranges::any_of(
            query.event_types, [&](const std::string& wanted) { return glob_match(wanted, type); });
    }

    static bool asked_for(const DeliveryQuery& query, const Delivery& one) {
        const auto among = [](const auto& wanted, auto value) {
            return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
        };
        return among(query.webhooks, one.webhook) && among(query.states, one.state) &&
               among(query.classes, one.last_failure) &&
               (query.event_types.empty() || is_of_type(query, one.event_type)) &&
               (!query.event || *query.event == one.event) &&
               (!query.since || *query.since <= one.created_at) &&
               (!query.until || one.created_at < *query.until);
    }

    void compare_query() {
        DeliveryQuery query = random_query();
        std::vector<Delivery> expected;
        for (const auto& [seq, one] : model_) {
            if (asked_for(query, one.delivery)) expected.push_back(one.delivery);
        }
        if (query.order == Order::newest_first) std::ranges::reverse(expected);
        SCOPED_TRACE(text_of(query));
        std::vector<Delivery> found;
        for (bool more = true; more;) {
            const auto page = reader().deliveries(query);
            ASSERT_TRUE(page) << page.error().message;
            ASSERT_LE(page->items.size(), query.limit);
            found.insert(found.end(), page->items.begin(), page->items.end());
            more = page->more;
            if (more) query.after = page->items.back().id.seq;
        }
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_TRUE(found[i] == expected[i]) << found[i].id.seq << " is not as it should be";
        }
    }

    void compare_one() {
        const Expected* one = any();
        if (one == nullptr) return;
        const auto detail = reader().delivery(one->delivery.id);
        ASSERT_TRUE(detail && *detail);
        EXPECT_EQ((*detail)->delivery, one->delivery);
        EXPECT_EQ((*detail)->attempts, one->attempts);
    }

    void compare_jobs() {
        const auto stored = store().jobs();
        ASSERT_TRUE(stored) << stored.error().message;
        std::map<Uuid, Job> found;
        for (const Job& job : *stored) found[job.id] = job;
        EXPECT_EQ(found, jobs_);
    }

    void forget_job() {
        Batch batch;
        batch.now = now();
        batch.forgotten_jobs = {event_id(below(4))};
        jobs_.erase(batch.forgotten_jobs[0]);
        commit(std::move(batch));
    }

    void compare_pending() {
        std::map<WebhookId, std::uint64_t> pending;
        for (const auto& [seq, one] : model_) {
            if (!is_final(one.delivery.state)) ++pending[one.delivery.webhook];
        }
        const auto due = store().due();
        ASSERT_TRUE(due);
        ASSERT_EQ(due->size(), pending.size());
        for (const DueWebhook& webhook : *due) {
            EXPECT_EQ(webhook.pending, pending[webhook.webhook]);
            Time first = Time::max();
            for (const auto& [seq, behind] : in_turn(webhook.webhook, arranged_[webhook.webhook])) {
                first = std::min(first, model_[seq].next);
            }
            // Any moment that has passed is as good as another.
            EXPECT_EQ(std::max(webhook.due_at, now()), std::max(first, now()));
        }
        std::erase_if(arranged_, [&](const auto& one) { return !pending.contains(one.first); });
    }

    [[nodiscard]] std::string seed() const { return std::to_string(seed_); }

private:
    static constexpr auto lease = seconds{20};
    const int seed_ = testing::UnitTest::GetInstance()->random_seed();
    std::mt19937_64 random_{static_cast<std::uint64_t>(seed_)};
    std::uint64_t events_ = 0;
    std::uint64_t step_ = 0;
    std::map<std::uint64_t, Expected> model_;
    std::map<WebhookId, LaneOrder> orders_;  ///< what the webhook wants
    std::map<WebhookId, LaneOrder> arranged_;  ///< what its last claim asked for
    std::map<Uuid, Job> jobs_;
};

TEST_P(StoreModel, anything_in_any_order_is_as_the_rules_say) {
    for (int round = 0; round < 400 && !HasFailure(); ++round) {
        SCOPED_TRACE("--gtest_random_seed=" + seed() + ", round " + std::to_string(round));
        next_step();
        switch (below(10)) {
            case 0:
            case 1: append_some(); break;
            case 2:
            case 3: settle_some(); break;
            case 4: claim_some(); break;
            case 5: redeliver_one(); break;
            case 6: advance_job(); break;
            case 7:
                if (below(4) == 0) forget_job();
                break;
            case 8: upkeep(static_cast<int>(below(4))); break;
            default:
                if (below(4) == 0) restart();
        }
        compare_query();
        compare_one();
        compare_pending();
        compare_jobs();
    }
}

INSTANTIATE_TEST_SUITE_P(, StoreModel, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
