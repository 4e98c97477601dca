#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

extern "C" {
#include <jv.h>
}

namespace herald {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

/// A value of jq that frees itself. jq's functions take what they are given: pass copy() or
/// release(), or get() to those that only look.
class JqValue {
public:
    JqValue() = default;
    explicit JqValue(jv value) : value_(value), full_(true) {}
    ~JqValue() {
        if (full_) jv_free(value_);
    }
    JqValue(JqValue&& other) noexcept : value_(other.value_), full_(other.full_) {
        other.full_ = false;
    }
    JqValue& operator=(JqValue&& other) noexcept {
        std::swap(value_, other.value_);
        std::swap(full_, other.full_);
        return *this;
    }

    [[nodiscard]] jv get() const { return value_; }
    [[nodiscard]] jv copy() const { return jv_copy(value_); }
    [[nodiscard]] jv release() {
        full_ = false;
        return std::exchange(value_, jv{});
    }
    [[nodiscard]] bool valid() const { return jv_is_valid(value_) != 0; }
    [[nodiscard]] jv_kind kind() const { return jv_get_kind(value_); }
    /// Of a string; valid as long as the value is.
    [[nodiscard]] std::string_view text() const;

private:
    jv value_{};  ///< of no kind: jq takes it for an invalid one
    bool full_ = false;
};

/// Makes values of JSON texts, faster than jq's own reader. It remembers the keys it has seen:
/// events have the same ones again and again.
class JqReader {
public:
    /// nullopt when the text is no JSON, or nested deeper than jq takes.
    [[nodiscard]] std::optional<JqValue> read(std::string_view json);

private:
    JqValue value(int depth);
    JqValue word(std::string_view text, jv made);
    JqValue number();
    JqValue array(int depth);
    JqValue object(int depth);
    JqValue key();
    /// What is in a string that begins here; it ends with the next one.
    std::string_view string();
    bool escape();
    std::optional<std::uint32_t> unit();
    void skip();
    bool take(char c);
    JqValue bad();

    const char* at_ = nullptr;
    const char* end_ = nullptr;
    bool good_ = true;
    std::string text_;  ///< of a string with escapes
    std::unordered_map<std::string, JqValue, TextHash, std::equal_to<>> keys_;
};

/// Appends the value as canonical JSON. Integers up to 2^53 are exact; beyond, and for fractions,
/// a number is the shortest text of the nearest double. As in jq, what is no number is null, and
/// infinity the largest number. False: nested too deep.
[[nodiscard]] bool append_jq_value(std::string& out, const JqValue& value);

}  // namespace herald
