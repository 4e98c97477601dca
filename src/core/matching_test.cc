#include "core/matching.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/operator_events.h"

namespace herald {
namespace {

using testing::HasSubstr;

constexpr EventType table[] = {{"shop.order.paid", true, ""}, {"shop.till.closed", false, ""}};
const EventTypes types("shop.", table);

Event paid() {
    Event event;
    event.type = "shop.order.paid";
    event.branch = "main";
    event.node = {"n-1", "ShopOrder"};
    event.body = "{}";
    return event;
}

std::string first_not_held(const Webhook& webhook, const Event& event) {
    const auto checks = explain(webhook, {}, event, types, "main");
    const auto failed = std::ranges::find(checks, false, &ConditionCheck::holds);
    return failed == checks.end() ? "" : failed->name + ": " + failed->reason;
}

TEST(Explain, NamesTheFirstRuleThatDidNotHold) {
    struct Case {
        std::string_view rule;
        std::string_view reason;
        void (*change)(Webhook&, Event&);
    };
    const Case cases[] = {
        {"", "", [](Webhook&, Event&) {}},
        {"active", "the webhook is paused", [](Webhook& w, Event&) { w.active = false; }},
        {"event_type", "shop.order.paid is not taken by \"a\", \"b.*\"",
         [](Webhook& w, Event&) { w.filter.event_types = {"a", "b.*"}; }},
        {"branch_scope", "the event is on \"side\", not on the default branch \"main\"",
         [](Webhook&, Event& e) { e.branch = "side"; }},
        {"branch_scope", "the event is on the default branch",
         [](Webhook& w, Event&) { w.filter.branch_scope = BranchScope::other_branches; }},
        {"branch_scope", "the event has no branch", [](Webhook&, Event& e) { e.branch.reset(); }},
        {"branch_scope", "on the global branch",
         [](Webhook&, Event& e) { e.branch = std::string(global_branch); }},
        {"node_kind", "the event's node kind is \"ShopOrder\", not \"ShopCart\"",
         [](Webhook& w, Event&) { w.filter.node_kind = "ShopCart"; }},
        {"node_kind", "the event has no node kind, not \"ShopCart\"",
         [](Webhook& w, Event& e) {
             w.filter.node_kind = "ShopCart";
             e.node = {};
         }},
        {"", "",
         [](Webhook& w, Event& e) {
             w.filter = {{"shop.till.closed"}, BranchScope::default_branch, "ShopCart"};
             e.type = "shop.till.closed";
         }},
        {"origins", "the event has no origin",
         [](Webhook& w, Event&) { w.conditions.origins = {"live"}; }},
        {"expression", "false",
         [](Webhook& w, Event&) { w.conditions.expression = *Expression::parse("false"); }},
        {"not_about_itself", "tells of this webhook",
         [](Webhook& w, Event& e) {
             e.source = own_source;
             e.origin = operator_origin;
             e.node.id = w.uuid.text();
         }},
    };
    for (const Case& c : cases) {
        Webhook webhook;
        Event event = paid();
        c.change(webhook, event);
        EventFacts facts(event, types);
        const bool fires = webhook.active && wants(webhook, facts, types, "main");
        EXPECT_EQ(first_not_held(webhook, event).empty(), fires);
        const std::string told = first_not_held(webhook, event);
        EXPECT_THAT(told, HasSubstr(c.reason));
        EXPECT_EQ(told.substr(0, told.find(':')), c.rule);
    }
}

TEST(Explain, SaysThatItsHealthHasStoppedIt) {
    Health health;
    health.state = HealthState::gone;
    health.reason = "the receiver answered 410 Gone";
    const auto active = explain(Webhook{}, health, paid(), types, "main").front();
    EXPECT_TRUE(active.holds) << "its deliveries are made, and wait";
    EXPECT_EQ(active.reason,
              "the webhook is active, but it is gone: the receiver answered 410 Gone. Nothing is "
              "sent and deliveries wait until it is resumed, as by `herald webhook resume`");
    Webhook off;
    off.active = false;
    EXPECT_FALSE(explain(off, health, paid(), types, "main").front().holds);
}

TEST(Explain, AgreesWithWhatIsDecided) {
    const std::vector<std::string> entries[] = {
        {"all"}, {"shop.*"}, {"shop.till.closed"}, {"shop.order.paid", "shop.till.closed"}};
    const std::optional<std::string> branches[] = {std::nullopt, "main", "side"};
    const std::string expressions[] = {"", "event.branch == \"main\"", "event.level > 0"};
    int wanted = 0;
    for (const auto& entry : entries) {
        for (const BranchScope scope : {BranchScope::default_branch, BranchScope::other_branches,
                                        BranchScope::all_branches}) {
            for (const char* kind : {"", "ShopOrder", "ShopCart"}) {
                for (const std::string& expression : expressions) {
                    for (const auto& branch : branches) {
                        for (const EventType& type : table) {
                            Webhook webhook;
                            webhook.filter = {entry, scope, kind};
                            webhook.conditions.expression = *Expression::parse(expression);
                            Event event = paid();
                            event.type = type.name;
                            event.branch = branch;
                            EventFacts facts(event, types);
                            const bool wants_it = wants(webhook, facts, types, "main");
                            wanted += wants_it ? 1 : 0;
                            EXPECT_EQ(first_not_held(webhook, event).empty(), wants_it);
                        }
                    }
                }
            }
        }
    }
    EXPECT_GT(wanted, 20);
}

}  // namespace
}  // namespace herald
