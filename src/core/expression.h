#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event_facts.h"
#include "core/json_value.h"

namespace herald {

enum class Truth : std::uint8_t { no, yes, unknown };

/// Where an expression is wrong, and what is wanted there.
struct ExpressionError {
    std::size_t offset = 0;  ///< in bytes
    std::string message;     ///< "at column 17: ..."; columns count characters from 1
};

/// What is known of events before there is one. For lint.
struct ForeseenEvent {
    std::string_view type;
    std::optional<std::string_view> node_kind;
    std::optional<std::string_view> branch;
    bool says_changes = true;
};

/// A condition on an event, in the small language of docs/filters.md: parsed once, then evaluated
/// on any number of events without allocating, in time that grows with the length of the
/// expression times the size of the event, and no faster.
class Expression {
public:
    Expression() = default;  ///< holds for every event
    /// At most limits::expression_bytes. Text without anything in it gives the empty expression.
    static std::expected<Expression, ExpressionError> parse(std::string_view text);

    [[nodiscard]] bool empty() const { return nodes_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool holds(EventFacts& facts) const;

    /// One of the conditions that stand between the outermost `and`s.
    struct Term {
        std::string_view text;
        bool holds = false;
        std::string seen;  ///< what the event has for it: "data.kind is null"
    };
    /// All of them hold exactly when the expression does.
    [[nodiscard]] std::vector<Term> terms(EventFacts& facts) const;
    /// `no`: it holds for no event of which this is true. `unknown`: that is up to the event.
    [[nodiscard]] Truth foresee(const ForeseenEvent& known) const;

    bool operator==(const Expression& other) const { return text_ == other.text_; }

    enum class Op : std::uint8_t;
    /// A part of the tree. Children are a list: `child` and then each one's `next`.
    struct Node {
        Op op{};
        std::uint16_t child = none;
        std::uint16_t next = none;
        std::uint32_t at = 0;  ///< its text in `texts_`
        std::uint32_t size = 0;
        std::uint32_t from = 0;  ///< where it stands in `text_`
        std::uint32_t to = 0;
    };
    static constexpr std::uint16_t none = 0xFFFF;

private:
    friend class ExpressionParser;
    friend class ExpressionRun;

    std::string text_;
    std::vector<Node> nodes_;  ///< the root is the last one
    std::string texts_;  ///< literals, names and keys
};

/// `text` of a node says what is meant: a name, a glob, a key, a literal.
enum class Expression::Op : std::uint8_t {
    // values
    null,
    no,
    yes,
    number,
    text,
    list,  ///< children: literals
    member,  ///< of the event; the text is its path
    data,  ///< a path into the body; children: key, index
    item,  ///< the element that any() or all() looks at; children as of data
    key,  ///< the text is as in canonical JSON, without quotes
    index,  ///< the text is a number
    value,
    previous,
    // conditions of two values
    equal,
    unequal,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    in,
    not_in,
    contains,
    matches,
    starts_with,
    ends_with,
    // conditions of conditions
    conjunction,
    disjunction,
    negation,
    // functions
    changed,
    changed_only,
    exists,
    any,
    all,
};

}  // namespace herald
