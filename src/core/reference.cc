#include "core/reference.h"

#include <algorithm>

#include "core/ascii.h"

namespace herald {

namespace {

constexpr std::string_view environment_prefix = "env:";
constexpr std::string_view file_prefix = "file:";
constexpr std::string_view plain_prefix = "plain:";

std::string as_it_is(std::string_view prefix) {
    return "; a text that begins with \"" + std::string(prefix) + "\" is written \"" +
           std::string(plain_prefix) + std::string(prefix) + "...\"";
}

}  // namespace

std::optional<Reference> parse_reference(std::string_view text) {
    if (text.starts_with(environment_prefix)) {
        return Reference{Reference::Kind::environment, text.substr(environment_prefix.size())};
    }
    if (text.starts_with(file_prefix)) {
        return Reference{Reference::Kind::file, text.substr(file_prefix.size())};
    }
    return std::nullopt;
}

std::string_view plain_text(std::string_view text) {
    return text.starts_with(plain_prefix) ? text.substr(plain_prefix.size()) : text;
}

std::string as_plain(std::string_view text) {
    const bool stands_for_itself = !parse_reference(text) && !text.starts_with(plain_prefix);
    return (stands_for_itself ? "" : std::string(plain_prefix)) + std::string(text);
}

std::string reference_complaint(std::string_view text) {
    const auto reference = parse_reference(text);
    if (!reference) return {};
    if (reference->kind == Reference::Kind::file) {
        if (reference->name.starts_with('/') && reference->name.size() > 1) return {};
        return "must be \"file:\" and an absolute path" + as_it_is(file_prefix);
    }
    if (!is_variable_name(reference->name)) {
        return "must be \"env:\" and the name of an environment variable: letters, digits and "
               "'_', not beginning with a digit" +
               as_it_is(environment_prefix);
    }
    if (is_own_variable(reference->name)) {
        return "must not name a variable of herald itself: use one that does not begin with "
               "HERALD_";
    }
    return {};
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && !ascii::is_digit(name.front()) && std::ranges::all_of(name, [](char c) {
        return ascii::is_letter(c) || ascii::is_digit(c) || c == '_';
    });
}

bool is_own_variable(std::string_view name) { return name.starts_with("HERALD_"); }

}  // namespace herald
