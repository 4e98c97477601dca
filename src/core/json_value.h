#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/json.h"

namespace herald {

/// A JSON value to compare with others. Borrows what it was made of.
///
/// Numbers are compared as the decimal numbers that they are written as, of any size and precision:
/// 1 is 1.0 and 1e0, 0.1 is not 0.1000000000000000001, and no digit of a large id is lost.
class JsonValue {
public:
    enum class Kind {
        unknown,  ///< not known here: what an event would have to say (core/lint)
        null,
        boolean,
        number,
        text,
        list,
        object,
    };

    JsonValue() = default;  ///< null
    static JsonValue of(JsonView json);
    static JsonValue of_text(std::string_view plain);
    static JsonValue of_number(std::string_view digits);
    static JsonValue of_boolean(bool flag);
    /// A text or number that was made for this, not empty.
    static JsonValue owning(Kind kind, std::string text);
    static JsonValue unknown();

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] bool is_known() const { return kind_ != Kind::unknown; }
    /// Whether it is the value `true`; no other value counts as true.
    [[nodiscard]] bool is_true() const { return kind_ == Kind::boolean && view_ == "true"; }
    /// A text as UTF-8; of any other kind its canonical JSON.
    [[nodiscard]] std::string_view text() const { return owned_.empty() ? view_ : owned_; }
    /// A list or object, to walk over.
    [[nodiscard]] JsonView json() const { return JsonView(view_); }

private:
    Kind kind_ = Kind::null;
    std::string_view view_ = "null";
    std::string owned_;  ///< a text that had escapes, or was made
};

/// Same kind and same value. Lists element by element, objects by their text.
[[nodiscard]] bool equal(const JsonValue& a, const JsonValue& b);
/// Numbers by size, texts by code points; everything else, and different kinds, has no order.
[[nodiscard]] std::partial_ordering order(const JsonValue& a, const JsonValue& b);
/// JSON numbers as written.
[[nodiscard]] std::strong_ordering compare_numbers(std::string_view a, std::string_view b);
/// As canonical JSON, shortened to about `most` bytes: to show it to people.
[[nodiscard]] std::string describe(const JsonValue& value, std::size_t most = 80);

}  // namespace herald
