#include "core/conditions.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/limits.h"

namespace herald {

namespace {

using Names = std::vector<std::string>;

/// An event that has no such name matches nothing, not even "*".
bool any_matches(const Names& patterns, std::string_view name) {
    return !name.empty() && std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return is_glob(pattern) ? glob_match(pattern, name) : pattern == name;
    });
}

bool has_value(const std::optional<std::string>& wanted, const std::optional<JsonView>& found) {
    if (!wanted) return true;
    return found && equal(JsonValue::of(JsonView(*wanted)), JsonValue::of(*found));
}

// The rules, one a function.

bool only_holds(const Conditions& conditions, EventFacts& facts) {
    return std::ranges::any_of(facts.changes(), [&](const Change& change) {
        return any_matches(conditions.changed_only, change.name);
    });
}

bool ignore_holds(const Conditions& conditions, EventFacts& facts) {
    return std::ranges::any_of(facts.changes(), [&](const Change& change) {
        return !any_matches(conditions.changed_ignore, change.name);
    });
}

bool value_holds(const ValueCondition& condition, EventFacts& facts) {
    return std::ranges::any_of(facts.changes(), [&](const Change& change) {
        return glob_match(condition.field, change.name) &&
               has_value(condition.value, change.value) &&
               has_value(condition.previous, change.previous);
    });
}

bool accounts_hold(const Conditions& conditions, EventFacts& facts) {
    const auto& account = facts.event().account_id;
    return account && any_matches(conditions.accounts, *account);
}

bool origins_hold(const Conditions& conditions, EventFacts& facts) {
    return any_matches(conditions.origins, facts.event().origin);
}

bool related_kinds_hold(const Conditions& conditions, EventFacts& facts) {
    return std::ranges::any_of(facts.event().related, [&](const NodeRef& node) {
        return any_matches(conditions.related_kinds, node.kind);
    });
}

bool target_kinds_hold(const Conditions& conditions, EventFacts& facts) {
    return any_matches(conditions.target_kinds, facts.target_kind());
}

// What an event has for each, in words.

std::string quoted(std::string_view text) { return describe(JsonValue::of_text(text)); }

std::string listed(const Names& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string changed_words(EventFacts& facts) {
    Names names;
    for (const Change& change : facts.changes()) {
        if (names.empty() || names.back() != change.name) names.push_back(change.name);
    }
    if (names.empty()) return "the event does not say what changed";
    return "what changed: " + listed(names);
}

std::string text_words(std::string_view what, std::string_view value) {
    if (value.empty()) return "the event has no " + std::string(what);
    return "its " + std::string(what) + " is " + quoted(value);
}

std::string account_words(EventFacts& facts) {
    return text_words("account", facts.event().account_id.value_or(""));
}
std::string origin_words(EventFacts& facts) { return text_words("origin", facts.event().origin); }
std::string target_words(EventFacts& facts) {
    return text_words("target kind", facts.target_kind());
}

std::string related_words(EventFacts& facts) {
    Names kinds;
    for (const NodeRef& node : facts.event().related) {
        if (!node.kind.empty() && std::ranges::find(kinds, node.kind) == kinds.end()) {
            kinds.push_back(node.kind);
        }
    }
    if (kinds.empty()) return "the event relates to no node of a known kind";
    return "the kinds of its related nodes are " + listed(kinds);
}

std::string value_words(const ValueCondition& condition, EventFacts& facts) {
    const auto told = [](const std::optional<JsonView>& value) {
        return value ? describe(JsonValue::of(*value)) : std::string("not said");
    };
    std::string words;
    for (const Change& change : facts.changes()) {
        if (!glob_match(condition.field, change.name)) continue;
        words += (words.empty() ? "" : ", ") + change.name + " is " + told(change.value) +
                 " and was " + told(change.previous);
    }
    return words.empty() ? condition.field + " did not change" : words;
}

/// A list of names with the rule it stands for.
struct Rule {
    std::string_view name;
    Names Conditions::* names;
    bool (*holds)(const Conditions&, EventFacts&);
    std::string (*words)(EventFacts&);
};

/// Those that need no look into the body come first.
constexpr std::array rules{
    Rule{"origins", &Conditions::origins, origins_hold, origin_words},
    Rule{"accounts", &Conditions::accounts, accounts_hold, account_words},
    Rule{"related_kinds", &Conditions::related_kinds, related_kinds_hold, related_words},
    Rule{"target_kinds", &Conditions::target_kinds, target_kinds_hold, target_words},
    Rule{"changed_fields.only", &Conditions::changed_only, only_holds, changed_words},
    Rule{"changed_fields.ignore", &Conditions::changed_ignore, ignore_holds, changed_words},
};

// JSON.

void check_names(const Names& names, std::string_view name, OptionReader& in) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string at = std::string(name) + "/" + std::to_string(i);
        if (names[i].empty()) in.wrong(at, "must not be empty: remove it");
        if (names[i].size() > limits::label_bytes) {
            in.wrong(at, "must be at most " + std::to_string(limits::label_bytes) + " bytes");
        }
    }
}

Names read_names(OptionReader& in, std::string_view name, std::vector<FieldError>& wrong) {
    const std::size_t before = wrong.size();
    Names names = in.texts(name, limits::condition_values);
    if (wrong.size() == before) check_names(names, name, in);
    return names;
}

void read_changed_fields(OptionReader& in, Conditions& conditions, std::vector<FieldError>& wrong) {
    const auto given = in.member("changed_fields");
    if (!given) return;
    OptionReader fields(*given, in.pointer("changed_fields"), JsonView{}, wrong);
    conditions.changed_only = read_names(fields, "only", wrong);
    conditions.changed_ignore = read_names(fields, "ignore", wrong);
    fields.finish();
}

/// A scalar; null is one too.
std::optional<std::string> read_scalar(JsonView object, std::string_view name, OptionReader& in) {
    in.member(name);
    const auto given = object.find(name);
    if (!given) return std::nullopt;
    const bool nested = given->is_object() || given->kind() == JsonView::Kind::array;
    if (nested) in.wrong(name, "must be a text, a number, true, false or null");
    if (given->raw().size() > limits::label_bytes) {
        in.wrong(name, "must be at most " + std::to_string(limits::label_bytes) + " bytes");
    }
    return std::string(given->raw());
}

ValueCondition read_value(JsonView object, const std::string& pointer,
                          std::vector<FieldError>& wrong) {
    OptionReader in(object, pointer, JsonView{}, wrong);
    ValueCondition condition;
    condition.field = in.text("field");
    if (object.is_object()) {
        if (condition.field.empty()) {
            in.wrong("field", "is required: the name of an attribute or relationship");
        }
        if (condition.field.size() > limits::label_bytes) {
            in.wrong("field", "must be at most " + std::to_string(limits::label_bytes) + " bytes");
        }
        condition.value = read_scalar(object, "value", in);
        condition.previous = read_scalar(object, "previous", in);
        if (!condition.value && !condition.previous) {
            in.wrong("", "must have a value, a previous value, or both");
        }
    }
    in.finish();
    return condition;
}

void read_values(OptionReader& in, Conditions& conditions, std::vector<FieldError>& wrong) {
    const auto given = in.member("values");
    if (!given) return;
    if (given->kind() != JsonView::Kind::array) {
        return in.wrong("values", "must be an array of objects with field, value and previous");
    }
    for (auto items = given->items(); items.next();) {
        const std::size_t i = conditions.values.size();
        if (i == limits::condition_values) {
            return in.wrong("values", "may hold at most " +
                                          std::to_string(limits::condition_values) + " entries");
        }
        const std::string pointer = in.pointer("values") + "/" + std::to_string(i);
        conditions.values.push_back(read_value(items.value(), pointer, wrong));
    }
}

void append_values(OptionWriter& out, const std::vector<ValueCondition>& values) {
    out.begin("values");
    out.out() += '[';
    for (const ValueCondition& condition : values) {
        if (&condition != values.data()) out.out() += ',';
        OptionWriter one(out.out(), out.form());
        one.text("field", condition.field);
        for (const auto& [name, value] :
             {std::pair{"value", &condition.value}, std::pair{"previous", &condition.previous}}) {
            if (!*value) continue;
            one.begin(name);
            one.out() += **value;
        }
        one.finish();
    }
    out.out() += ']';
}

}  // namespace

bool Conditions::empty() const {
    return values.empty() && expression.empty() &&
           std::ranges::all_of(rules,
                               [&](const Rule& rule) { return (this->*rule.names).empty(); });
}

bool hold(const Conditions& conditions, EventFacts& facts) {
    const bool lists = std::ranges::all_of(rules, [&](const Rule& rule) {
        return (conditions.*rule.names).empty() || rule.holds(conditions, facts);
    });
    const auto value = [&](const ValueCondition& one) { return value_holds(one, facts); };
    return lists && std::ranges::all_of(conditions.values, value) &&
           conditions.expression.holds(facts);
}

std::vector<ConditionCheck> check(const Conditions& conditions, EventFacts& facts) {
    std::vector<ConditionCheck> checks;
    for (const Rule& rule : rules) {
        if ((conditions.*rule.names).empty()) continue;
        checks.push_back(
            {std::string(rule.name), rule.holds(conditions, facts), rule.words(facts)});
    }
    for (const ValueCondition& one : conditions.values) {
        checks.push_back({"values", value_holds(one, facts), value_words(one, facts)});
    }
    for (const Expression::Term& term : conditions.expression.terms(facts)) {
        std::string reason(term.text);
        if (!term.seen.empty()) reason += ": " + term.seen;
        checks.push_back({"expression", term.holds, std::move(reason)});
    }
    return checks;
}

Conditions read_conditions(JsonView value, std::vector<FieldError>& wrong) {
    Conditions conditions;
    OptionReader in(value, "/conditions", JsonView{}, wrong);
    read_changed_fields(in, conditions, wrong);
    read_values(in, conditions, wrong);
    conditions.accounts = read_names(in, "accounts", wrong);
    conditions.origins = read_names(in, "origins", wrong);
    conditions.related_kinds = read_names(in, "related_kinds", wrong);
    conditions.target_kinds = read_names(in, "target_kinds", wrong);
    auto expression = Expression::parse(in.text("expression"));
    if (expression) {
        conditions.expression = std::move(*expression);
    } else {
        in.wrong("expression", expression.error().message);
    }
    in.finish();
    return conditions;
}

void append_conditions(std::string& out, const Conditions& conditions) {
    OptionWriter group(out, SecretForm::plain);
    group.begin("changed_fields");
    OptionWriter fields(out, SecretForm::plain);
    fields.texts("only", conditions.changed_only);
    fields.texts("ignore", conditions.changed_ignore);
    fields.finish();
    append_values(group, conditions.values);
    group.texts("accounts", conditions.accounts);
    group.texts("origins", conditions.origins);
    group.texts("related_kinds", conditions.related_kinds);
    group.texts("target_kinds", conditions.target_kinds);
    group.text_or_null("expression", conditions.expression.text());
    group.finish();
}

}  // namespace herald
