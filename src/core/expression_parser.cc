#include "core/expression_parser.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/event_types.h"
#include "core/limits.h"
#include "core/suggest.h"

namespace herald {

namespace {

using Kind = ExpressionWord::Kind;
using Op = Expression::Op;

struct NamedOp {
    std::string_view name;
    Op op;
};

constexpr std::array comparisons{
    NamedOp{"==", Op::equal},
    NamedOp{"!=", Op::unequal},
    NamedOp{"<", Op::less},
    NamedOp{"<=", Op::less_or_equal},
    NamedOp{">", Op::greater},
    NamedOp{">=", Op::greater_or_equal},
    NamedOp{"in", Op::in},
    NamedOp{"contains", Op::contains},
    NamedOp{"matches", Op::matches},
    NamedOp{"starts_with", Op::starts_with},
    NamedOp{"ends_with", Op::ends_with},
};

constexpr std::array functions{
    NamedOp{"changed", Op::changed}, NamedOp{"changed_only", Op::changed_only},
    NamedOp{"value", Op::value},     NamedOp{"previous", Op::previous},
    NamedOp{"exists", Op::exists},   NamedOp{"any", Op::any},
    NamedOp{"all", Op::all},
};

constexpr std::array constants{NamedOp{"null", Op::null}, NamedOp{"false", Op::no},
                               NamedOp{"true", Op::yes}};

constexpr std::array<std::string_view, 11> members{"id",     "type",    "branch",   "account",
                                                   "origin", "source",  "level",    "has_children",
                                                   "parent", "node.id", "node.kind"};

/// What may stand where a value is wanted, to suggest it.
constexpr std::array<std::string_view, 14> starts{
    "event",   "data",         "item",  "not",      "null",   "true", "false",
    "changed", "changed_only", "value", "previous", "exists", "any",  "all"};

const NamedOp* find(std::span<const NamedOp> table, std::string_view name) {
    const auto found = std::ranges::find(table, name, &NamedOp::name);
    return found == table.end() ? nullptr : &*found;
}

bool is_condition(Op op) { return op >= Op::equal || op == Op::yes || op == Op::no; }
/// Whether it may turn out to be true.
bool may_be_condition(Op op) {
    constexpr std::array values{Op::member, Op::data, Op::item, Op::value, Op::previous};
    return is_condition(op) || std::ranges::find(values, op) != values.end();
}

std::string quoted(const ExpressionWord& word) {
    if (word.kind == Kind::end) return "the end";
    return word.kind == Kind::text ? "a text" : "\"" + std::string(word.raw) + "\"";
}

}  // namespace

std::expected<Expression, ExpressionError> ExpressionParser::parse() {
    if (made_.text_.size() > limits::expression_bytes) {
        return std::unexpected(ExpressionError{
            limits::expression_bytes,
            "must be at most " + std::to_string(limits::expression_bytes) + " bytes"});
    }
    if (words_.next().kind == Kind::end) return Expression{};
    const Number root = disjunction();
    if (!error_ && words_.next().kind != Kind::end) {
        unexpected("expected and, or or the end");
    }
    want_condition(root, 0);
    if (error_) return std::unexpected(*error_);
    return std::move(made_);
}

template <class Read>
ExpressionParser::Number ExpressionParser::chain(std::string_view word, Op op, Read read) {
    const std::size_t from = words_.next().from;
    std::vector<Number> terms{read()};
    if (!words_.is_next(word)) return terms.front();
    want_condition(terms.front(), from);
    while (!error_ && words_.take(word)) {
        const std::size_t begin = words_.next().from;
        terms.push_back(read());
        want_condition(terms.back(), begin);
    }
    return adopt(add(op, from), terms);
}

ExpressionParser::Number ExpressionParser::disjunction() {
    return chain("or", Op::disjunction, [this] { return conjunction(); });
}

ExpressionParser::Number ExpressionParser::conjunction() {
    return chain("and", Op::conjunction, [this] { return negation(); });
}

ExpressionParser::Number ExpressionParser::negation() {
    const std::size_t from = words_.next().from;
    if (!words_.take("not")) return comparison();
    if (++depth_ > limits::expression_depth) return wrong(from, "is nested too deep");
    const std::size_t begin = words_.next().from;
    const Number inner[] = {negation()};
    --depth_;
    want_condition(inner[0], begin);
    return adopt(add(Op::negation, from), inner);
}

/// The comparing word that comes next, taken.
std::optional<ExpressionParser::Op> ExpressionParser::comparing() {
    if (words_.is_next("not")) {
        const std::size_t at = words_.next().from;
        words_.take();
        if (words_.take("in")) return Op::not_in;
        wrong(at, "expected and, or, not in or a comparison, not \"not\"");
        return std::nullopt;
    }
    const ExpressionWord& word = words_.next();
    if (word.kind != Kind::name && word.kind != Kind::symbol) return std::nullopt;
    const NamedOp* found = find(comparisons, word.raw);
    if (found == nullptr) return std::nullopt;
    words_.take();
    return found->op;
}

ExpressionParser::Number ExpressionParser::comparison() {
    const std::size_t from = words_.next().from;
    const Number left = operand();
    if (error_) return none;
    const auto op = comparing();
    if (!op) return error_ ? none : left;
    const std::size_t begin = words_.next().from;
    const Number right = operand();
    if (error_) return none;
    const Op kind = made_.nodes_[right].op;
    if (*op == Op::matches && kind != Op::text) {
        return wrong(begin, "matches needs a glob in double quotes, such as \"Dcim*\"");
    }
    const bool literal = kind <= Op::text;
    if ((*op == Op::in || *op == Op::not_in) && (literal || is_condition(kind))) {
        return wrong(begin, "in needs a list, such as [\"a\", \"b\"]");
    }
    const std::size_t behind = words_.next().from;
    if (comparing()) return wrong(behind, "comparisons do not chain: write and between two");
    const Number both[] = {left, right};
    return adopt(add(*op, from), both);
}

ExpressionParser::Number ExpressionParser::operand() {
    const ExpressionWord& word = words_.next();
    if (word.kind == Kind::number || word.kind == Kind::text) return literal();
    if (words_.is_next("[")) return list();
    if (words_.is_next("(")) return parenthesis();
    if (word.kind == Kind::name) return name();
    return unexpected("expected a value or a condition");
}

ExpressionParser::Number ExpressionParser::parenthesis() {
    const std::size_t from = words_.take().from;
    if (++depth_ > limits::expression_depth) return wrong(from, "is nested too deep");
    const Number inside = disjunction();
    --depth_;
    return want(")") ? inside : none;
}

ExpressionParser::Number ExpressionParser::literal() {
    const ExpressionWord word = words_.take();
    if (word.kind == Kind::number) return add(Op::number, word.from, word.canonical);
    if (word.kind == Kind::text) {
        return add(Op::text, word.from, *JsonView(word.canonical).string());
    }
    return add(find(constants, word.raw)->op, word.from);
}

/// A list of literals, kept as canonical JSON.
ExpressionParser::Number ExpressionParser::list() {
    const std::size_t from = words_.take().from;
    std::string elements = "[";
    while (!words_.is_next("]")) {
        if (elements.size() > 1) {
            if (!want(",")) return none;
            elements += ',';
        }
        const ExpressionWord& word = words_.next();
        const bool constant = word.kind == Kind::name && find(constants, word.raw) != nullptr;
        if (!constant && word.kind != Kind::number && word.kind != Kind::text) {
            return unexpected("expected a text, a number, true, false or null");
        }
        elements += constant ? std::string(word.raw) : word.canonical;
        words_.take();
    }
    words_.take();
    return add(Op::list, from, elements + "]");
}

ExpressionParser::Number ExpressionParser::name() {
    const ExpressionWord& word = words_.next();
    if (find(constants, word.raw) != nullptr) return literal();
    const std::size_t from = word.from;
    if (find(functions, word.raw) != nullptr) return call(words_.take());
    if (words_.take("event")) return event_member(from);
    if (words_.is_next("data") || words_.is_next("item")) {
        const bool item = words_.take().raw == "item";
        if (item && !in_item_) return wrong(from, "item stands inside any() and all() only");
        if (!item && in_item_) {
            return wrong(from,
                         "inside any() and all() stand item, members of the event and literals");
        }
        return path(item ? Op::item : Op::data, from);
    }
    const bool member = std::ranges::find(members, word.raw) != members.end() || word.raw == "node";
    const std::string advice = member ? ": did you mean \"event." + std::string(word.raw) + "\"?"
                                      : did_you_mean(word.raw, starts);
    return wrong(from,
                 "\"" + std::string(word.raw) + "\" is not known here" +
                     (advice.empty() ? ": what the event's body says begins with data" : advice));
}

ExpressionParser::Number ExpressionParser::event_member(std::size_t from) {
    std::string path;
    std::size_t at = words_.next().from;
    while (words_.take(".")) {
        const ExpressionWord word = words_.take();
        if (path.empty()) at = word.from;
        path += (path.empty() ? "" : ".") + std::string(word.raw);
        if (word.kind != Kind::name) break;
    }
    if (std::ranges::find(members, path) != members.end()) return add(Op::member, from, path);
    std::string names;
    for (const std::string_view member : members) {
        names += (names.empty() ? "" : ", ") + std::string(member);
    }
    const std::string advice = did_you_mean(path, members);
    return wrong(at, "event has no member \"" + path + "\"" +
                         (advice.empty() ? ": it has " + names : advice));
}

ExpressionParser::Number ExpressionParser::path(Op op, std::size_t from) {
    std::vector<Number> steps;
    while (!error_ && (words_.is_next(".") || words_.is_next("["))) steps.push_back(step());
    return adopt(add(op, from), steps);
}

ExpressionParser::Number ExpressionParser::step() {
    const bool dotted = words_.take(".");
    if (!dotted) words_.take("[");
    const ExpressionWord word = words_.take();
    if (dotted) {
        if (word.kind == Kind::name) return add(Op::key, word.from, word.raw);
        return wrong(word.from, "expected a name behind the dot, not " + quoted(word) +
                                    "; other keys are written [\"like this\"]");
    }
    Number made = none;
    const bool whole =
        std::ranges::all_of(word.canonical, [](char c) { return c >= '0' && c <= '9'; });
    if (word.kind == Kind::text) {
        const std::string_view canonical = word.canonical;
        made = add(Op::key, word.from, canonical.substr(1, canonical.size() - 2));
    } else if (word.kind == Kind::number && whole && word.canonical.size() <= 9) {
        made = add(Op::index, word.from, word.canonical);
    } else {
        return wrong(word.from,
                     "expected a key in double quotes or a place from 0, not " + quoted(word));
    }
    return want("]") ? made : none;
}

ExpressionParser::Number ExpressionParser::call(const ExpressionWord& function) {
    const Op op = find(functions, function.raw)->op;
    if (!want("(")) return none;
    if (in_item_) {
        return wrong(function.from,
                     "inside any() and all() stand item, members of the event and literals");
    }
    switch (op) {
        case Op::exists: return existence(function.from);
        case Op::any:
        case Op::all: return walk(op, function.from);
        default: return names(op, function.from, op == Op::changed || op == Op::changed_only);
    }
}

/// The names of attributes and relationships; with `many` any number, and globs.
ExpressionParser::Number ExpressionParser::names(Op op, std::size_t from, bool many) {
    std::vector<Number> given;
    do {
        const ExpressionWord& word = words_.next();
        if (word.kind != Kind::text) {
            return unexpected("expected the name of an attribute or relationship in double quotes");
        }
        const std::size_t at = word.from;
        const std::string name = *JsonView(word.canonical).string();
        if (!many && is_glob(name)) return wrong(at, "must be one name here, not a glob");
        given.push_back(literal());
    } while (many && !error_ && words_.take(","));
    if (!want(")")) return none;
    return adopt(add(op, from), given);
}

ExpressionParser::Number ExpressionParser::existence(std::size_t from) {
    const std::size_t at = words_.next().from;
    if (!words_.take("data")) return wrong(at, "expected a path that begins with data");
    const Number inside[] = {path(Op::data, at)};
    if (!want(")")) return none;
    return adopt(add(Op::exists, from), inside);
}

/// any(path, condition) and all(path, condition).
ExpressionParser::Number ExpressionParser::walk(Op op, std::size_t from) {
    const std::size_t at = words_.next().from;
    if (!words_.take("data")) return wrong(at, "expected the path of a list, beginning with data");
    const Number list = path(Op::data, at);
    if (error_ || !want(",")) return none;
    const std::size_t begin = words_.next().from;
    in_item_ = true;
    if (++depth_ > limits::expression_depth) return wrong(begin, "is nested too deep");
    const Number condition = disjunction();
    --depth_;
    in_item_ = false;
    want_condition(condition, begin);
    if (!want(")")) return none;
    const Number both[] = {list, condition};
    return adopt(add(op, from), both);
}

void ExpressionParser::want_condition(Number node, std::size_t from) {
    if (error_ || may_be_condition(made_.nodes_[node].op)) return;
    wrong(from, "expected a condition: compare this value with something");
}

bool ExpressionParser::want(std::string_view symbol) {
    if (error_) return false;
    if (words_.take(symbol)) return true;
    unexpected("expected " + std::string(symbol));
    return false;
}

/// Complains about what comes next.
ExpressionParser::Number ExpressionParser::unexpected(std::string wanted) {
    const ExpressionWord& word = words_.next();
    const bool broken = word.kind == Kind::broken;
    return wrong(word.from, broken ? word.canonical : std::move(wanted) + ", not " + quoted(word));
}

ExpressionParser::Number ExpressionParser::wrong(std::size_t offset, std::string message) {
    if (!error_) error_ = {offset, expression_place(made_.text_, offset) + std::move(message)};
    return none;
}

ExpressionParser::Number ExpressionParser::add(Op op, std::size_t from, std::string_view text) {
    if (error_) return none;
    if (made_.nodes_.size() == limits::expression_parts) {
        return wrong(from, "has too many parts: at most " +
                               std::to_string(limits::expression_parts) + " are allowed");
    }
    Expression::Node node{op};
    node.at = static_cast<std::uint32_t>(made_.texts_.size());
    node.size = static_cast<std::uint32_t>(text.size());
    node.from = static_cast<std::uint32_t>(from);
    node.to = static_cast<std::uint32_t>(words_.taken_to());
    made_.texts_ += text;
    made_.nodes_.push_back(node);
    return static_cast<Number>(made_.nodes_.size() - 1);
}

ExpressionParser::Number ExpressionParser::adopt(Number parent, std::span<const Number> children) {
    if (error_) return none;
    Number* place = &made_.nodes_[parent].child;
    for (const Number child : children) {
        *place = child;
        place = &made_.nodes_[child].next;
    }
    return parent;
}

std::expected<Expression, ExpressionError> Expression::parse(std::string_view text) {
    return ExpressionParser(text).parse();
}

}  // namespace herald
