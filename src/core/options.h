#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace herald {

/// How OptionWriter writes a secret: as it is, for the store, or as "***", for people.
enum class SecretForm { plain, masked };

/// Reads the members of one JSON object: each by its name, with a default and bounds. What is
/// wrong is collected as FieldErrors by JSON pointer, and gives the default meanwhile. A member
/// that is null counts as left out. Call finish() last: it names the members nobody asked for.
class OptionReader {
public:
    /// `object`: what a person or the store wrote. `stored`: the same object as the store has it,
    /// where secrets that come masked are found; null: nothing is stored. `pointer`: where the
    /// object stands, such as "/pacing". All are borrowed.
    OptionReader(JsonView object, std::string pointer, JsonView stored,
                 std::vector<FieldError>& wrong);

    std::string text(std::string_view name, std::string otherwise = {});
    /// A text that is never shown; "***" means the one that is stored.
    std::string secret(std::string_view name);
    bool flag(std::string_view name, bool otherwise);
    /// A whole number within [least, most].
    std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                        std::int64_t most);
    /// A duration such as "30s" or "5m", or a number of seconds, within [least, most].
    Duration duration(std::string_view name, Duration otherwise, Duration least, Duration most);
    /// An array of at most `most` texts.
    std::vector<std::string> texts(std::string_view name, std::size_t most);
    /// One word of a few; `parse` knows them, `words` names them in the error.
    template <class T>
    T choice(std::string_view name, T otherwise, std::optional<T> (*parse)(std::string_view),
             std::string_view words) {
        const auto given = member(name);
        if (!given) return otherwise;
        const auto word = given->string();
        const auto value = word ? parse(*word) : std::nullopt;
        if (!value) wrong(name, "must be " + std::string(words));
        return value.value_or(otherwise);
    }
    /// The member itself, for what is none of the above; nullopt: left out or null.
    std::optional<JsonView> member(std::string_view name);
    /// The member as it is stored; null when it is not.
    [[nodiscard]] JsonView stored(std::string_view name) const;

    /// Notes that a member is wrong; an empty name stands for the object itself.
    void wrong(std::string_view name, std::string detail);
    [[nodiscard]] std::string pointer(std::string_view name) const;
    void finish();

private:
    JsonView object_;
    std::string pointer_;
    JsonView stored_;
    std::vector<FieldError>& wrong_;
    std::vector<std::string_view> known_;
};

/// Writes one JSON object in canonical form, member by member.
class OptionWriter {
public:
    OptionWriter(std::string& out, SecretForm form) : out_(out), form_(form) { out_ += '{'; }

    void text(std::string_view name, std::string_view value);
    /// As text(); an empty one is null.
    void text_or_null(std::string_view name, std::string_view value);
    /// A secret; an empty one is null. A reference (core/reference.h) is shown as it is.
    void secret(std::string_view name, std::string_view value);
    void flag(std::string_view name, bool value);
    void number(std::string_view name, std::int64_t value);
    void duration(std::string_view name, Duration value);
    void texts(std::string_view name, const std::vector<std::string>& values);
    /// A member whose value, canonical JSON, the caller appends to out().
    void begin(std::string_view name);
    [[nodiscard]] std::string& out() { return out_; }
    [[nodiscard]] SecretForm form() const { return form_; }
    void finish() { out_ += '}'; }

private:
    std::string& out_;
    SecretForm form_;
    bool first_ = true;
};

/// `patch` laid over `base` as RFC 7396 says: objects member by member, null removes. Canonical.
[[nodiscard]] std::string merge_patch(JsonView base, JsonView patch);

}  // namespace herald
