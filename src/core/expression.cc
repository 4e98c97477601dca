#include "core/expression.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstring>

#include "core/limits.h"

namespace herald {

namespace {

using Op = Expression::Op;

Truth truth_of(bool so) { return so ? Truth::yes : Truth::no; }

Truth opposite(Truth truth) {
    if (truth == Truth::unknown) return truth;
    return truth_of(truth == Truth::no);
}

/// Linear whatever the texts are, which std::string_view::find is not.
bool holds_text(std::string_view text, std::string_view part) {
    return part.empty() || ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

bool holds_element(const JsonValue& list, const JsonValue& wanted) {
    for (auto items = list.json().items(); items.next();) {
        if (equal(JsonValue::of(items.value()), wanted)) return true;
    }
    return false;
}

JsonValue optional_text(const std::optional<std::string>& text) {
    return text ? JsonValue::of_text(*text) : JsonValue();
}

JsonValue text_or_null(std::string_view text) {
    return text.empty() ? JsonValue() : JsonValue::of_text(text);
}

}  // namespace

/// One evaluation: on an event, or on what is foreseen of one.
class ExpressionRun {
public:
    ExpressionRun(const Expression& expression, EventFacts& facts)
        : expression_(expression), facts_(&facts) {}
    ExpressionRun(const Expression& expression, const ForeseenEvent& known)
        : expression_(expression), known_(&known) {}

    Truth truth(const Expression::Node& node);
    /// What a term looked at, in words.
    std::string seen(const Expression::Node& node);

private:
    using Node = Expression::Node;

    [[nodiscard]] const Node& at(std::uint16_t number) const { return expression_.nodes_[number]; }
    [[nodiscard]] const Node& child(const Node& node) const { return at(node.child); }
    [[nodiscard]] std::string_view text(const Node& node) const {
        return std::string_view(expression_.texts_).substr(node.at, node.size);
    }
    [[nodiscard]] std::string_view source(const Node& node) const {
        return std::string_view(expression_.text_).substr(node.from, node.to - node.from);
    }

    JsonValue value(const Node& node);
    JsonValue member(std::string_view path);
    [[nodiscard]] JsonValue foreseen_member(std::string_view path) const;
    JsonValue changed_value(const Node& node);
    std::optional<JsonView> walk(JsonView from, const Node& path) const;

    Truth all_of(const Node& node, Truth decides);
    Truth compare(const Node& node);
    Truth changed(const Node& node);
    [[nodiscard]] bool is_named(const Node& names, std::string_view name) const;
    Truth each(const Node& node);
    void say(std::string& words, const Node& node);

    const Expression& expression_;
    EventFacts* facts_ = nullptr;
    const ForeseenEvent* known_ = nullptr;
    JsonView item_;
};

JsonValue ExpressionRun::value(const Node& node) {
    switch (node.op) {
        case Op::null: return {};
        case Op::number: return JsonValue::of_number(text(node));
        case Op::text: return JsonValue::of_text(text(node));
        case Op::list: return JsonValue::of(JsonView(text(node)));
        case Op::member: return member(text(node));
        case Op::value:
        case Op::previous: return changed_value(node);
        case Op::data:
        case Op::item: {
            if (facts_ == nullptr) return JsonValue::unknown();
            const JsonView from = node.op == Op::data ? facts_->data() : item_;
            return JsonValue::of(walk(from, node).value_or(JsonView{}));
        }
        default: {
            const Truth found = truth(node);
            return found == Truth::unknown ? JsonValue::unknown()
                                           : JsonValue::of_boolean(found == Truth::yes);
        }
    }
}

JsonValue ExpressionRun::member(std::string_view path) {
    if (facts_ == nullptr) return foreseen_member(path);
    const Event& event = facts_->event();
    if (path == "type") return JsonValue::of_text(event.type);
    if (path == "branch") return optional_text(event.branch);
    if (path == "node.kind") return text_or_null(event.node.kind);
    if (path == "node.id") return text_or_null(event.node.id);
    if (path == "account") return optional_text(event.account_id);
    if (path == "origin") return text_or_null(event.origin);
    if (path == "source") return text_or_null(event.source);
    if (path == "has_children") return JsonValue::of_boolean(event.has_children);
    if (path == "level") {
        return JsonValue::owning(JsonValue::Kind::number, std::to_string(event.level));
    }
    if (path == "id") return JsonValue::owning(JsonValue::Kind::text, event.id.text());
    if (path == "parent" && event.parent) {
        return JsonValue::owning(JsonValue::Kind::text, event.parent->text());
    }
    return {};
}

JsonValue ExpressionRun::foreseen_member(std::string_view path) const {
    if (path == "type") return JsonValue::of_text(known_->type);
    if (path == "node.kind" && known_->node_kind) return text_or_null(*known_->node_kind);
    if (path == "branch" && known_->branch) return JsonValue::of_text(*known_->branch);
    return JsonValue::unknown();
}

JsonValue ExpressionRun::changed_value(const Node& node) {
    if (facts_ == nullptr) return known_->says_changes ? JsonValue::unknown() : JsonValue();
    const std::string_view name = text(child(node));
    for (const Change& change : facts_->changes()) {
        if (change.name != name) continue;
        const auto& found = node.op == Op::value ? change.value : change.previous;
        if (found) return JsonValue::of(*found);
    }
    return {};
}

std::optional<JsonView> ExpressionRun::walk(JsonView from, const Node& path) const {
    for (std::uint16_t i = path.child; i != Expression::none; i = at(i).next) {
        const Node& step = at(i);
        const bool by_key = step.op == Op::key;
        if (by_key ? !from.is_object() : from.kind() != JsonView::Kind::array) return std::nullopt;
        const std::string_view wanted = text(step);
        std::size_t place = 0;
        if (!by_key) std::from_chars(wanted.data(), wanted.data() + wanted.size(), place);
        std::optional<JsonView> found;
        for (auto items = from.items(); !found && items.next();) {
            const bool here = by_key ? items.raw_key() == wanted : place-- == 0;
            if (here) found = items.value();
        }
        if (!found) return std::nullopt;
        from = *found;
    }
    return from;
}

Truth ExpressionRun::truth(const Node& node) {
    switch (node.op) {
        case Op::yes: return Truth::yes;
        case Op::no: return Truth::no;
        case Op::conjunction: return all_of(node, Truth::no);
        case Op::disjunction: return all_of(node, Truth::yes);
        case Op::negation: return opposite(truth(child(node)));
        case Op::changed:
        case Op::changed_only: return changed(node);
        case Op::any:
        case Op::all: return each(node);
        case Op::exists:
            if (facts_ == nullptr) return Truth::unknown;
            return truth_of(walk(facts_->data(), child(node)).has_value());
        default: break;
    }
    if (node.op >= Op::equal) return compare(node);
    const JsonValue found = value(node);
    return found.is_known() ? truth_of(found.is_true()) : Truth::unknown;
}

/// Conditions of which the first that is `decides` decides.
Truth ExpressionRun::all_of(const Node& node, Truth decides) {
    Truth result = opposite(decides);
    for (std::uint16_t i = node.child; i != Expression::none; i = at(i).next) {
        const Truth one = truth(at(i));
        if (one == decides) return decides;
        if (one == Truth::unknown) result = Truth::unknown;
    }
    return result;
}

Truth ExpressionRun::compare(const Node& node) {
    const Node& left_node = child(node);
    const Node& right_node = at(left_node.next);
    const JsonValue left = value(left_node);
    if (!left.is_known()) return Truth::unknown;
    const JsonValue right = value(right_node);
    if (!right.is_known()) return Truth::unknown;
    const bool texts =
        left.kind() == JsonValue::Kind::text && right.kind() == JsonValue::Kind::text;
    switch (node.op) {
        case Op::equal: return truth_of(equal(left, right));
        case Op::unequal: return truth_of(!equal(left, right));
        case Op::less: return truth_of(order(left, right) < 0);
        case Op::less_or_equal: return truth_of(order(left, right) <= 0);
        case Op::greater: return truth_of(order(left, right) > 0);
        case Op::greater_or_equal: return truth_of(order(left, right) >= 0);
        case Op::in:
        case Op::not_in: {
            const bool found = right.kind() == JsonValue::Kind::list && holds_element(right, left);
            return truth_of(found == (node.op == Op::in));
        }
        case Op::contains:
            if (left.kind() == JsonValue::Kind::list) return truth_of(holds_element(left, right));
            return truth_of(texts && holds_text(left.text(), right.text()));
        case Op::matches:
            return truth_of(texts && left.text().size() <= limits::matched_text_bytes &&
                            glob_match(right.text(), left.text()));
        case Op::starts_with: return truth_of(texts && left.text().starts_with(right.text()));
        case Op::ends_with: return truth_of(texts && left.text().ends_with(right.text()));
        default: return Truth::no;
    }
}

bool ExpressionRun::is_named(const Node& names, std::string_view name) const {
    for (std::uint16_t i = names.child; i != Expression::none; i = at(i).next) {
        if (glob_match(text(at(i)), name)) return true;
    }
    return false;
}

Truth ExpressionRun::changed(const Node& node) {
    if (facts_ == nullptr) return known_->says_changes ? Truth::unknown : Truth::no;
    const auto named = [&](const Change& change) { return is_named(node, change.name); };
    const auto& changes = facts_->changes();
    if (node.op == Op::changed) return truth_of(std::ranges::any_of(changes, named));
    return truth_of(!changes.empty() && std::ranges::all_of(changes, named));
}

Truth ExpressionRun::each(const Node& node) {
    if (facts_ == nullptr) return Truth::unknown;
    const Node& path = child(node);
    const Node& condition = at(path.next);
    const auto list = walk(facts_->data(), path);
    if (!list || list->kind() != JsonView::Kind::array) return Truth::no;
    const Truth decides = truth_of(node.op == Op::any);
    for (auto items = list->items(); items.next();) {
        item_ = items.value();
        if (truth(condition) == decides) return decides;
    }
    return opposite(decides);
}

std::string ExpressionRun::seen(const Node& node) {
    std::string words;
    if (node.op == Op::changed || node.op == Op::changed_only) {
        std::string_view last;
        for (const Change& change : facts_->changes()) {
            if (change.name == last) continue;
            last = change.name;
            words += (words.empty() ? "what changed: " : ", ") + change.name;
        }
        return words.empty() ? "the event does not say what changed" : words;
    }
    if (node.op == Op::negation || node.op == Op::conjunction || node.op == Op::disjunction ||
        (node.op >= Op::equal && node.op <= Op::ends_with)) {
        for (std::uint16_t i = node.child; i != Expression::none; i = at(i).next) {
            const Node& part = at(i);
            const std::string inner = part.op >= Op::equal ? seen(part) : std::string();
            if (!inner.empty()) words += (words.empty() ? "" : ", ") + inner;
            say(words, part);
        }
        return words;
    }
    say(words, node);
    return words;
}

/// "data.kind is null", for what takes its value from the event.
void ExpressionRun::say(std::string& words, const Node& node) {
    const bool told = node.op == Op::member || node.op == Op::data || node.op == Op::value ||
                      node.op == Op::previous;
    if (!told) return;
    words +=
        (words.empty() ? "" : ", ") + std::string(source(node)) + " is " + describe(value(node));
}

bool Expression::holds(EventFacts& facts) const {
    return empty() || ExpressionRun(*this, facts).truth(nodes_.back()) == Truth::yes;
}

Truth Expression::foresee(const ForeseenEvent& known) const {
    return empty() ? Truth::yes : ExpressionRun(*this, known).truth(nodes_.back());
}

std::vector<Expression::Term> Expression::terms(EventFacts& facts) const {
    if (empty()) return {};
    ExpressionRun run(*this, facts);
    std::vector<Term> found;
    const auto add = [&](const Node& node) {
        const std::string_view source =
            std::string_view(text_).substr(node.from, node.to - node.from);
        found.push_back({source, run.truth(node) == Truth::yes, run.seen(node)});
    };
    const Node& root = nodes_.back();
    if (root.op != Op::conjunction) {
        add(root);
        return found;
    }
    for (std::uint16_t i = root.child; i != none; i = nodes_[i].next) add(nodes_[i]);
    return found;
}

}  // namespace herald
