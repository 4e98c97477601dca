// Strict order within a webhook or a node.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Ordered : EngineTest {
    Catalog::Entry add_ordered(const Receiver& receiver, Ordering ordering,
                               std::uint32_t set_aside_after = 5) {
        Webhook webhook = to(receiver);
        webhook.pacing.ordering = ordering;
        webhook.pacing.set_aside_after = set_aside_after;
        webhook.retry = {.delays = std::vector<Duration>(10, 1min), .jitter = 0};
        webhook.retry.delays[0] = 0s;
        return add(webhook);
    }
    DeliveryId send_for(std::uint64_t n, const std::string& node) {
        Event event = node_event(n);
        event.node.id = node;
        return send_one(std::move(event));
    }
    /// Answers 500 to these and 200 to others.
    static Receiver::Decide failing(std::vector<DeliveryId> ids) {
        return [ids = std::move(ids)](const ServerRequest& request) {
            const bool fails = std::ranges::any_of(
                ids, [&](DeliveryId id) { return request.header("webhook-id") == id.text(); });
            return ServerAnswer{.status = fails ? 500 : 200};
        };
    }
    static std::vector<std::string> order_of(const Receiver& receiver) {
        std::vector<std::string> ids;
        for (const ServerRequest& request : receiver.requests) {
            ids.emplace_back(request.header("webhook-id"));
        }
        return ids;
    }
    static std::vector<std::string> texts(const std::vector<DeliveryId>& ids) {
        std::vector<std::string> all;
        for (const DeliveryId id : ids) all.push_back(id.text());
        return all;
    }
    std::uint64_t pending() { return engine->reader->stats()->pending; }
};

TEST_F(Ordered, OfAWebhookOneGoesAfterTheOther) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add_ordered(receiver, Ordering::webhook);
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 200; ++n) ids.push_back(send_for(n, "node"));
    until([&] { return receiver.waiting() == 1; });
    turn(20ms);
    EXPECT_EQ(receiver.waiting(), 1U);
    receiver.release();
    until([&] { return pending() == 0; });
    EXPECT_EQ(receiver.most_waiting(), 1U);
    EXPECT_EQ(order_of(receiver), texts(ids));
}

TEST_F(Ordered, AFailingFirstHoldsUpItsNodeOnly) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add_ordered(receiver, Ordering::node);
    const DeliveryId a1 = send_for(1, "a");
    receiver.decide = failing({a1});
    const DeliveryId a2 = send_for(2, "a");
    const DeliveryId b1 = send_for(3, "b");
    const DeliveryId b2 = send_for(4, "b");
    const DeliveryId none = send_for(5, "");
    receiver.release();
    for (const DeliveryId id : {b1, b2, none}) until_state(id, DeliveryState::delivered);
    until_attempts(a1, 1);
    turn();
    EXPECT_EQ(detail(a2).delivery.attempts, 0U);
    receiver.decide = answer_with(200);
    advance(2min);
    until_state(a2, DeliveryState::delivered);
    const auto order = order_of(receiver);
    EXPECT_EQ(order[order.size() - 2], a1.text());
    EXPECT_EQ(order.back(), a2.text());
}

TEST_F(Ordered, AFirstThatFailsTooOftenIsSetAsideAndTriedOn) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add_ordered(receiver, Ordering::webhook, 2);
    const DeliveryId first = send_for(1, "a");
    receiver.decide = failing({first});
    const DeliveryId second = send_for(2, "a");
    receiver.release();
    until_attempts(first, 1);
    turn();
    EXPECT_EQ(detail(second).delivery.state, DeliveryState::pending);
    advance(2min);
    until_state(second, DeliveryState::delivered);
    EXPECT_EQ(detail(first).delivery.attempts, 2U);
    EXPECT_EQ(detail(first).delivery.state, DeliveryState::pending);
    receiver.decide = answer_with(200);
    advance(2min);
    EXPECT_EQ(until_state(first, DeliveryState::delivered).delivery.attempts, 3U);
}

TEST_F(Ordered, TheOrderHoldsOverARestart) {
    Receiver receiver(loop, wheel, answer_with(500));
    add_ordered(receiver, Ordering::node);
    const DeliveryId a1 = send_for(1, "a");
    until_attempts(a1, 1);
    const DeliveryId a2 = send_for(2, "a");
    receiver.decide = answer_with(200);
    reopen();
    const DeliveryId a3 = send_for(3, "a");
    until_state(send_for(4, "b"), DeliveryState::delivered);
    turn();
    EXPECT_EQ(detail(a2).delivery.attempts, 0U);
    advance(2min);
    until_state(a3, DeliveryState::delivered);
    auto order = order_of(receiver);
    order.erase(order.begin(), order.end() - 3);
    EXPECT_EQ(order, texts({a1, a2, a3}));
}

TEST_F(Ordered, ACancelledFirstLetsTheNextGo) {
    Receiver receiver(loop, wheel, answer_with(500));
    add_ordered(receiver, Ordering::webhook);
    const DeliveryId first = send_for(1, "a");
    until_attempts(first, 1);
    receiver.decide = answer_with(200);
    const DeliveryId second = send_for(2, "a");
    turn();
    EXPECT_EQ(detail(second).delivery.attempts, 0U);
    EXPECT_EQ(run(engine->dispatcher.cancel(first)), Result<bool>(true));
    until_state(second, DeliveryState::delivered);
}

TEST_F(Ordered, WhateverFailsEachNodeSeesItsEventsInOrder) {
    constexpr std::uint64_t events = 300;
    constexpr std::uint64_t nodes = 7;
    std::map<std::uint64_t, std::vector<std::uint64_t>> accepted;
    std::size_t asked = 0;
    Receiver receiver(loop, wheel, [&](const ServerRequest& request) {
        if (++asked % 5 == 0) return ServerAnswer{.status = 500};
        const std::string_view mark = R"("number":)";
        const std::uint64_t n =
            std::stoull(request.body.substr(request.body.find(mark) + mark.size()));
        accepted[n % nodes].push_back(n);
        return ServerAnswer{};
    });
    Webhook webhook = *add_ordered(receiver, Ordering::node, 50);
    webhook.retry = {.delays = std::vector<Duration>(50, 0s), .jitter = 0};
    update(webhook);
    for (std::uint64_t n = 1; n <= events; ++n) {
        send_for(n, "node " + std::to_string(n % nodes));
        if (n % 100 == 0) reopen();
    }
    until([&] { return pending() == 0; });
    std::size_t seen = 0;
    for (auto& [node, numbers] : accepted) {
        // A request that was called off by a stop is made again, but no later one before it.
        EXPECT_TRUE(std::ranges::is_sorted(numbers)) << node;
        numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
        seen += numbers.size();
    }
    EXPECT_EQ(seen, events);
}

}  // namespace
}  // namespace herald::test
