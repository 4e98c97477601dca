// One delivery for many events: when a key is quiet, over restarts, failures and changes.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "base/json.h"
#include "core/limits.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// The numbers of the events that a request brings, in its order.
std::vector<std::int64_t> numbers(const ServerRequest& request) {
    std::vector<std::int64_t> found;
    const auto add = [&](JsonView body) {
        if (const auto data = body.find("data")) {
            if (const auto number = data->find("number")) found.push_back(*number->integer());
        }
    };
    const JsonView body(request.body);
    const auto data = body.find("data");
    const auto events = data ? data->find("events") : std::nullopt;
    if (!events) add(body);
    for (auto all = events.value_or(JsonView{}).items(); events && all.next();) add(all.value());
    return found;
}

struct Gathers : EngineTest {
    /// Waits long: only move() makes it quiet.
    static Gathering debounce(GatherKey key = GatherKey::webhook) {
        Gathering rules;
        rules.mode = GatherMode::debounce;
        rules.key = key;
        rules.quiet = 10min;
        return rules;
    }
    static Gathering settle() {
        Gathering rules = debounce();
        rules.mode = GatherMode::settle;
        rules.key.reset();
        return rules;
    }
    Catalog::Entry add_gathering(const Receiver& receiver, const Gathering& rules) {
        Webhook webhook = to(receiver);
        webhook.gathering = rules;
        return add(std::move(webhook));
    }
    /// Lets so much time go by for what is gathered.
    void move(std::chrono::steady_clock::duration by) {
        engine->gatherer_clock.move(by);
        for (const auto& webhook : engine->catalog.all()) engine->gatherer.look(*webhook);
        turn(20ms);
    }
    DeliveryState state(DeliveryId id) { return detail(id).delivery.state; }
    std::vector<LoggedEvent> log(std::string_view type) {
        EventQuery query;
        query.types = {std::string(type)};
        query.limit = limits::page_max;
        return engine->reader->events(query)->items;
    }
    static Event child_of(const Event& root, std::uint64_t n) {
        Event event = node_event(n);
        event.level = 1;
        event.parent = root.id;
        event.ancestors = {{root.id, root.type}};
        return event;
    }
    std::vector<DeliveryId> send_some(std::uint64_t first, std::uint64_t last) {
        std::vector<DeliveryId> ids;
        for (std::uint64_t n = first; n <= last; ++n) ids.push_back(send_one(node_event(n)));
        return ids;
    }
};

TEST_F(Gathers, TwentyFourInterfacesOfOneDeviceAreOneDelivery) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce(GatherKey::root));
    const Event device = node_event(100);
    std::vector<Event> interfaces;
    std::vector<std::int64_t> expected;
    for (std::uint64_t n = 1; n <= 24; ++n) {
        interfaces.push_back(child_of(device, n));
        expected.push_back(static_cast<std::int64_t>(n));
    }
    const auto sent = send_all(std::move(interfaces));
    move(9min);
    EXPECT_THAT(receiver.requests, IsEmpty()) << "it is not quiet for long enough";
    move(1min);
    until([&] { return !receiver.requests.empty(); });
    turn();
    ASSERT_EQ(receiver.requests.size(), 1U);
    EXPECT_EQ(numbers(receiver.requests[0]), expected) << "in the order of the activity log";
    const JsonView body(receiver.requests[0].body);
    EXPECT_EQ(body.string("event"), gathered_type);
    EXPECT_EQ(body.find("data")->string("value"), device.id.text());
    EXPECT_EQ(body.string("branch"), "main") << "what all have in common";
    for (const Submitted& one : *sent)
        EXPECT_EQ(state(one.deliveries.at(0)), DeliveryState::merged);

    const auto bundles = log(gathered_type);
    ASSERT_EQ(bundles.size(), 1U) << "it stands in the activity log";
    EXPECT_EQ(bundles[0].event.source, own_source);
    const auto bundle = engine->reader->event(bundles[0].event.id);
    ASSERT_EQ((*bundle)->deliveries.size(), 1U);
    EXPECT_EQ((*bundle)->event.body, receiver.requests[0].body);
    EXPECT_EQ(receiver.requests[0].header("webhook-id"), (*bundle)->deliveries[0].id.text());
    until_state((*bundle)->deliveries[0].id, DeliveryState::delivered);
    EXPECT_EQ(engine->gatherer.size(), 0U);
    EXPECT_NE(engine->metrics.render().find(R"(outcome="merged"} 24)"), std::string::npos);
}

TEST_F(Gathers, TheLastOneGoesAsItIsForAllOfThem) {
    Receiver receiver(loop, wheel, answer_with(200));
    Gathering rules = debounce();
    rules.send = GatherSend::last;
    add_gathering(receiver, rules);
    const auto ids = send_some(1, 3);
    move(10min);
    until([&] { return !receiver.requests.empty(); });
    for (const DeliveryId id : ids) EXPECT_EQ(state(id), DeliveryState::merged);
    EXPECT_EQ(receiver.requests[0].body, node_event(3).body);
    const auto sent = DeliveryId::parse(receiver.requests[0].header("webhook-id"));
    ASSERT_TRUE(sent);
    EXPECT_EQ(until_state(*sent, DeliveryState::delivered).delivery.redelivers, ids[2]);
    EXPECT_EQ(receiver.requests[0].header("webhook-cause"), "event");
    reopen();
    move(10min);
    EXPECT_EQ(receiver.requests.size(), 1U);
    EXPECT_THAT(log(gathered_type), IsEmpty());
}

TEST_F(Gathers, EachNodeHasItsOwnQuiet) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce(GatherKey::node));
    Event again = node_event(3);
    again.node = node_event(1).node;
    send(node_event(1));
    send(node_event(2));
    move(6min);
    send(std::move(again));
    move(5min);
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(2));
    move(5min);
    until([&] { return receiver.requests.size() == 2; });
    EXPECT_THAT(numbers(receiver.requests[1]), ElementsAre(1, 3));
}

TEST_F(Gathers, AKeyThatIsNeverQuietIsSentAfterTheLongestTime) {
    Receiver receiver(loop, wheel, answer_with(200));
    Gathering rules = debounce();
    rules.at_most = 20min;
    add_gathering(receiver, rules);
    for (std::uint64_t n = 1; n <= 4; ++n) {
        send(node_event(n));
        move(6min);
        EXPECT_TRUE(receiver.requests.empty() || n == 4);
    }
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests.at(0)), ElementsAre(1, 2, 3, 4));
}

TEST_F(Gathers, WhatIsManyOrLargeEnoughGoesAtOnce) {
    Receiver receiver(loop, wheel, answer_with(200));
    Gathering rules = debounce();
    rules.most = 3;
    add_gathering(receiver, rules);
    send_some(1, 7);
    until([&] { return receiver.requests.size() == 2; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2, 3));
    EXPECT_THAT(numbers(receiver.requests[1]), ElementsAre(4, 5, 6));
    EXPECT_EQ(engine->gatherer.size(), 1U);
    Event large = node_event(8);
    large.body =
        R"({"data":{"number":8,"text":")" + std::string(limits::gathered_bytes, 'x') + "\"}}";
    send(std::move(large));
    until([&] { return receiver.requests.size() == 3; });
    EXPECT_THAT(numbers(receiver.requests[2]), ElementsAre(7));
}

TEST_F(Gathers, ARootSettlesWhenAllItCausedIsQuietWantedOrNot) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.filter.event_types = {"infrahub.node.created"};
    webhook.gathering = settle();
    add(std::move(webhook));
    const Event root = node_event(1);
    send(root);
    send(node_event(50));  // another tree
    move(9min);
    Event unwanted = child_of(root, 2);
    unwanted.type = "infrahub.artifact.created";
    EXPECT_THAT(send(std::move(unwanted)).deliveries, IsEmpty());
    move(9min);
    ASSERT_EQ(receiver.requests.size(), 1U) << "the other tree is quiet";
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(50));
    send(child_of(root, 3));
    move(9min);
    EXPECT_EQ(receiver.requests.size(), 1U);
    move(1min);
    until([&] { return receiver.requests.size() == 2; });
    EXPECT_THAT(numbers(receiver.requests[1]), ElementsAre(1, 3));
}

TEST_F(Gathers, WhatWasGatheredComesTogetherAgainAfterARestart) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce());
    const auto ids = send_some(1, 3);
    reopen();
    until([&] { return engine->gatherer.size() == 3; });
    send(node_event(4));
    move(9min);
    EXPECT_THAT(receiver.requests, IsEmpty());
    move(1min);
    until([&] { return !receiver.requests.empty(); });
    turn();
    ASSERT_EQ(receiver.requests.size(), 1U);
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2, 3, 4));
    for (const DeliveryId id : ids) EXPECT_EQ(state(id), DeliveryState::merged);
    reopen();
    turn();
    EXPECT_EQ(receiver.requests.size(), 1U) << "nothing is sent twice";
}

TEST_F(Gathers, ARootThatHasNotSettledSettlesAfterARestart) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, settle());
    const Event root = node_event(1);
    send(root);
    send(child_of(root, 2));
    reopen();
    until([&] { return engine->gatherer.size() == 2; });
    move(9min);
    send(child_of(root, 3));
    move(9min);
    EXPECT_THAT(receiver.requests, IsEmpty()) << "what it caused goes on";
    move(1min);
    until([&] { return !receiver.requests.empty(); });
    turn();
    ASSERT_EQ(receiver.requests.size(), 1U);
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2, 3));
}

TEST_F(Gathers, TheLongestTimeCountsOverARestart) {
    Receiver receiver(loop, wheel, answer_with(200));
    Gathering rules = debounce();
    rules.at_most = 20min;
    add_gathering(receiver, rules);
    send(node_event(1));
    advance(15min);
    reopen();
    until([&] { return engine->gatherer.size() == 1; });
    move(6min);
    send(node_event(2));
    move(5min);
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2));
}

TEST_F(Gathers, AListThatWasNotDeliveredIsRepeatedWithTheSameBytes) {
    Receiver receiver(loop, wheel, answer_with(503));
    add_gathering(receiver, debounce());
    send_some(1, 2);
    move(10min);
    until([&] { return receiver.requests.size() == 1; });
    turn();
    reopen();
    receiver.decide = answer_with(200);
    advance(6s);
    until([&] { return receiver.requests.size() == 2; });
    EXPECT_EQ(receiver.requests[1].body, receiver.requests[0].body);
    EXPECT_EQ(receiver.requests[1].header("webhook-id"), receiver.requests[0].header("webhook-id"));
    EXPECT_EQ(log(gathered_type).size(), 1U);
}

TEST_F(Gathers, ACommitThatFailsLosesAndDoublesNothing) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce());
    const auto ids = send_some(1, 3);
    engine->store.fail_commits(1);
    move(10min);
    until([&] { return engine->store.failed() == 1; });
    turn();
    EXPECT_THAT(receiver.requests, IsEmpty());
    EXPECT_THAT(log(gathered_type), IsEmpty());
    EXPECT_EQ(state(ids[0]), DeliveryState::pending);
    send(node_event(4));  // meanwhile a new group begins
    move(1s);
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2, 3));
    move(10min);
    until([&] { return receiver.requests.size() == 2; });
    EXPECT_THAT(numbers(receiver.requests[1]), ElementsAre(4));
    EXPECT_EQ(log(gathered_type).size(), 2U);
}

TEST_F(Gathers, WhatIsGatheredForAPausedWebhookWaitsUntilItIsResumed) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = *add_gathering(receiver, debounce());
    const auto ids = send_some(1, 2);
    webhook.active = false;
    webhook = *update(std::move(webhook));
    until([&] { return engine->gatherer.size() == 0; });
    move(11min);
    EXPECT_THAT(receiver.requests, IsEmpty());
    EXPECT_EQ(state(ids[0]), DeliveryState::pending);
    webhook.active = true;
    update(std::move(webhook));
    until([&] { return engine->gatherer.size() == 2; });
    move(10min);
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 2));
}

TEST_F(Gathers, NewRulesHoldForWhatIsGatheredAlready) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = *add_gathering(receiver, debounce());
    const auto ids = send_some(1, 2);
    webhook.gathering = {};
    update(std::move(webhook));
    for (const DeliveryId id : ids) until_state(id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 2U) << "each by itself";
    EXPECT_EQ(engine->gatherer.size(), 0U);
}

TEST_F(Gathers, WhatIsGatheredForARemovedWebhookIsCancelled) {
    Receiver receiver(loop, wheel, answer_with(200));
    const WebhookId id = add_gathering(receiver, debounce())->id;
    const auto ids = send_some(1, 2);
    remove(id);
    for (const DeliveryId one : ids) until_state(one, DeliveryState::cancelled);
    EXPECT_EQ(engine->gatherer.size(), 0U);
    EXPECT_THAT(receiver.requests, IsEmpty());
}

TEST_F(Gathers, ACancelledOneIsNotInTheList) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce());
    const auto ids = send_some(1, 3);
    EXPECT_TRUE(*run(engine->dispatcher.cancel(ids[1])));
    move(10min);
    until([&] { return receiver.requests.size() == 1; });
    EXPECT_THAT(numbers(receiver.requests[0]), ElementsAre(1, 3));
    EXPECT_EQ(state(ids[1]), DeliveryState::cancelled);

    const DeliveryId alone = send_one(node_event(4));
    EXPECT_TRUE(*run(engine->dispatcher.cancel(alone)));
    EXPECT_EQ(engine->gatherer.size(), 0U);
    move(10min);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Gathers, TestsAndRepeatsDoNotWait) {
    Receiver receiver(loop, wheel, answer_with(200));
    const WebhookId id = add_gathering(receiver, debounce())->id;
    auto event = std::make_shared<const Event>(node_event(1));
    const auto tested = run(engine->ingest.submit_to(std::move(event), id));
    until_state(tested->deliveries.at(0), DeliveryState::delivered);
    Redelivery again;
    again.of = tested->deliveries.at(0);
    const auto repeated = run(engine->committer.redeliver(again));
    engine->dispatcher.look();
    until_state(*repeated->id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 2U);
}

TEST_F(Gathers, TooManyKeysGoEarlyAndTheStoreKeepsTheRest) {
    Receiver receiver(loop, wheel, answer_with(200));
    add_gathering(receiver, debounce(GatherKey::node));
    constexpr std::uint64_t count = limits::gathered_of_webhook + 300;
    std::size_t most = 0;
    std::multiset<std::int64_t> arrived;
    for (std::uint64_t n = 1; n <= count; n += 100) {
        std::vector<Event> some;
        for (std::uint64_t i = n; i < n + 100 && i <= count; ++i) some.push_back(node_event(i));
        ASSERT_TRUE(send_all(std::move(some)));
        most = std::max(most, engine->gatherer.size());
    }
    until([&] { return receiver.requests.size() >= 300; }, "what goes early");
    most = std::max(most, engine->gatherer.size());
    EXPECT_LE(most, limits::gathered_of_webhook + limits::lane_queue);
    for (int i = 0; i < 1'000 && receiver.requests.size() < count; ++i) {
        move(10min);
        until([&] { return receiver.requests.size() >= count || engine->gatherer.size() > 0; });
    }
    until([&] { return receiver.requests.size() >= count; }, "all of them");
    turn();
    for (const auto& request : receiver.requests) {
        for (const std::int64_t n : numbers(request)) arrived.insert(n);
    }
    EXPECT_EQ(arrived.size(), count);
    EXPECT_EQ(std::set(arrived.begin(), arrived.end()).size(), count) << "each of them once";
}

}  // namespace
}  // namespace herald::test
