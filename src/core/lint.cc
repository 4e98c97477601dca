#include "core/lint.h"

#include <algorithm>

#include "core/matching.h"

namespace herald {

namespace {

using Findings = std::vector<Finding>;
using enum Finding::Kind;

std::string quoted(std::string_view text) { return describe(JsonValue::of_text(text)); }

/// What can pass the filter.
struct Passing {
    std::vector<const EventType*> known;
    bool unknown = false;  ///< types that nobody knows can, too

    [[nodiscard]] bool nothing() const { return known.empty() && !unknown; }
    /// Whether only known types can, and none of them says it.
    [[nodiscard]] bool none_says(bool EventType::* what) const {
        return !unknown &&
               std::ranges::none_of(known, [&](const EventType* type) { return type->*what; });
    }
};

void lint_filter(const Webhook& webhook, const Passing& passing, const EventTypes& types,
                 std::string_view default_branch, Findings& findings) {
    const auto found = warnings(webhook.filter, types, default_branch);
    for (const std::string& warning : found) {
        findings.push_back({passing.nothing() ? never_fires : suspicious, warning});
    }
    if (passing.nothing() && found.empty()) {
        findings.push_back({never_fires, "no event type of the catalogue passes its filter"});
    }
}

void lint_changes(const Conditions& conditions, const Passing& passing, Findings& findings) {
    const auto& ignored = conditions.changed_ignore;
    const bool asks =
        !conditions.changed_only.empty() || !ignored.empty() || !conditions.values.empty();
    if (asks && passing.none_says(&EventType::says_changes)) {
        findings.push_back({never_fires,
                            "conditions ask what changed, which none of its event types says: "
                            "choose event types of changed nodes, or remove them"});
    }
    if (std::ranges::find(ignored, "*") != ignored.end()) {
        findings.push_back(
            {never_fires, "changed_fields.ignore has \"*\", so no change is left: remove it"});
    }
    for (const ValueCondition& one : conditions.values) {
        const bool is_ignored = std::ranges::any_of(
            ignored, [&](const std::string& pattern) { return glob_match(pattern, one.field); });
        if (is_ignored) {
            findings.push_back({suspicious, quoted(one.field) +
                                                " has a condition on its value and is in "
                                                "changed_fields.ignore: it fires only when "
                                                "something else changes too"});
        }
        if (one.value && one.previous == one.value) {
            findings.push_back({suspicious, "the value and the previous value of " +
                                                quoted(one.field) +
                                                " are to be the same: a change of it never is"});
        }
    }
}

void lint_values(const Conditions& conditions, Findings& findings) {
    const auto& values = conditions.values;
    for (auto one = values.begin(); one != values.end(); ++one) {
        const auto contradicts = [&](const ValueCondition& other) {
            return other.field == one->field && !is_glob(one->field) &&
                   ((other.value && one->value && other.value != one->value) ||
                    (other.previous && one->previous && other.previous != one->previous));
        };
        if (std::any_of(one + 1, values.end(), contradicts)) {
            findings.push_back({suspicious, "two conditions want different values of " +
                                                quoted(one->field) +
                                                ", which holds for relationships to many only: "
                                                "alternatives are written in the expression"});
        }
    }
}

void lint_target(const Conditions& conditions, const Passing& passing, Findings& findings) {
    if (conditions.target_kinds.empty() || !passing.none_says(&EventType::says_target)) return;
    findings.push_back({never_fires,
                        "target_kinds asks for what artifacts were made for, which none of its "
                        "event types says: choose event types of artifacts, or remove it"});
}

ForeseenEvent foreseen(const EventType& type, const Filter& filter,
                       std::string_view default_branch) {
    ForeseenEvent event{type.name, std::nullopt, std::nullopt, type.says_changes};
    if (!type.fixed_kind.empty()) {
        event.node_kind = type.fixed_kind;
    } else if (!filter.node_kind.empty() && type.carries_kind) {
        event.node_kind = filter.node_kind;
    }
    if (filter.branch_scope == BranchScope::default_branch) event.branch = default_branch;
    if (type.fixed_branch == global_branch) event.branch = global_branch;
    return event;
}

void lint_expression(const Webhook& webhook, const Passing& passing,
                     std::string_view default_branch, Findings& findings) {
    const Expression& expression = webhook.conditions.expression;
    if (expression.empty() || passing.unknown || passing.nothing()) return;
    const auto all_are = [&](Truth truth) {
        return std::ranges::all_of(passing.known, [&](const EventType* type) {
            return expression.foresee(foreseen(*type, webhook.filter, default_branch)) == truth;
        });
    };
    if (all_are(Truth::no)) {
        findings.push_back({never_fires,
                            "the expression is false for every event type of the catalogue that "
                            "passes the filter"});
    }
    if (all_are(Truth::yes)) {
        findings.push_back({suspicious,
                            "the expression is true for every event that passes the filter: "
                            "remove it"});
    }
}

}  // namespace

std::string_view to_text(Finding::Kind kind) {
    switch (kind) {
        case never_fires: return "never_fires";
        case never_fired: return "never_fired";
        case paused: return "paused";
        case disabled: return "disabled";
        case gone: return "gone";
        case suspicious: return "suspicious";
    }
    return "";
}

bool is_state(Finding::Kind kind) { return kind == paused || kind == disabled || kind == gone; }

std::vector<Finding> lint(const Webhook& webhook, const Health& health, const EventTypes& types,
                          std::string_view default_branch) {
    Findings findings;
    const Passing passing{types_that_pass(webhook.filter, types, default_branch),
                          has_unknown_types(webhook.filter, types)};
    lint_filter(webhook, passing, types, default_branch, findings);
    // What the filter lets through decides the rest.
    if (!passing.nothing()) {
        lint_changes(webhook.conditions, passing, findings);
        lint_target(webhook.conditions, passing, findings);
        lint_values(webhook.conditions, findings);
        lint_expression(webhook, passing, default_branch, findings);
    }
    if (!webhook.active) {
        findings.push_back({paused, "it is paused: it fires for nothing until it is resumed"});
    }
    if (health.stopped()) {
        findings.push_back(
            {health.state == HealthState::gone ? gone : disabled, why_stopped(health)});
    }
    return findings;
}

}  // namespace herald
