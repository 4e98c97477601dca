// Everybody gets a fair share: of requests, of memory, of turns.
#include <algorithm>

#include <gmock/gmock.h>

#include "core/limits.h"
#include "core/window.h"
#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Fair : EngineTest {
    void send_many(std::uint64_t first, std::uint64_t count, const std::string& type = {}) {
        for (std::uint64_t done = 0; done < count; done += 250) {
            std::vector<Event> events;
            for (std::uint64_t n = done; n < std::min(done + 250, count); ++n) {
                events.push_back(node_event(first + n));
                if (!type.empty()) events.back().type = type;
            }
            ASSERT_TRUE(send_all(std::move(events)));
        }
    }
    static Webhook only(Webhook webhook, std::string type) {
        webhook.filter.event_types = {std::move(type)};
        return webhook;
    }
    std::uint64_t pending() { return engine->reader->stats()->pending; }

    static constexpr const char* deleted = "infrahub.node.deleted";
};

TEST_F(Fair, OneReceiverThatHangsAmongManyDelaysNone) {
    const RawReceiver dead({{hold_open()}});
    Receiver good(loop, wheel, answer_with(200));
    Webhook hanging = to(good, "hanging");
    hanging.url = dead.url();
    const auto hangs = add(hanging);
    for (int n = 0; n < 20; ++n) add(to(good, "good " + std::to_string(n)));
    send_many(1, 500);
    until([&] { return good.requests.size() == 20 * 500; });
    until([&] { return pending() == 500; }, "all but those of the one that hangs");
    EXPECT_LE(engine->dispatcher.flying(), Window::start);
    EXPECT_LE(engine->dispatcher.open(), limits::lane_queue_slow * 5 / 4);
}

TEST_F(Fair, AWebhookWithVeryManyPendingLeavesOthersTheirTurn) {
    Receiver busy(loop, wheel, answer_with(200));
    Receiver other(loop, wheel, answer_with(200));
    busy.hold();
    add(only(to(busy, "busy"), "infrahub.node.created"));
    add(only(to(other, "other"), deleted));
    send_many(1, 4'000);
    busy.release();
    Event event = node_event(9'999);
    event.type = deleted;
    send(event);
    until([&] { return other.requests.size() == 1; });
    EXPECT_LT(busy.requests.size(), 3'000U);
    until([&] { return pending() == 0; });
    EXPECT_EQ(busy.requests.size(), 4'000U);
}

TEST_F(Fair, ABacklogOfRetriesDoesNotHoldUpNewWork) {
    Receiver receiver(loop, wheel, answer_with(500));
    Webhook webhook = to(receiver);
    webhook.breaker.failures = 0;
    webhook.retry.delays = {0s, 5s, 5s};
    add(webhook);
    constexpr std::uint64_t backlog = 1'000;
    send_many(1, backlog);
    until([&] { return receiver.requests.size() == backlog && engine->dispatcher.flying() == 0; });
    receiver.requests.clear();
    receiver.decide = answer_with(200);
    receiver.hold();
    advance(6s);
    until([&] { return receiver.waiting() > 0; });
    turn(20ms);
    const DeliveryId fresh = send_one(node_event(5'000));
    receiver.release();
    until_state(fresh, DeliveryState::delivered);
    const auto place = std::ranges::find_if(receiver.requests, [&](const ServerRequest& request) {
        return request.header("webhook-id") == fresh.text();
    });
    EXPECT_LT(place - receiver.requests.begin(), 100) << "it took its turn among the retries";
    until([&] { return pending() == 0; });
    EXPECT_EQ(receiver.requests.size(), backlog + 1) << "nor do retries wait for ever";
}

TEST_F(Fair, AReceiverThatDoesWellGetsMoreAtOnce) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    send_many(1, 200);
    until([&] { return pending() == 0; });
    receiver.hold();
    send_many(1'000, 200);
    until([&] { return receiver.waiting() == limits::lane_in_flight; });
    turn(20ms);
    EXPECT_EQ(receiver.waiting(), limits::lane_in_flight);
    receiver.release();
    until([&] { return pending() == 0; });
}

TEST_F(Fair, WhatIsHeldTakesNoRoomInMemory) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.decide = [](const ServerRequest&) {
        ServerAnswer answer;
        answer.status = 429;
        answer.headers = {{"Retry-After", "3600"}};
        return answer;
    };
    constexpr std::size_t lanes = 20;
    for (std::size_t n = 0; n < lanes; ++n) add(to(receiver, "hook " + std::to_string(n)));
    send_many(1, 300);
    until([&] { return engine->dispatcher.open() == 0; });
    EXPECT_EQ(pending(), lanes * 300);
    const std::size_t asked = receiver.requests.size();
    EXPECT_LE(asked, lanes * Window::start);
    send_many(1'000, 10);
    turn();
    EXPECT_EQ(engine->dispatcher.open(), 0U);
    EXPECT_EQ(receiver.requests.size(), asked);
}

}  // namespace
}  // namespace herald::test
