#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// A secret that lies outside of herald: a text of a webhook names its place, and it is read anew
/// for every attempt. Never stored or shown as what it stands for; the reference itself is no
/// secret.
struct Reference {
    enum class Kind : std::uint8_t {
        environment,  ///< "env:NAME": a variable of herald's environment
        file,         ///< "file:/path": the content of a file, without line ends behind it
    };
    Kind kind = Kind::environment;
    std::string_view name;  ///< of the variable, or the absolute path

    bool operator==(const Reference&) const = default;
};

/// The reference that a text is; nullopt: the text stands for itself. Borrows from the text.
[[nodiscard]] std::optional<Reference> parse_reference(std::string_view text);

/// A text that stands for itself, without the "plain:" by which one may begin with "env:",
/// "file:" or "plain:".
[[nodiscard]] std::string_view plain_text(std::string_view text);

/// How plain_text() has to be written so that it is no reference: "plain:" in front where needed.
[[nodiscard]] std::string as_plain(std::string_view text);

/// What is wrong with a text that begins as a reference, in one sentence with the fix; empty:
/// nothing. Variables of herald itself (HERALD_...) are refused: they hold its own secrets.
[[nodiscard]] std::string reference_complaint(std::string_view text);

/// Whether it can be the name of a variable: letters, digits and '_', not beginning with a digit.
[[nodiscard]] bool is_variable_name(std::string_view name);
/// Whether a variable belongs to herald itself: its name begins with HERALD_.
[[nodiscard]] bool is_own_variable(std::string_view name);

}  // namespace herald
