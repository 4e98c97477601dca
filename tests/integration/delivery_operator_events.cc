// What herald tells its operators: by which webhooks it is sent, and that it ends.
#include <gmock/gmock.h>

#include "base/json.h"
#include "core/limits.h"
#include "core/operator_events.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

struct Telling : EngineTest {
    /// A webhook that asks for these types, on all branches, and tries each delivery once.
    Catalog::Entry add_for(const Receiver& receiver, std::string name,
                           std::vector<std::string> types) {
        Webhook webhook = to(receiver, std::move(name));
        webhook.filter.event_types = std::move(types);
        webhook.retry = *retry_preset("none");
        return add(std::move(webhook));
    }
    std::vector<LoggedEvent> told(std::string_view type) {
        EventQuery query;
        query.types = {std::string(type)};
        query.limit = limits::page_max;
        return engine->reader->events(query)->items;
    }
    static std::string type_of(const ServerRequest& request) {
        return JsonView(request.body).string("event").value_or("");
    }
    static Health failing() {
        Health health;
        health.state = HealthState::failing;
        health.since = noon;
        health.failure_streak = 10;
        return health;
    }
    static Attempt last_attempt() { return make_attempt(5, 503); }
};

TEST_F(Telling, AFailingWebhookIsToldThroughAnotherOne) {
    Receiver broken(loop, wheel, answer_with(500));
    Receiver chat(loop, wheel, answer_with(200));
    const auto about = add_for(broken, "broken", {"all"});
    add_for(chat, "chat", {"herald.*"});
    for (std::uint64_t n = 1; n <= 10; ++n) send(node_event(n));
    until([&] { return chat.requests.size() >= 11; }, "ten given up and one failing");
    EXPECT_EQ(told(webhook_exhausted_type).size(), 10U);
    const auto failing = told(webhook_failing_type);
    ASSERT_EQ(failing.size(), 1U) << "it stands in the activity log";
    EXPECT_EQ(failing[0].event.source, own_source);
    EXPECT_EQ(failing[0].event.node.id, about->uuid.text());
    const auto found = std::ranges::find(chat.requests, webhook_failing_type, type_of);
    ASSERT_NE(found, chat.requests.end());
    const JsonView data = *JsonView(found->body).find("data");
    EXPECT_EQ(data.find("webhook")->string("name"), "broken");
    EXPECT_EQ(data.string("last_class"), "HTTP_SERVER_ERROR");
    EXPECT_EQ(verify_request(*found, SignatureProfile::infrahub, "a key of a test"), Verdict::valid)
        << "it is signed like all others";
}

TEST_F(Telling, EachKindIsSentAndOnlyToThoseWhoAskForIt) {
    Receiver chat(loop, wheel, answer_with(200));
    Receiver other(loop, wheel, answer_with(200));
    Receiver nobody(loop, wheel, answer_with(200));
    add_for(chat, "chat", {"herald.*"});
    add_for(other, "by-name", {"herald.webhook.recovered"});
    add_for(nobody, "all", {"all"});
    const auto about = add_for(nobody, "about", {"shop.none"});
    engine->announcer.health_changed(*about, {}, failing());
    engine->announcer.health_changed(*about, failing(), {});
    Health disabled = failing();
    disabled.state = HealthState::disabled;
    engine->announcer.health_changed(*about, failing(), disabled);
    engine->announcer.exhausted(*about, {1, 2}, node_event(1), last_attempt());
    engine->announcer.source_lost("broker", "the connection was refused");
    until([&] { return chat.requests.size() == 5 && other.requests.size() == 1; });
    std::vector<std::string> types;
    for (const auto& request : chat.requests) types.push_back(type_of(request));
    EXPECT_THAT(types,
                testing::UnorderedElementsAre("herald.webhook.failing", "herald.webhook.recovered",
                                              "herald.webhook.disabled", "herald.webhook.exhausted",
                                              "herald.source.lost"));
    turn();
    EXPECT_THAT(nobody.requests, IsEmpty()) << "`all` stands for the events of the source";
}

TEST_F(Telling, AWebhookIsNeverToldAboutItself) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto itself = add_for(receiver, "itself", {"herald.*"});
    engine->announcer.health_changed(*itself, {}, failing());
    engine->announcer.exhausted(*itself, {1, 2}, node_event(1), last_attempt());
    until([&] { return told("herald.webhook.exhausted").size() == 1; });
    turn();
    EXPECT_THAT(receiver.requests, IsEmpty());
}

TEST_F(Telling, TwoWebhooksThatFailAndAskForAllOfItDoNotFeedEachOther) {
    Receiver broken(loop, wheel, answer_with(500));
    add_for(broken, "one", {"all", "herald.*"});
    add_for(broken, "two", {"all", "herald.*"});
    for (std::uint64_t n = 1; n <= 12; ++n) send(node_event(n));
    const auto all = [&] {
        return told(webhook_exhausted_type).size() + told(webhook_failing_type).size();
    };
    until([&] { return told(webhook_failing_type).size() == 2; });
    // The events that were sent, and of each webhook that it fails; not a word about deliveries of
    // operator events.
    const std::size_t bound = 2 * ExhaustionWindow::each + 2;
    for (int i = 0; i < 5; ++i) {
        turn(40ms);
        EXPECT_LE(all(), bound);
    }
    for (const LoggedEvent& one : told(webhook_exhausted_type)) {
        const auto event = engine->reader->event(one.event.id);
        const std::string body = (*event)->event.body;
        EXPECT_EQ(JsonView(body).find("data")->find("event")->string("type"),
                  "infrahub.node.created");
    }
}

TEST_F(Telling, AGatheredListOfSuchEventsThatFailsTellsNothing) {
    Receiver broken(loop, wheel, answer_with(500));
    Webhook webhook = *add_for(broken, "lists", {"herald.*"});
    webhook.gathering.mode = GatherMode::debounce;
    webhook.gathering.most = 2;
    update(webhook);
    const auto about = add_for(broken, "about", {"shop.none"});
    engine->announcer.exhausted(*about, {1, 2}, node_event(1), last_attempt());
    engine->announcer.exhausted(*about, {2, 2}, node_event(2), last_attempt());
    until([&] { return broken.requests.size() == 1; });
    turn();
    EXPECT_EQ(told(webhook_exhausted_type).size(), 2U);
    EXPECT_EQ(engine->dispatcher.flying(), 0U);
}

TEST_F(Telling, AFloodOfFailuresIsToldByItsFirstOnesAndASum) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto about = add_for(receiver, "about", {"shop.none"});
    for (std::uint64_t n = 1; n <= 30; ++n) {
        engine->announcer.exhausted(*about, {n, 2}, node_event(n), last_attempt());
    }
    until([&] { return told(webhook_exhausted_type).size() == ExhaustionWindow::each; });
    turn();
    reopen();  // the window ends with the process
    const auto all = told(webhook_exhausted_type);
    ASSERT_EQ(all.size(), ExhaustionWindow::each + 1);
    const auto latest = std::ranges::max(all, {}, &LoggedEvent::seq);
    const auto detail = engine->reader->event(latest.event.id);
    const std::string body = (*detail)->event.body;
    const JsonView data = *JsonView(body).find("data");
    EXPECT_EQ(data.string("delivery"), (DeliveryId{30, 2}.text()));
    EXPECT_EQ(data.find("untold")->integer(), 19);
}

TEST_F(Telling, WhatTheStoreDidNotTakeIsToldLater) {
    Receiver chat(loop, wheel, answer_with(200));
    add_for(chat, "chat", {"herald.*"});
    engine->store.fail_commits(1);
    engine->announcer.source_lost("broker", "the connection was refused");
    until([&] { return engine->store.failed() == 1; });
    EXPECT_THAT(told(source_lost_type), IsEmpty());
    until([&] { return chat.requests.size() == 1; });
    EXPECT_EQ(told(source_lost_type).size(), 1U);
}

TEST_F(Telling, ThoseThatWaitAreBounded) {
    for (std::size_t n = 0; n < limits::announcements + 50; ++n) {
        engine->announcer.source_lost("source " + std::to_string(n), "gone");
    }
    until([&] { return engine->reader->stats()->events >= limits::announcements; });
    turn();
    EXPECT_LE(engine->reader->stats()->events, limits::announcements);
}

}  // namespace
}  // namespace herald::test
