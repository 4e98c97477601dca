// Many deliveries and many receivers at once: nobody waits for another, nothing is lost or doubled.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "core/limits.h"
#include "core/window.h"
#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Loaded : EngineTest {
    std::vector<DeliveryId> send_many(std::uint64_t first, std::uint64_t count) {
        std::vector<Event> events;
        for (std::uint64_t n = first; n < first + count; ++n) events.push_back(node_event(n));
        const auto sent = send_all(std::move(events));
        EXPECT_TRUE(sent);
        std::vector<DeliveryId> ids;
        for (const Submitted& one : *sent) {
            ids.insert(ids.end(), one.deliveries.begin(), one.deliveries.end());
        }
        return ids;
    }
    boost::asio::awaitable<void> submit(Event event, bool& stored) {
        std::vector<std::shared_ptr<const Event>> events;
        events.push_back(std::make_shared<const Event>(std::move(event)));
        const auto submitted = co_await engine->ingest.submit(std::move(events));
        stored = submitted.has_value();
    }
    std::uint64_t pending() {
        const auto stats = engine->reader->stats();
        return stats ? stats->pending : 0;
    }
    static std::set<std::string> ids_in(const Receiver& receiver) {
        std::set<std::string> ids;
        for (const ServerRequest& request : receiver.requests) {
            ids.emplace(request.header("webhook-id"));
        }
        return ids;
    }
};

TEST_F(Loaded, ASlowAndADeadReceiverDelayNobody) {
    Receiver slow(loop, wheel, answer_with(200));
    slow.hold();
    const RawReceiver dead({{hold_open()}});
    Receiver good(loop, wheel, answer_with(200));
    add(to(slow, "slow"));
    Webhook webhook = to(good, "dead");
    webhook.url = dead.url();
    webhook.timeout = 1s;
    add(webhook);
    add(to(good, "good"));
    // More than the lanes of the two hold.
    const std::uint64_t count = limits::lane_queue + 200;
    EXPECT_EQ(send_many(1, count).size(), 3 * count);
    until([&] { return good.requests.size() == count; });
    EXPECT_EQ(slow.requests.size(), Window::start);
    slow.release();
    until([&] { return slow.requests.size() == count; });
    EXPECT_EQ(ids_in(slow).size(), count);
    EXPECT_EQ(ids_in(good).size(), count);
}

TEST_F(Loaded, ALaneSendsNoMoreAtOnceThanItMay) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    send_many(1, 200);
    until([&] { return receiver.waiting() == Window::start; });
    turn(20ms);
    EXPECT_EQ(receiver.most_waiting(), Window::start);
    EXPECT_EQ(engine->dispatcher.flying(), Window::start);
    receiver.release();
    until([&] { return receiver.requests.size() == 200; });
    EXPECT_LE(receiver.most_waiting(), limits::lane_in_flight);
}

TEST_F(Loaded, WhatALaneCannotHoldWaitsInTheStoreAndIsSentOnce) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const std::uint64_t count = 3 * limits::lane_queue;
    std::set<std::string> expected;
    for (std::uint64_t first = 1; first <= count; first += 256) {
        for (const DeliveryId id : send_many(first, 256)) expected.insert(id.text());
    }
    EXPECT_EQ(expected.size(), count);
    EXPECT_LE(engine->dispatcher.open(), limits::lane_queue);
    EXPECT_EQ(pending(), count);
    receiver.release();
    until([&] { return pending() == 0; });
    EXPECT_EQ(receiver.requests.size(), count);
    EXPECT_EQ(ids_in(receiver), expected);
    EXPECT_EQ(engine->dispatcher.open(), 0U);
}

TEST_F(Loaded, WhatIsHeldInMemoryIsBoundedOverAllLanes) {
    Receiver receiver(loop, wheel, answer_with(200));
    constexpr std::uint64_t lanes = 11;
    constexpr std::uint64_t each = 400;
    for (std::uint64_t n = 0; n < lanes; ++n) add(to(receiver, "hook " + std::to_string(n)));
    // A lane may hold more once its receiver has shown that it keeps up.
    send_many(1'000, 1);
    until([&] { return pending() == 0; });
    receiver.requests.clear();
    receiver.hold();
    EXPECT_EQ(send_many(1, each).size(), lanes * each);
    turn();  // claims what there is room for
    EXPECT_LE(engine->dispatcher.open(), limits::open_in_memory + lanes);
    // A lane that comes when all is full still gets its first one through.
    Webhook late = to(receiver, "late");
    late.url = receiver.url("/late");
    late.filter.event_types = {"infrahub.node.deleted"};
    add(late);
    Event event = node_event(each + 1);
    event.type = "infrahub.node.deleted";
    send(event);
    until(
        [&] { return std::ranges::count(receiver.requests, "/late", &ServerRequest::path) == 1; });
    receiver.release();
    until([&] { return pending() == 0; });
    EXPECT_EQ(receiver.requests.size(), lanes * (each + 1) + 1);
    EXPECT_EQ(ids_in(receiver).size(), lanes * (each + 1) + 1);
}

TEST_F(Loaded, IngestWaitsForAReceiverThatKeepsUp) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    receiver.hold();
    send_many(2, limits::ingest_debt);
    bool stored = false;
    TaskGroup tasks(loop.get_executor());
    tasks.start(submit(node_event(1'000), stored));
    turn(20ms);
    EXPECT_FALSE(stored);
    receiver.release();
    until([&] { return stored; });
    until([&] { return pending() == 0; });
}

TEST_F(Loaded, IngestDoesNotWaitForAReceiverThatHangs) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    receiver.hold();
    send_many(2, limits::ingest_debt);
    const auto began = std::chrono::steady_clock::now();
    send_many(1'000, 1);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s) << "it was doubted";
    send_many(2'000, limits::ingest_debt);
    send_many(3'000, 1);
    receiver.release();
    until([&] { return pending() == 0; });
}

TEST_F(Loaded, EventsThatArriveWhileARetryIsOwedAreNotHeldUpByIt) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId first = send_one(node_event(1));
    until_attempts(first, 1);
    receiver.decide = answer_with(200);
    until_state(send_one(node_event(2)), DeliveryState::delivered);
    EXPECT_EQ(detail(first).delivery.attempts, 1U);
}

}  // namespace
}  // namespace herald::test
