#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace herald {

/// A word of an expression.
struct ExpressionWord {
    enum class Kind { end, name, number, text, symbol, broken };
    Kind kind = Kind::end;
    std::size_t from = 0;   ///< in the expression
    std::size_t to = 0;
    std::string_view raw;   ///< as it stands there
    std::string canonical;  ///< of a text or number: its canonical JSON; of a broken word: why
};

/// Takes an expression apart, one word ahead.
class ExpressionWords {
public:
    explicit ExpressionWords(std::string_view text) : text_(text) { advance(); }

    [[nodiscard]] const ExpressionWord& next() const { return next_; }
    /// Whether that name or symbol comes next.
    [[nodiscard]] bool is_next(std::string_view raw) const;
    ExpressionWord take();
    /// Takes it when it comes next.
    bool take(std::string_view raw);
    /// Where the last word that was taken ended.
    [[nodiscard]] std::size_t taken_to() const { return taken_to_; }

private:
    void advance();
    void read_text();
    void read_number();
    void read_symbol();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t taken_to_ = 0;
    ExpressionWord next_;
};

/// "at column 17: " or "at line 2, column 3: ", counted in characters from 1.
[[nodiscard]] std::string expression_place(std::string_view text, std::size_t offset);

}  // namespace herald
