// Jobs: many deliveries repeated, recovered, replayed or cancelled, at a pace and over restarts.
#include <cstring>
#include <set>

#include <gmock/gmock.h>

#include "core/limits.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

struct JobsTest : EngineTest {
    /// A webhook of that name without retries.
    Webhook once(const Receiver& receiver, std::string name = "hook") {
        Webhook webhook = to(receiver, std::move(name));
        webhook.url = receiver.url("/" + webhook.name);
        webhook.retry = *retry_preset("none");
        webhook.breaker.failures = 0;  // all of them are tried, also when each fails
        return webhook;
    }
    /// Sends events [first, last] and waits until each of their deliveries is final.
    std::vector<DeliveryId> send_events(std::uint64_t first, std::uint64_t last) {
        std::vector<Event> events;
        for (std::uint64_t n = first; n <= last; ++n) events.push_back(node_event(n));
        const auto sent = send_all(std::move(events));
        std::vector<DeliveryId> ids;
        for (const Submitted& one : *sent) {
            for (const DeliveryId id : one.deliveries) ids.push_back(id);
        }
        until([&] { return engine->dispatcher.open() == 0; }, "an idle dispatcher");
        for (const DeliveryId id : ids) {
            until([&] { return is_final(detail(id).delivery.state); }, "a final delivery");
        }
        return ids;
    }
    static Job job(JobKind kind, std::vector<WebhookId> webhooks = {}) {
        Job job;
        job.kind = kind;
        job.scope.webhooks = std::move(webhooks);
        if (kind == JobKind::redeliver) job.scope.states = {DeliveryState::failed};
        if (kind == JobKind::recover) job.scope.since = noon;
        return job;
    }
    Uuid start(Job wanted) {
        // A job's scope ends when it is created.
        clock.advance(1h);
        auto created = run(engine->jobs.create(std::move(wanted)));
        if (!created) throw std::runtime_error(created.error().message);
        return created->id;
    }
    Job now(Uuid id) { return engine->jobs.find(id).value().job; }
    /// The job when it has ended, and what it made has too.
    Job until_done(Uuid id) {
        until([&] { return is_final(now(id).state); }, "the job's end");
        const Job done = now(id);
        if (done.kind == JobKind::cancel) return done;
        const auto& webhooks = done.scope.webhooks;
        until([&] { return pending(webhooks) == 0; }, "the end of what the job made");
        return done;
    }
    Job finish(Job wanted) { return until_done(start(std::move(wanted))); }
    /// The numbers of the events that came to this path, in order; "cause" as given.
    static std::vector<std::uint64_t> numbers(const Receiver& receiver, std::string_view cause,
                                              std::string_view path = "/hook") {
        std::vector<std::uint64_t> found;
        for (const ServerRequest& request : receiver.requests) {
            if (request.path != path || request.header("webhook-cause") != cause) continue;
            const auto at = request.body.find("\"number\":") + 9;
            found.push_back(std::stoull(request.body.substr(at)));
        }
        return found;
    }
    /// The numbers of the events whose deliveries to this webhook have this cause, in the order in
    /// which they were made.
    std::vector<std::uint64_t> made(WebhookId webhook, Cause cause) {
        DeliveryQuery query;
        query.webhooks = {webhook};
        query.order = Order::oldest_first;
        query.limit = limits::page_max;
        std::vector<std::uint64_t> found;
        const auto page = engine->reader->deliveries(query);
        for (const Delivery& one : page->items) {
            if (one.cause != cause) continue;
            std::memcpy(&found.emplace_back(), one.event.bytes.data(), sizeof(std::uint64_t));
        }
        return found;
    }
    static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
        std::vector<std::uint64_t> all;
        for (std::uint64_t n = first; n <= last; ++n) all.push_back(n);
        return all;
    }
    std::uint64_t pending(const std::vector<WebhookId>& webhooks) {
        DeliveryQuery query;
        query.webhooks = webhooks;
        query.states = {DeliveryState::pending};
        query.limit = limits::page_max;
        std::uint64_t count = 0;
        for (bool more = true; more;) {
            const auto page = engine->reader->deliveries(query);
            count += page->items.size();
            more = page->more;
            if (more) query.after = page->items.back().id.seq;
        }
        return count;
    }
};

TEST_F(JobsTest, FailedDeliveriesAreRepeatedByFilter) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    const auto other = add(once(receiver, "other"));
    const auto ids = send_events(1, 3);
    receiver.decide = answer_with(404);
    send_events(4, 5);
    receiver.decide = answer_with(200);
    send_events(6, 6);

    Job wanted = job(JobKind::redeliver, {hook->id});
    wanted.scope.classes = {FailureClass::http_server_error};
    const Job done = finish(wanted);
    EXPECT_EQ(done.state, JobState::done);
    EXPECT_EQ(done.progress.made, 3U);
    EXPECT_EQ(done.progress.found, 3U);
    EXPECT_THAT(numbers(receiver, "retry"), UnorderedElementsAreArray(range(1, 3)));
    EXPECT_THAT(numbers(receiver, "retry", "/other"), ElementsAre()) << "of another webhook";
    const auto of_first = engine->reader->event(event_id(1));
    const Delivery& repeated = (*of_first)->deliveries.back();
    EXPECT_EQ(repeated.cause, Cause::retry);
    EXPECT_EQ(repeated.redelivers, ids.at(0));
    EXPECT_EQ(repeated.state, DeliveryState::delivered);

    EXPECT_EQ(finish(wanted).progress.skipped, 3U) << "only the newest is repeated";
    wanted = job(JobKind::redeliver, {hook->id, other->id});
    wanted.scope.event_types = {"infrahub.node.deleted", "shop.*"};
    EXPECT_EQ(finish(wanted).progress.found, 0U);
    wanted.scope.event_types = {"infrahub.node.c*"};
    EXPECT_EQ(finish(wanted).progress.made, 2U + 5U);
}

TEST_F(JobsTest, OnlyWhatWasMadeInATimeRangeIsRepeated) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    send_events(1, 1);
    clock.advance(1h);
    send_events(2, 2);
    clock.advance(1h);
    send_events(3, 3);
    receiver.decide = answer_with(200);
    Job wanted = job(JobKind::redeliver);
    wanted.scope.since = noon + 1h;
    wanted.scope.until = noon + 2h;
    EXPECT_EQ(finish(wanted).progress.made, 1U);
    EXPECT_THAT(numbers(receiver, "retry"), ElementsAre(2));
}

TEST_F(JobsTest, AfterAnOutageAWebhookGetsWhatItLacksNewestFirst) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto entry = add(once(receiver));
    send_events(1, 2);
    receiver.decide = answer_with(503);
    const auto failed = send_events(3, 6);
    Webhook webhook = *entry;
    webhook.active = false;
    update(webhook);
    send_events(7, 9);  // makes no deliveries
    Event unwanted = node_event(10);
    unwanted.type = "infrahub.branch.created";
    send(unwanted);
    webhook.active = true;
    webhook.filter.event_types = {"infrahub.node.created"};
    update(webhook);
    receiver.decide = answer_with(200);
    receiver.requests.clear();

    Job wanted = job(JobKind::recover, {entry->id});
    wanted.order = Order::newest_first;
    wanted.rate = 1'000;
    const Job done = finish(wanted);
    EXPECT_EQ(done.progress.made, 7U);
    EXPECT_EQ(done.progress.skipped, 2U) << "they had arrived";
    EXPECT_EQ(done.progress.found, 9U);
    EXPECT_THAT(made(entry->id, Cause::replay), ElementsAre(9, 8, 7)) << "they had no delivery";
    EXPECT_THAT(made(entry->id, Cause::retry), ElementsAre(6, 5, 4, 3));
    EXPECT_THAT(numbers(receiver, "replay"), UnorderedElementsAreArray(range(7, 9)));
    EXPECT_THAT(numbers(receiver, "retry"), UnorderedElementsAreArray(range(3, 6)));
    EXPECT_EQ(detail(failed.at(0)).delivery.state, DeliveryState::failed) << "the old one stays";

    const Job again = finish(wanted);
    EXPECT_EQ(again.progress.made, 0U);
    EXPECT_EQ(again.progress.skipped, 9U);
}

TEST_F(JobsTest, WhatArrivedWithOthersInOneDeliveryIsNotSentAgain) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = once(receiver);
    webhook.gathering.mode = GatherMode::debounce;
    webhook.gathering.key = GatherKey::webhook;
    webhook.gathering.quiet = 10min;
    const auto entry = add(webhook);
    for (std::uint64_t n = 1; n <= 3; ++n) send_one(node_event(n));
    until([&] { return engine->gatherer.size() == 3; });
    engine->gatherer_clock.move(11min);
    engine->gatherer.look(*engine->catalog.find(entry->id));
    until([&] { return receiver.requests.size() == 1 && pending({entry->id}) == 0; });

    const Job done = finish(job(JobKind::recover, {entry->id}));
    EXPECT_EQ(done.progress.made, 0U);
    EXPECT_EQ(done.progress.skipped, 3U);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(JobsTest, EventsOfTheLogAreReplayedToOneWebhook) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(once(receiver, "other"));
    send_events(1, 4);
    Event deleted = node_event(5);
    deleted.type = "infrahub.node.deleted";
    until_state(send_one(deleted), DeliveryState::delivered);
    Webhook fresh = once(receiver, "fresh");
    fresh.filter.event_types = {"infrahub.node.created"};
    const auto entry = add(fresh);

    Job wanted = job(JobKind::replay, {entry->id});
    EXPECT_EQ(finish(wanted).progress.made, 4U) << "what its filter wants";
    EXPECT_THAT(made(entry->id, Cause::replay), ElementsAre(1, 2, 3, 4));
    wanted.scope.all = true;
    wanted.scope.since = noon + 4s;
    EXPECT_EQ(finish(wanted).progress.made, 2U) << "whatever its filter says";
    EXPECT_THAT(made(entry->id, Cause::replay), ElementsAre(1, 2, 3, 4, 4, 5));
    EXPECT_EQ(numbers(receiver, "replay", "/fresh").size(), 6U);
    wanted.scope.since.reset();
    wanted.scope.nodes = {"node-2"};
    EXPECT_EQ(finish(wanted).progress.made, 1U);
    EXPECT_THAT(numbers(receiver, "replay", "/other"), ElementsAre());
}

TEST_F(JobsTest, TheConditionsOfAWebhookHoldForWhatAJobBringsIt) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(once(receiver, "other"));
    send_events(1, 3);
    Webhook picky = once(receiver, "picky");
    picky.conditions.expression = Expression::parse("data.number == 2").value();
    const auto entry = add(picky);
    EXPECT_EQ(finish(job(JobKind::recover, {entry->id})).progress.made, 1U);
    EXPECT_THAT(made(entry->id, Cause::replay), ElementsAre(2));
}

TEST_F(JobsTest, PendingDeliveriesAreCancelledByFilter) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(to(receiver));
    const auto other = add(to(receiver, "other"));
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= 3; ++n) {
        const Submitted sent = send(node_event(n));
        ids.insert(ids.end(), sent.deliveries.begin(), sent.deliveries.end());
    }
    for (const DeliveryId id : ids) until_attempts(id, 1);
    const Job done = finish(job(JobKind::cancel, {hook->id}));
    EXPECT_EQ(done.progress.made, 3U);
    for (const DeliveryId id : ids) {
        const Delivery found = detail(id).delivery;
        const bool mine = found.webhook == hook->id;
        EXPECT_EQ(found.state, mine ? DeliveryState::cancelled : DeliveryState::pending);
    }
    EXPECT_EQ(finish(job(JobKind::cancel, {other->id})).progress.made, 3U);
}

TEST_F(JobsTest, WhatWaitsInALaneIsNotSentWhenAJobHasCancelledIt) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    const auto hook = add(to(receiver));
    const std::size_t more = 5;
    for (std::uint64_t n = 1; n <= limits::lane_in_flight + more; ++n) send(node_event(n));
    until([&] { return receiver.waiting() > 0; });
    const std::size_t waiting_before = [&] {
        turn();
        return receiver.waiting();
    }();
    Job wanted = job(JobKind::cancel, {hook->id});
    const Uuid id = start(wanted);
    until([&] { return now(id).state == JobState::done; });
    EXPECT_EQ(now(id).progress.made, limits::lane_in_flight + more);
    receiver.release();
    until([&] { return engine->dispatcher.open() == 0; });
    EXPECT_EQ(receiver.requests.size(), waiting_before);
}

TEST_F(JobsTest, AJobIsCountedFirstAndMakesNothingThen) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    const auto ids = send_events(1, 15);
    const std::size_t requests = receiver.requests.size();
    clock.advance(1h);
    const auto estimate = run(engine->jobs.estimate(job(JobKind::redeliver, {hook->id})));
    ASSERT_TRUE(estimate);
    EXPECT_EQ(estimate->count, 15U);
    EXPECT_EQ(estimate->skipped, 0U);
    EXPECT_FALSE(estimate->capped);
    ASSERT_EQ(estimate->sample.size(), limits::job_sample);
    EXPECT_EQ(estimate->sample[0].delivery, ids[0]);
    EXPECT_EQ(estimate->sample[0].event_id, event_id(1));
    turn();
    EXPECT_EQ(receiver.requests.size(), requests);
    EXPECT_TRUE(engine->jobs.all().empty());
    EXPECT_EQ(run(engine->jobs.estimate(job(JobKind::recover, {hook->id})))->count, 15U);
    const auto wrong = run(engine->jobs.estimate(job(JobKind::recover)));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().fields.at(0).pointer, "/webhooks");
}

TEST_F(JobsTest, APausedJobStandsStillUntilItIsResumed) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    send_events(1, 4);
    receiver.decide = answer_with(200);
    Job wanted = job(JobKind::redeliver, {hook->id});
    wanted.rate = 1;  // the second comes a second later
    const Uuid id = start(wanted);
    until([&] { return now(id).progress.made == 1; });
    const auto paused = run(engine->jobs.change(id, JobChange::pause));
    ASSERT_TRUE(paused);
    EXPECT_EQ(paused->state, JobState::paused);
    EXPECT_FALSE(run(engine->jobs.change(id, JobChange::pause)));
    reopen();
    turn();
    EXPECT_EQ(now(id).state, JobState::paused) << "over a restart too";
    EXPECT_EQ(now(id).progress.made, 1U);
    ASSERT_TRUE(run(engine->jobs.change(id, JobChange::resume)));
    until([&] { return now(id).progress.made == 2; });
    const auto cancelled = run(engine->jobs.change(id, JobChange::cancel));
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->state, JobState::cancelled);
    const auto late = run(engine->jobs.change(id, JobChange::resume));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::conflict);
    EXPECT_THAT(late.error().message, HasSubstr("finished"));
    EXPECT_EQ(run(engine->jobs.change(Uuid::random(), JobChange::pause)).error().code,
              Errc::not_found);
}

TEST_F(JobsTest, AJobKeepsItsRate) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    send_events(1, 20);
    receiver.decide = answer_with(200);
    Job wanted = job(JobKind::redeliver, {hook->id});
    wanted.rate = 5;
    const auto began = std::chrono::steady_clock::now();
    const Uuid id = start(wanted);
    until([&] { return now(id).progress.made >= 10; });
    // A page of five, then a second's rest: never faster, however slow the machine is.
    EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
}

TEST_F(JobsTest, AJobGoesOnAfterARestartAndRepeatsNothing) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    constexpr std::uint64_t events = 250;
    send_events(1, events);
    receiver.decide = answer_with(200);
    receiver.requests.clear();
    Job wanted = job(JobKind::redeliver, {hook->id});
    wanted.rate = 1'000;
    const Uuid id = start(wanted);
    // Stopped behind each page; what stood in lanes is claimed anew.
    for (std::uint64_t made = 0; now(id).state == JobState::running; made = now(id).progress.made) {
        until([&] { return now(id).progress.made > made || is_final(now(id).state); });
        reopen();
    }
    EXPECT_EQ(until_done(id).progress.made, events);
    std::set<std::string> ids;
    for (const ServerRequest& request : receiver.requests) {
        ids.emplace(request.header("webhook-id"));
    }
    EXPECT_EQ(ids.size(), events) << "each has one new delivery";
}

TEST_F(JobsTest, APageThatCannotBeStoredIsTriedAgain) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    send_events(1, 3);
    receiver.decide = answer_with(200);
    Job wanted = job(JobKind::redeliver, {hook->id});
    const Uuid id = start(wanted);
    engine->store.fail_commits(2);
    EXPECT_EQ(until_done(id).progress.made, 3U);
    EXPECT_EQ(numbers(receiver, "retry").size(), 3U);
}

TEST_F(JobsTest, AJobWaitsWhileAWebhookHasTooMuchPending) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.filter.event_types = {"infrahub.node.deleted"};
    webhook = *add(webhook);
    constexpr std::uint64_t events = limits::job_backlog + 50;
    send_events(1, events);
    webhook.active = false;  // takes nothing, so that its backlog only grows
    update(webhook);
    Job wanted = job(JobKind::replay, {webhook.id});
    wanted.scope.all = true;
    const Uuid id = start(wanted);
    until([&] { return engine->jobs.find(id)->waits_for != nullptr; });
    EXPECT_EQ(now(id).progress.made, limits::job_backlog);
    EXPECT_EQ(pending({webhook.id}), limits::job_backlog);
    EXPECT_EQ(now(id).state, JobState::running);
    // Another job has its turns meanwhile.
    const auto other = add(once(receiver, "other"));
    Job second = job(JobKind::replay, {other->id});
    second.scope.nodes = {"node-1"};
    EXPECT_EQ(finish(second).progress.made, 1U);
    webhook.active = true;
    update(webhook);
    EXPECT_EQ(until_done(id).progress.made, events);
}

TEST_F(JobsTest, AJobForAWebhookThatIsRemovedFails) {
    Receiver receiver(loop, wheel, answer_with(500));
    const auto hook = add(once(receiver));
    send_events(1, 3);
    Job wanted = job(JobKind::recover, {hook->id});
    wanted.rate = 1;
    const Uuid id = start(wanted);
    until([&] { return now(id).progress.made == 1; });
    remove(hook->id);
    const Job failed = until_done(id);
    EXPECT_EQ(failed.state, JobState::failed);
    EXPECT_THAT(failed.reason, HasSubstr("deleted"));
    wanted = job(JobKind::redeliver);
    wanted.scope.event_types = {"*"};
    const Job done = finish(wanted);
    EXPECT_EQ(done.state, JobState::done);
    EXPECT_EQ(done.progress.made, 0U) << "it makes none for what is gone";
}

TEST_F(JobsTest, OldFinishedJobsMakeRoomForNewOnes) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto hook = add(once(receiver));
    std::vector<Uuid> ids;
    for (std::size_t n = 0; n < limits::jobs; ++n) {
        Job wanted = job(JobKind::cancel, {hook->id});
        clock.advance(1s);
        ids.push_back(run(engine->jobs.create(wanted)).value().id);
        until([&] { return is_final(now(ids.back()).state); });
    }
    EXPECT_EQ(engine->jobs.all().front().job.id, ids.back()) << "the newest first";
    start(job(JobKind::cancel, {hook->id}));
    EXPECT_EQ(engine->jobs.all().size(), limits::jobs);
    EXPECT_EQ(engine->jobs.find(ids[0]), std::nullopt);
    reopen();
    EXPECT_EQ(engine->jobs.all().size(), limits::jobs);
}

}  // namespace
}  // namespace herald::test
