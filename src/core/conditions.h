#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/event_facts.h"
#include "core/expression.h"
#include "core/options.h"

namespace herald {

/// What an attribute must have become, and what it must have been.
struct ValueCondition {
    std::string field;  ///< a name or a glob
    std::optional<std::string> value;  ///< a JSON scalar, canonical
    std::optional<std::string> previous;

    bool operator==(const ValueCondition&) const = default;
};

/// The group `conditions` of a webhook: what an event must say beyond type, branch and kind. All
/// that are given must hold; the entries of one list are alternatives. Names may be globs
/// (docs/filters.md).
struct Conditions {
    std::vector<std::string> changed_only;    ///< at least one of these changed
    std::vector<std::string> changed_ignore;  ///< something else than these changed
    std::vector<ValueCondition> values;       ///< each of them
    std::vector<std::string> accounts;
    std::vector<std::string> origins;
    std::vector<std::string> related_kinds;
    std::vector<std::string> target_kinds;
    Expression expression;

    [[nodiscard]] bool empty() const;
    bool operator==(const Conditions&) const = default;
};

/// One condition, and how it stands with an event.
struct ConditionCheck {
    std::string name;  ///< "changed_fields.only"; of a term of the expression "expression"
    bool holds = false;
    std::string reason;  ///< in words
};

/// Whether all conditions hold. Costs nothing when there are none.
[[nodiscard]] bool hold(const Conditions& conditions, EventFacts& facts);
/// Every condition that is given, in the order in which they are asked. All of them hold exactly
/// when hold() says so.
[[nodiscard]] std::vector<ConditionCheck> check(const Conditions& conditions, EventFacts& facts);

/// `value`: the group as JSON; null: left out.
[[nodiscard]] Conditions read_conditions(JsonView value, std::vector<FieldError>& wrong);
void append_conditions(std::string& out, const Conditions& conditions);

}  // namespace herald
