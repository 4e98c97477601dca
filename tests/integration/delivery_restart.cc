// Stopping and starting again: what was acknowledged is delivered, under the same id.
#include <gmock/gmock.h>

#include "core/window.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Restarting : EngineTest {};

TEST_F(Restarting, AStopLetsRequestsInHandFinish) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    bool stopped = false;
    boost::asio::co_spawn(loop, engine->stop(10s),
                          [&](const std::exception_ptr&) { stopped = true; });
    turn(30ms);
    EXPECT_FALSE(stopped);
    receiver.release();
    until([&] { return stopped; });
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::delivered);
    engine.reset();

    open();
    turn(30ms);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Restarting, WhatDoesNotFinishWithinTheGraceIsSentAgainUnderTheSameId) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    reopen(30ms);
    EXPECT_EQ(detail(id).delivery.attempts, 0U) << "what was called off is no attempt";
    receiver.release();
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(found.attempts.size(), 1U);
    ASSERT_EQ(receiver.requests.size(), 2U);
    EXPECT_EQ(receiver.requests[0].header("webhook-id"), id.text());
    EXPECT_EQ(receiver.requests[1].header("webhook-id"), id.text());
}

TEST_F(Restarting, WhatWaitedInALaneIsSentAfterwards) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= Window::start + 20; ++n) {
        ids.push_back(send_one(node_event(n)));
    }
    until([&] { return receiver.waiting() == Window::start; });
    reopen();
    receiver.release();
    for (const DeliveryId id : ids) {
        EXPECT_EQ(until_state(id, DeliveryState::delivered).delivery.attempts, 1U);
    }
}

TEST_F(Restarting, WhileItStopsEventsAreRefusedAndNothingIsStored) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    run(engine->dispatcher.drain(0s));
    // Between the two drains events are still taken, but kept for the next start.
    const Submitted kept = send(node_event(2));
    run(engine->committer.drain());
    const auto refused = send_all({node_event(3)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    reopen();
    receiver.release();
    until_state(kept.deliveries.at(0), DeliveryState::delivered);
    EXPECT_FALSE(send(node_event(3)).duplicate);
}

TEST_F(Restarting, OutcomesThatWereNotYetWrittenAreWrittenByTheStop) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 10; ++n) ids.push_back(send_one(node_event(n)));
    until([&] { return receiver.requests.size() == 10 && engine->dispatcher.flying() == 0; });
    reopen();
    for (const DeliveryId id : ids) EXPECT_EQ(detail(id).delivery.state, DeliveryState::delivered);
    turn(20ms);
    EXPECT_EQ(receiver.requests.size(), 10U);
}

}  // namespace
}  // namespace herald::test
