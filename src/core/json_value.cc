#include "core/json_value.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace herald {

namespace {

/// A number as 0.DIGITS times ten to the power of `scale`; zero has no digits.
struct Decimal {
    bool negative = false;
    std::string_view whole;  ///< its digits, in two parts around the point
    std::string_view fraction;
    std::int64_t scale = 0;

    [[nodiscard]] std::size_t size() const { return whole.size() + fraction.size(); }
    [[nodiscard]] char digit(std::size_t i) const {
        if (i < whole.size()) return whole[i];
        return i < size() ? fraction[i - whole.size()] : '0';
    }
};

/// Exponents beyond this are taken as this: nobody can write that many digits.
constexpr std::int64_t most_exponent = 1'000'000'000'000'000'000;

std::int64_t read_exponent(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (read.ec != std::errc{} || exponent > most_exponent) exponent = most_exponent;
    return negative ? -exponent : exponent;
}

std::string_view without_leading_zeros(std::string_view digits) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
}

Decimal read_number(std::string_view text) {
    Decimal number;
    number.negative = text.starts_with('-');
    if (number.negative) text.remove_prefix(1);
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    if (e < text.size()) number.scale = read_exponent(text.substr(e + 1));
    text = text.substr(0, e);
    const std::size_t point = std::min(text.find('.'), text.size());
    number.whole = without_leading_zeros(text.substr(0, point));
    number.fraction = text.substr(std::min(point + 1, text.size()));
    if (number.whole.empty()) {
        const std::string_view rest = without_leading_zeros(number.fraction);
        number.scale -= static_cast<std::int64_t>(number.fraction.size() - rest.size());
        number.fraction = rest;
    } else {
        number.scale += static_cast<std::int64_t>(number.whole.size());
    }
    if (number.size() == 0) return {};  // a zero, whatever its sign and exponent
    return number;
}

/// Without the signs.
std::strong_ordering compare_sizes(const Decimal& a, const Decimal& b) {
    if (a.size() == 0 || b.size() == 0) return a.size() <=> b.size();
    if (a.scale != b.scale) return a.scale <=> b.scale;
    const std::size_t digits = std::max(a.size(), b.size());
    for (std::size_t i = 0; i < digits; ++i) {
        if (a.digit(i) != b.digit(i)) return a.digit(i) <=> b.digit(i);
    }
    return std::strong_ordering::equal;
}

bool equal_lists(JsonView a, JsonView b) {
    auto left = a.items();
    auto right = b.items();
    for (;;) {
        const bool more = left.next();
        if (more != right.next()) return false;
        if (!more) return true;
        if (!equal(JsonValue::of(left.value()), JsonValue::of(right.value()))) return false;
    }
}

}  // namespace

JsonValue JsonValue::of(JsonView json) {
    JsonValue value;
    value.view_ = json.raw();
    switch (json.kind()) {
        case JsonView::Kind::null: break;
        case JsonView::Kind::boolean: value.kind_ = Kind::boolean; break;
        case JsonView::Kind::number: value.kind_ = Kind::number; break;
        case JsonView::Kind::array: value.kind_ = Kind::list; break;
        case JsonView::Kind::object: value.kind_ = Kind::object; break;
        case JsonView::Kind::string:
            value.kind_ = Kind::text;
            value.view_ = value.view_.substr(1, value.view_.size() - 2);
            if (value.view_.contains('\\')) value.owned_ = *json.string();
            break;
    }
    return value;
}

JsonValue JsonValue::of_text(std::string_view plain) {
    JsonValue value;
    value.kind_ = Kind::text;
    value.view_ = plain;
    return value;
}

JsonValue JsonValue::of_number(std::string_view digits) {
    JsonValue value;
    value.kind_ = Kind::number;
    value.view_ = digits;
    return value;
}

JsonValue JsonValue::of_boolean(bool flag) {
    JsonValue value;
    value.kind_ = Kind::boolean;
    value.view_ = flag ? "true" : "false";
    return value;
}

JsonValue JsonValue::owning(Kind kind, std::string text) {
    JsonValue value;
    value.kind_ = kind;
    value.owned_ = std::move(text);
    return value;
}

JsonValue JsonValue::unknown() {
    JsonValue value;
    value.kind_ = Kind::unknown;
    return value;
}

bool equal(const JsonValue& a, const JsonValue& b) {
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case JsonValue::Kind::number: return compare_numbers(a.text(), b.text()) == 0;
        case JsonValue::Kind::list: return equal_lists(a.json(), b.json());
        default: return a.text() == b.text();
    }
}

std::partial_ordering order(const JsonValue& a, const JsonValue& b) {
    if (a.kind() != b.kind()) return std::partial_ordering::unordered;
    if (a.kind() == JsonValue::Kind::number) return compare_numbers(a.text(), b.text());
    // The order of UTF-8 bytes is that of code points.
    if (a.kind() == JsonValue::Kind::text) return a.text() <=> b.text();
    return std::partial_ordering::unordered;
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
    const Decimal left = read_number(a);
    const Decimal right = read_number(b);
    if (left.negative != right.negative) return right.negative <=> left.negative;
    return left.negative ? compare_sizes(right, left) : compare_sizes(left, right);
}

std::string describe(const JsonValue& value, std::size_t most) {
    if (!value.is_known()) return "not known here";
    std::string_view text = value.text();
    const bool cut = text.size() > most;
    if (cut) {
        // Not in the middle of a character.
        while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
        text = text.substr(0, most);
    }
    std::string shown;
    if (value.kind() == JsonValue::Kind::text) {
        append_json_string(shown, text);
    } else {
        shown = text;
    }
    return cut ? shown + " ..." : shown;
}

}  // namespace herald
