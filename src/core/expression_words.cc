#include "core/expression_words.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "core/ascii.h"

namespace herald {

namespace {

using Kind = ExpressionWord::Kind;

constexpr std::array<std::string_view, 12> symbols{"==", "!=", "<=", ">=", "<", ">",
                                                   "(",  ")",  "[",  "]",  ",", "."};

/// What other languages write, and what it is called here.
struct Foreign {
    std::string_view symbol;
    std::string_view advice;
};
constexpr std::array foreign{
    Foreign{"&&", "write and"},
    Foreign{"||", "write or"},
    Foreign{"=~", "write matches, which takes a glob"},
    Foreign{"=", "write == to compare"},
    Foreign{"!", "write not"},
    Foreign{"'", "texts stand in double quotes"},
    Foreign{"`", "texts stand in double quotes"},
    Foreign{"*", "globs stand in double quotes behind matches"},
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool begins_name(char c) { return ascii::is_letter(c) || c == '_'; }
bool continues_name(char c) { return begins_name(c) || ascii::is_digit(c); }

}  // namespace

bool ExpressionWords::is_next(std::string_view raw) const {
    return (next_.kind == Kind::name || next_.kind == Kind::symbol) && next_.raw == raw;
}

ExpressionWord ExpressionWords::take() {
    ExpressionWord taken = std::move(next_);
    taken_to_ = taken.to;
    advance();
    return taken;
}

bool ExpressionWords::take(std::string_view raw) {
    if (!is_next(raw)) return false;
    take();
    return true;
}

void ExpressionWords::advance() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    next_ = {};
    next_.from = at_;
    if (at_ == text_.size()) {
        next_.to = at_;
        return;
    }
    const char c = text_[at_];
    if (begins_name(c)) {
        next_.kind = Kind::name;
        while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    } else if (c == '"') {
        read_text();
    } else if (ascii::is_digit(c) ||
               (c == '-' && at_ + 1 < text_.size() && ascii::is_digit(text_[at_ + 1]))) {
        read_number();
    } else {
        read_symbol();
    }
    next_.to = at_;
    next_.raw = text_.substr(next_.from, at_ - next_.from);
}

void ExpressionWords::read_text() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    next_.kind = Kind::broken;
    if (end >= text_.size()) {
        next_.canonical = "this text does not end: close it with a double quote";
        at_ = text_.size();
        return;
    }
    auto canonical = canonical_json(text_.substr(at_, end + 1 - at_));
    if (canonical) {
        next_.kind = Kind::text;
        next_.canonical = std::move(*canonical);
    } else {
        next_.canonical = "this text is not as in JSON: " + canonical.error().message;
    }
    at_ = end + 1;
}

void ExpressionWords::read_number() {
    const std::size_t from = at_;
    ++at_;
    const auto in_number = [&](std::size_t i) {
        const char c = text_[i];
        if (ascii::is_digit(c) || c == '.' || ascii::is_letter(c)) return true;
        return (c == '+' || c == '-') && (text_[i - 1] == 'e' || text_[i - 1] == 'E');
    };
    while (at_ < text_.size() && in_number(at_)) ++at_;
    auto canonical = canonical_json(text_.substr(from, at_ - from));
    next_.kind = canonical ? Kind::number : Kind::broken;
    next_.canonical = canonical ? std::move(*canonical) : "this is no number as in JSON";
}

void ExpressionWords::read_symbol() {
    const std::string_view rest = text_.substr(at_);
    const auto begins = [&](std::string_view symbol) { return rest.starts_with(symbol); };
    const auto* known = std::ranges::find_if(symbols, begins);
    if (known != symbols.end()) {
        next_.kind = Kind::symbol;
        at_ += known->size();
        return;
    }
    next_.kind = Kind::broken;
    const auto* other = std::ranges::find_if(foreign, begins, &Foreign::symbol);
    if (other != foreign.end()) {
        next_.canonical =
            std::string(other->symbol) + " is not known here: " + std::string(other->advice);
        at_ += other->symbol.size();
        return;
    }
    next_.canonical = "this character has no meaning here";
    ++at_;
}

std::string expression_place(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto column = 1 + std::ranges::count_if(before.substr(begin), [](char c) {
                            return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                        });
    const std::string place = "column " + std::to_string(column) + ": ";
    const bool lines = text.contains('\n');
    return "at " + (lines ? "line " + std::to_string(line) + ", " : "") + place;
}

}  // namespace herald
