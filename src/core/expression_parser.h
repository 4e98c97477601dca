#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/expression.h"
#include "core/expression_words.h"

namespace herald {

/// Reads an expression by recursive descent. Every function reads what its name says and gives the
/// number of its node. After the first error nothing more is read.
class ExpressionParser {
public:
    explicit ExpressionParser(std::string_view text) : words_(text) { made_.text_ = text; }

    std::expected<Expression, ExpressionError> parse();

private:
    using Op = Expression::Op;
    using Number = std::uint16_t;
    static constexpr Number none = Expression::none;

    Number disjunction();
    Number conjunction();
    Number negation();
    Number comparison();
    Number operand();
    Number parenthesis();
    Number literal();
    Number list();
    Number name();
    Number event_member(std::size_t from);
    Number path(Op op, std::size_t from);
    Number step();
    Number call(const ExpressionWord& function);
    Number names(Op op, std::size_t from, bool many);
    Number existence(std::size_t from);
    Number walk(Op op, std::size_t from);

    /// A chain of conditions between one word such as `and`.
    template <class Read>
    Number chain(std::string_view word, Op op, Read read);
    std::optional<Op> comparing();
    /// Complains when the node is no condition.
    void want_condition(Number node, std::size_t from);
    bool want(std::string_view symbol);
    Number unexpected(std::string wanted);
    Number wrong(std::size_t offset, std::string message);
    Number add(Op op, std::size_t from, std::string_view text = {});
    /// Makes `children` the children of the node.
    Number adopt(Number parent, std::span<const Number> children);

    ExpressionWords words_;
    Expression made_;
    std::optional<ExpressionError> error_;
    std::size_t depth_ = 0;
    bool in_item_ = false;  ///< inside any() or all()
};

}  // namespace herald
