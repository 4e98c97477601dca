// A store that fails or is slow: callers are told, outcomes are kept, and all heals.
#include <algorithm>

#include <gmock/gmock.h>

#include "core/limits.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct FaultyStoreTest : EngineTest {
    using Answer = std::optional<Result<std::vector<Submitted>>>;

    /// Submits without waiting for the answer.
    void begin(Answer& answer, std::uint64_t first, std::uint64_t count) {
        std::vector<std::shared_ptr<const Event>> events;
        for (std::uint64_t n = first; n < first + count; ++n) {
            events.push_back(std::make_shared<const Event>(node_event(n)));
        }
        boost::asio::co_spawn(
            loop, engine->ingest.submit(std::move(events)),
            [&answer](const std::exception_ptr&, Result<std::vector<Submitted>> result) {
                answer = std::move(result);
            });
    }
    std::uint64_t stored() { return engine->reader->stats()->events; }
};

TEST_F(FaultyStoreTest, ACallerIsToldThatNothingWasStoredAndMayTryAgain) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    engine->store.fail_commits(1);
    const auto failed = send_all({node_event(1), node_event(2)});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unavailable);
    turn();
    EXPECT_EQ(stored(), 0U);
    EXPECT_TRUE(receiver.requests.empty());
    EXPECT_EQ(engine->dispatcher.open(), 0U) << "the room in the lane is given back";

    const auto again = send_all({node_event(1), node_event(2)});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->at(0).duplicate);
    until([&] { return receiver.requests.size() == 2; });
}

TEST_F(FaultyStoreTest, AllCallersOfOneCommitAreTold) {
    engine->store.hold_commits();
    Answer first;
    Answer second;
    Answer third;
    begin(first, 1, 1);
    until([&] { return engine->store.waiting(); });
    begin(second, 2, 1);
    begin(third, 3, 1);
    turn(10ms);
    engine->store.fail_commits(2);
    engine->store.release_commits();
    until([&] { return first && second && third; });
    EXPECT_FALSE(*first);
    EXPECT_FALSE(*second);
    EXPECT_FALSE(*third);
    EXPECT_EQ(engine->store.failed(), 2);
    EXPECT_EQ(stored(), 0U);
}

TEST_F(FaultyStoreTest, AnOutcomeThatCouldNotBeWrittenIsWrittenLater) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    engine->store.fail_commits(1);
    receiver.release();
    until([&] { return engine->store.failed() == 1; });
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::pending);
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(found.attempts.size(), 1U);
    EXPECT_EQ(receiver.requests.size(), 1U) << "it was not sent again";
}

TEST_F(FaultyStoreTest, AnOutcomeRidesWithTheNextCommitAfterAFailure) {
    Receiver receiver(loop, wheel, answer_with(503));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    engine->store.fail_commits(1);
    receiver.release();
    until([&] { return engine->store.failed() == 1; });
    receiver.decide = answer_with(200);
    send(node_event(2));
    const DeliveryDetail found = detail(id);
    EXPECT_EQ(found.delivery.attempts, 1U) << "it is on disk with the event";
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_server_error);
    advance(6s);
    EXPECT_EQ(until_state(id, DeliveryState::delivered).attempts.size(), 2U);
}

TEST_F(FaultyStoreTest, AnOutcomeThatIsNeverWrittenIsRepeatedUnderTheSameId) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    engine->store.fail_commits(1'000);
    receiver.release();
    until([&] { return engine->dispatcher.flying() == 0; });
    reopen();
    until_state(id, DeliveryState::delivered);
    ASSERT_EQ(receiver.requests.size(), 2U);
    EXPECT_EQ(receiver.requests[0].header("webhook-id"), receiver.requests[1].header("webhook-id"));
}

TEST_F(FaultyStoreTest, ACancellationThatFailsIsSaidAndChangesNothing) {
    Receiver receiver(loop, wheel, answer_with(500));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    engine->store.fail_commits(1);
    EXPECT_FALSE(run(engine->dispatcher.cancel(id)));
    EXPECT_EQ(detail(id).delivery.state, DeliveryState::pending);
    engine->store.fail_commits(1);
    EXPECT_FALSE(run(engine->committer.redeliver({id, Cause::retry, false})));
    receiver.decide = answer_with(200);
    advance(6s);
    until_state(id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 2U);
}

TEST_F(FaultyStoreTest, AFullQueueIsBusyAndStoresNothingOfTheCall) {
    engine->store.hold_commits();
    Answer first;
    begin(first, 1, 1);
    until([&] { return engine->store.waiting(); });
    Answer rest;
    begin(rest, 2, limits::ingest_queue_events - 1);
    turn(10ms);
    EXPECT_EQ(engine->committer.waiting_events(), limits::ingest_queue_events);
    const auto refused = send_all({node_event(limits::ingest_queue_events + 1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    engine->store.release_commits();
    until([&] { return first && rest; });
    EXPECT_TRUE(*first);
    EXPECT_TRUE(*rest);
    EXPECT_EQ(stored(), limits::ingest_queue_events);
    EXPECT_EQ(engine->committer.waiting_events(), 0U);
    EXPECT_FALSE(send(node_event(limits::ingest_queue_events + 1)).duplicate);
}

TEST_F(FaultyStoreTest, EventsThatComeDuringACommitShareTheNext) {
    const int before = engine->store.commits();
    engine->store.hold_commits();
    std::vector<Answer> answers(50);
    begin(answers[0], 1, 1);
    until([&] { return engine->store.waiting(); });
    for (std::uint64_t n = 1; n < answers.size(); ++n) begin(answers[n], n + 1, 1);
    turn(10ms);
    engine->store.release_commits();
    until([&] {
        return std::ranges::all_of(answers, [](const Answer& one) { return one.has_value(); });
    });
    EXPECT_EQ(engine->store.commits() - before, 2);
}

}  // namespace
}  // namespace herald::test
