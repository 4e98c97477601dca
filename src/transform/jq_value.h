#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

extern "C" {
#include <jv.h>
}

namespace herald {

/// A value of jq that frees itself. jq's functions take what they are given: pass copy() or
/// release(), or get() to those that only look.
class JqValue {
public:
    JqValue() : value_(jv_null()) {}
    explicit JqValue(jv value) : value_(value) {}
    ~JqValue() { jv_free(value_); }
    JqValue(JqValue&& other) noexcept : value_(std::exchange(other.value_, jv_null())) {}
    JqValue& operator=(JqValue&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }

    [[nodiscard]] jv get() const { return value_; }
    [[nodiscard]] jv copy() const { return jv_copy(value_); }
    [[nodiscard]] jv release() { return std::exchange(value_, jv_null()); }
    [[nodiscard]] bool valid() const { return jv_is_valid(value_) != 0; }
    [[nodiscard]] jv_kind kind() const { return jv_get_kind(value_); }
    /// Of a string; valid as long as the value is.
    [[nodiscard]] std::string_view text() const;

private:
    jv value_;
};

/// The value of a JSON text; nullopt when it is none. jq's own reader takes five times as long.
[[nodiscard]] std::optional<JqValue> read_jq_value(std::string_view json);

/// Appends the value as canonical JSON. Integers up to 2^53 are exact; beyond, and for fractions,
/// a number is the shortest text of the nearest double. As in jq, what is no number is null, and
/// infinity the largest number. False: nested too deep.
[[nodiscard]] bool append_jq_value(std::string& out, const JqValue& value);

}  // namespace herald
