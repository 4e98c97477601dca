#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace herald {

/// Bounds for JSON that strangers send.
struct JsonLimits {
    std::size_t depth = 100;  ///< nested arrays and objects
};

/// Why a JSON text was refused.
struct JsonError {
    /// `broken`: not JSON; nothing after it can be trusted. `refused`: well-formed, but not
    /// taken (duplicate key, lone surrogate, too deep, wrong UTF-8): the next value of a batch
    /// is unharmed.
    enum class Kind { broken, refused };
    Kind kind = Kind::broken;
    std::size_t offset = 0;  ///< byte offset in the text
    std::string message;     ///< names the key or the place, and the fix
};

/// Reads JSON values one after the other out of `text` and writes each in the form that Python's
/// json.dumps(x, separators=(",", ":")) prints: no white space, key order kept, every character
/// outside printable ASCII as lower-case \uXXXX with surrogate pairs (DEL too), "/" bare, the
/// short escapes \b \t \n \f \r \" \\. Numbers keep their text, of any size and precision.
/// Refuses what two readers could take differently: duplicate keys, lone surrogates, wrong UTF-8.
/// Rule: contract 2.4 and 4; RFC 8259. Borrows `text`.
class JsonReader {
public:
    explicit JsonReader(std::string_view text, JsonLimits limits = {});

    /// Skips white space; true when nothing is left.
    [[nodiscard]] bool at_end();
    /// Skips white space; consumes `c` when it comes next.
    [[nodiscard]] bool take(char c);
    [[nodiscard]] std::size_t offset() const { return at_; }

    /// Reads one value and appends its canonical form to `out`. After a refused value the reader
    /// stands behind it and can go on; `out` is then as it was before.
    [[nodiscard]] std::optional<JsonError> read(std::string& out);

private:
    std::string_view text_;
    JsonLimits limits_;
    std::size_t at_ = 0;
};

/// One whole document in canonical form (see JsonReader).
[[nodiscard]] std::expected<std::string, JsonError> canonical_json(std::string_view text,
                                                                   JsonLimits limits = {});

/// A value inside canonical JSON text. Walking is by scan, without allocation. Valid as long as
/// the text is. Only ever made from what JsonReader wrote.
class JsonView {
public:
    enum class Kind { null, boolean, number, string, array, object };

    JsonView() = default;  ///< null
    /// `canonical` holds exactly one canonical value.
    explicit JsonView(std::string_view canonical) : text_(canonical) {}

    [[nodiscard]] Kind kind() const;
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_object() const { return kind() == Kind::object; }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }
    [[nodiscard]] std::string_view raw() const { return text_; }

    /// Walks an object's members or an array's elements in order:
    /// `for (auto it = view.items(); it.next();)`. Elements have an empty key.
    class Items {
    public:
        [[nodiscard]] bool next();
        [[nodiscard]] std::string_view raw_key() const { return key_; }  ///< escaped, no quotes
        [[nodiscard]] std::string key() const;  ///< as UTF-8
        [[nodiscard]] JsonView value() const { return JsonView(value_); }

    private:
        friend class JsonView;
        explicit Items(std::string_view text) : rest_(text) {}
        std::string_view rest_;
        std::string_view key_;
        std::string_view value_;
        bool object_ = false;
        bool started_ = false;
    };
    [[nodiscard]] Items items() const { return Items(text_); }

    /// The member of an object, or nullopt (also when this is no object).
    [[nodiscard]] std::optional<JsonView> find(std::string_view key) const;
    /// The members with these keys, in one walk. Keys are plain: they need no escape in JSON.
    template <std::size_t N>
    [[nodiscard]] std::array<std::optional<JsonView>, N> find_all(
        const std::string_view (&keys)[N]) const {
        std::array<std::optional<JsonView>, N> found;
        if (!is_object()) return found;
        for (Items all = items(); all.next();) {
            for (std::size_t i = 0; i < N; ++i) {
                if (all.raw_key() == keys[i]) found[i] = all.value();
            }
        }
        return found;
    }
    /// The text of a string as UTF-8; nullopt when it is no string.
    [[nodiscard]] std::optional<std::string> string() const;
    /// As string(), of the member `key`; nullopt when absent, null or no string.
    [[nodiscard]] std::optional<std::string> string(std::string_view key) const;
    [[nodiscard]] std::optional<bool> boolean() const;
    /// nullopt when it is no integer, or beyond 64 bits.
    [[nodiscard]] std::optional<std::int64_t> integer() const;

private:
    std::string_view text_ = "null";
};

/// Appends `text` (UTF-8) as a canonical JSON string with quotes.
void append_json_string(std::string& out, std::string_view text);

/// Canonical JSON as Python's json.dumps(x) prints it by default: ", " and ": " (contract 4,
/// versions 1.2.6 to 1.6).
[[nodiscard]] std::string to_spaced_json(std::string_view canonical);

/// Canonical JSON as Python's str() prints the parsed value: {'a': None} (contract 4, versions
/// up to 1.2.5; rules in docs/webhooks.md). UTF-8. Numbers pass through Python's own forms.
[[nodiscard]] std::string to_python_repr(std::string_view canonical);

/// Canonical JSON with text beyond ASCII as UTF-8 instead of escaped. Halves of surrogate pairs
/// that stand alone have no UTF-8, and stay escaped.
[[nodiscard]] std::string to_utf8_json(std::string_view canonical);

}  // namespace herald
