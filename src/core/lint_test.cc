#include "core/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace herald {
namespace {

using testing::HasSubstr;

constexpr EventType table[] = {
    {"shop.order.changed", true, "", "", true},
    {"shop.label.printed", true, "", "ShopLabel", false, true},
    {"shop.till.closed", false, "-global-"},
    {"shop.till.opened", false, ""},
};
const EventTypes types("shop.", table);

using Change = void (*)(Webhook&);

std::string found(const Webhook& webhook, const Health& health = {}) {
    std::string text;
    for (const Finding& finding : lint(webhook, health, types, "main")) {
        text += std::string(to_text(finding.kind)) + ": " + finding.message + "\n";
    }
    return text;
}

void set_expression(Webhook& webhook, std::string_view text) {
    webhook.conditions.expression = *Expression::parse(text);
}

TEST(Lint, FindsNothingInWhatCanFire) {
    const Change fine[] = {
        [](Webhook&) {},
        [](Webhook& w) { w.conditions.changed_only = {"status"}; },
        [](Webhook& w) { w.conditions.changed_ignore = {"description"}; },
        [](Webhook& w) { w.conditions.target_kinds = {"ShopOrder"}; },
        [](Webhook& w) { w.conditions.values = {{"a", "1", "2"}, {"b", "1", std::nullopt}}; },
        [](Webhook& w) { w.conditions.values = {{"a*", "1", {}}, {"a*", "2", {}}}; },
        [](Webhook& w) { w.filter.event_types = {"shop.*", "shop.till.opened"}; },
        [](Webhook& w) { set_expression(w, R"(event.type ends_with "ed" and data.x == 1)"); },
        [](Webhook& w) { set_expression(w, R"(event.node.kind == "ShopLabel" or data.x == 1)"); },
        [](Webhook& w) { set_expression(w, R"(event.type == "shop.till.opened")"); },
    };
    for (const Change change : fine) {
        Webhook webhook;
        change(webhook);
        EXPECT_EQ(found(webhook), "");
    }
}

TEST(Lint, NamesWhatCanNeverFireAndWhatIsSuspicious) {
    struct Case {
        std::string_view finding;
        Change change;
    };
    const Case cases[] = {
        {"never_fires: \"shop.till.closed\" never fires with branch_scope default_branch",
         [](Webhook& w) { w.filter.event_types = {"shop.till.closed"}; }},
        {"suspicious: \"shop.till.closed\" never fires with branch_scope default_branch",
         [](Webhook& w) { w.filter.event_types = {"shop.till.closed", "shop.till.opened"}; }},
        {"never_fires: \"shop.label.*\" never fires with node_kind \"ShopOrder\"",
         [](Webhook& w) {
             w.filter.event_types = {"shop.label.*"};
             w.filter.node_kind = "ShopOrder";
         }},
        {"suspicious: \"shop.odrer.*\" is not in the catalogue",
         [](Webhook& w) { w.filter.event_types = {"shop.odrer.*"}; }},
        {"never_fires: conditions ask what changed",
         [](Webhook& w) {
             w.filter.event_types = {"shop.label.printed"};
             w.conditions.changed_only = {"a"};
         }},
        {"never_fires: conditions ask what changed",
         [](Webhook& w) {
             w.filter.event_types = {"shop.till.opened"};
             w.conditions.values = {{"a", "1", std::nullopt}};
         }},
        {"never_fires: changed_fields.ignore has \"*\"",
         [](Webhook& w) { w.conditions.changed_ignore = {"a", "*"}; }},
        {"never_fires: target_kinds asks for what artifacts were made for",
         [](Webhook& w) {
             w.filter.event_types = {"shop.order.changed"};
             w.conditions.target_kinds = {"ShopOrder"};
         }},
        {"suspicious: \"status\" has a condition on its value and is in changed_fields.ignore",
         [](Webhook& w) {
             w.conditions.values = {{"status", R"("a")", std::nullopt}};
             w.conditions.changed_ignore = {"stat*"};
         }},
        {"suspicious: the value and the previous value of \"status\" are to be the same",
         [](Webhook& w) { w.conditions.values = {{"status", "1", "1"}}; }},
        {"suspicious: two conditions want different values of \"status\"",
         [](Webhook& w) { w.conditions.values = {{"status", "1", {}}, {"status", "2", {}}}; }},
        {"never_fires: the expression is false",
         [](Webhook& w) { set_expression(w, "1 > 2 and data.x == 1"); }},
        {"never_fires: the expression is false",
         [](Webhook& w) { set_expression(w, R"(event.type == "shop.order.chagned")"); }},
        {"never_fires: the expression is false",
         [](Webhook& w) {
             w.filter.node_kind = "ShopOrder";
             w.filter.event_types = {"shop.order.changed"};
             set_expression(w, R"(event.node.kind == "ShopCart")");
         }},
        {"never_fires: the expression is false",
         [](Webhook& w) {
             w.filter.event_types = {"shop.till.opened"};
             set_expression(w, R"(changed("a"))");
         }},
        {"never_fires: the expression is false",
         [](Webhook& w) { set_expression(w, R"(event.branch == "side")"); }},
        {"suspicious: the expression is true for every event",
         [](Webhook& w) { set_expression(w, R"(event.type matches "shop.*" or data.x == 1)"); }},
        {"paused: it is paused", [](Webhook& w) { w.active = false; }},
    };
    for (const Case& c : cases) {
        Webhook webhook;
        c.change(webhook);
        EXPECT_THAT(found(webhook), HasSubstr(c.finding));
    }
}

TEST(Lint, NamesWhatItsHealthHasStopped) {
    const auto found_when = [](HealthState state) {
        Health health;
        health.state = state;
        health.reason = "the reason";
        return found(Webhook{}, health);
    };
    EXPECT_THAT(found_when(HealthState::gone), HasSubstr("gone: it is gone: the reason. Nothing"));
    EXPECT_THAT(found_when(HealthState::disabled), HasSubstr("disabled: it is disabled: the reas"));
    EXPECT_EQ(found_when(HealthState::failing), "");
    EXPECT_EQ(found_when(HealthState::healthy), "");
}

TEST(Lint, SaysNothingSureOfTypesThatNobodyKnows) {
    Webhook webhook;
    webhook.filter.event_types = {"shop.odrer.paid"};
    webhook.conditions.changed_only = {"a"};
    set_expression(webhook, R"(event.type == "something.else")");
    EXPECT_THAT(found(webhook), testing::Not(HasSubstr("never_fires")));
}

}  // namespace
}  // namespace herald
