#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Questions about ASCII characters, without a locale.
namespace herald::ascii {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// NUL to US, and DEL.
[[nodiscard]] constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

[[nodiscard]] constexpr std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

/// Whether they are equal but for upper and lower case, as names of headers are.
[[nodiscard]] constexpr bool same_name(std::string_view a, std::string_view b) {
    constexpr auto folded = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    return std::ranges::equal(a, b, {}, folded, folded);
}

}  // namespace herald::ascii
