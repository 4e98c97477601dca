#include "core/operator_events.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/builders.h"

namespace herald {

namespace {

using namespace std::chrono_literals;
using test::event_id;
using test::make_event;
using test::make_webhook;
using test::noon;

Webhook hook() {
    Webhook webhook = make_webhook("chat");
    webhook.url = "http://user:secret@127.0.0.1:9/token-of-the-url";
    webhook.shared_key = "secret key";
    webhook.headers = {{"X-Token", "secret header", false}};
    return webhook;
}

Health in_state(HealthState state) {
    Health health;
    health.state = state;
    health.since = noon;
    health.last_failure = noon;
    health.failure_streak = 12;
    health.last_class = FailureClass::timeout;
    health.reason = "12 failures in a row";
    return health;
}

std::string type_of_change(HealthState before, HealthState after) {
    const auto told = tell_health(hook(), in_state(before), in_state(after), noon);
    return told ? told->type : "";
}

TEST(OperatorEvents, EachChangeForTheWorseAndTheEndOfItIsTold) {
    using enum HealthState;
    EXPECT_EQ(type_of_change(healthy, failing), "herald.webhook.failing");
    EXPECT_EQ(type_of_change(failing, disabled), "herald.webhook.disabled");
    EXPECT_EQ(type_of_change(healthy, gone), "herald.webhook.disabled");
    EXPECT_EQ(type_of_change(failing, healthy), "herald.webhook.recovered");
    EXPECT_EQ(type_of_change(disabled, healthy), "herald.webhook.recovered");
    EXPECT_EQ(type_of_change(disabled, failing), "") << "a person resumed it";
    EXPECT_EQ(type_of_change(failing, failing), "");
    EXPECT_EQ(type_of_change(healthy, healthy), "");
}

TEST(OperatorEvents, SayWhatTheHealthIsAndWasWithoutSecrets) {
    const Webhook webhook = hook();
    const auto failing = tell_health(webhook, Health{}, in_state(HealthState::failing), noon + 1s);
    ASSERT_TRUE(failing);
    EXPECT_EQ(
        failing->data,
        R"({"webhook":{"id":")" + webhook.uuid.text() +
            R"(","name":"chat"},)"
            R"("state":"failing","since":"2026-03-13T12:00:00.000000Z","failing_since":null,)"
            R"("failure_streak":12,"last_class":"TIMEOUT","last_success":null,)"
            R"("last_failure":"2026-03-13T12:00:00.000000Z","reason":"12 failures in a row"})");
    EXPECT_EQ(failing->at, noon + 1s);
    EXPECT_EQ(failing->branch, global_branch);

    Health well;
    well.since = noon + 5min;
    well.last_success = noon + 5min;
    const auto recovered = tell_health(webhook, in_state(HealthState::failing), well, noon + 5min);
    ASSERT_TRUE(recovered);
    const JsonView data(recovered->data);
    EXPECT_EQ(data.string("state"), "healthy");
    EXPECT_EQ(data.string("failing_since"), "2026-03-13T12:00:00.000000Z");
    EXPECT_EQ(data.find("failure_streak")->integer(), 12);
    for (const auto& told : {*failing, *recovered}) {
        EXPECT_EQ(told.data.find("secret"), std::string::npos);
        EXPECT_EQ(told.data.find("token"), std::string::npos);
    }
}

Exhaustion exhaustion(std::uint64_t n) {
    return {{n, 7}, event_id(n),   "shop.order.paid", 5, FailureClass::http_server_error,
            503,    "answered 503"};
}

TEST(OperatorEvents, OfAnExhaustedDeliverySayWhichAndWhy) {
    const OwnEvent told = tell_exhausted(hook(), exhaustion(3), 4, noon);
    EXPECT_EQ(told.type, "herald.webhook.exhausted");
    const JsonView data(told.data);
    EXPECT_EQ(data.string("delivery"), (DeliveryId{3, 7}.text()));
    EXPECT_EQ(data.find("event")->string("id"), event_id(3).text());
    EXPECT_EQ(data.find("event")->string("type"), "shop.order.paid");
    EXPECT_EQ(data.find("attempts")->integer(), 5);
    EXPECT_EQ(data.string("last_class"), "HTTP_SERVER_ERROR");
    EXPECT_EQ(data.find("last_status")->integer(), 503);
    EXPECT_EQ(data.string("reason"), "answered 503");
    EXPECT_EQ(data.find("untold")->integer(), 4);
    EXPECT_EQ(canonical_json(told.data).value_or(""), told.data);
}

TEST(OperatorEvents, OfALostSourceSayWhichAndWhy) {
    const OwnEvent told = tell_source_lost("broker", "the \"queue\" is gone", noon);
    EXPECT_EQ(told.type, "herald.source.lost");
    EXPECT_EQ(told.data, R"({"source":"broker","reason":"the \"queue\" is gone"})");
}

TEST(OperatorEvents, AreKnownByWhoMadeThemAndAboutWhom) {
    Event event = make_event(1);
    const Webhook webhook = hook();
    const OwnEvent own = tell_exhausted(webhook, exhaustion(1), 0, noon);
    event.type = own.type;
    event.node = own.node;
    EXPECT_FALSE(is_operator_event(event)) << "a sender's event of that name is like any other";
    EXPECT_FALSE(is_about(event, webhook));
    event.source = own_source;
    EXPECT_FALSE(is_operator_event(event)) << "a list of gathered events is herald's, but no news";
    event.origin = own.origin;
    EXPECT_TRUE(is_operator_event(event));
    EXPECT_TRUE(is_about(event, webhook));
    EXPECT_FALSE(is_about(event, make_webhook("another")));
}

TEST(ExhaustionWindow, TellsTheFirstOnesAndOfTheRestTheLastWithTheirNumber) {
    ExhaustionWindow window;
    const ExhaustionWindow::Steady start{1h};
    for (std::uint64_t n = 1; n <= ExhaustionWindow::each; ++n) {
        EXPECT_TRUE(window.add(exhaustion(n), start)) << n;
    }
    EXPECT_FALSE(window.due_at());
    for (std::uint64_t n = 11; n <= 1'000; ++n) EXPECT_FALSE(window.add(exhaustion(n), start + 1s));
    ASSERT_EQ(window.due_at(), start + ExhaustionWindow::length);
    EXPECT_FALSE(window.is_over(start + 1h)) << "something is untold";

    std::uint64_t untold = 0;
    const auto last = window.take(untold, start + 1min);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->delivery.seq, 1'000U);
    EXPECT_EQ(untold, 989U);
    EXPECT_FALSE(window.due_at());
    EXPECT_FALSE(window.is_over(start + 90s));
    EXPECT_TRUE(window.is_over(start + 2min));
}

TEST(ExhaustionWindow, AtMostTenAreToldInAWindowWhateverComes) {
    ExhaustionWindow window;
    std::uint64_t told = 0;
    std::uint64_t counted = 0;
    for (int second = 0; second < 600; ++second) {
        const auto now = ExhaustionWindow::Steady{} + 1h + std::chrono::seconds{second};
        if (window.due_at() && *window.due_at() <= now) {
            std::uint64_t untold = 0;
            if (window.take(untold, now)) ++told;
            counted += untold;
        }
        if (window.add(exhaustion(1), now)) ++told;
    }
    EXPECT_LE(told, 10U * ExhaustionWindow::each);
    EXPECT_GE(told, 9U * ExhaustionWindow::each);
    EXPECT_GE(told + counted, 600U - 60U) << "none is forgotten";
}

}  // namespace

}  // namespace herald
