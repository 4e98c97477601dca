#include <charconv>

#include "base/json.h"

namespace herald {

namespace {

constexpr std::size_t escape_size = 6;  // \\uXXXX

/// The unit that the escape at `at` stands for; nothing when there is none.
std::optional<std::uint32_t> unit_at(std::string_view text, std::size_t at) {
    if (text.size() < at + escape_size || text[at] != '\\' || text[at + 1] != 'u') return {};
    std::uint32_t unit = 0;
    const char* first = text.data() + at + 2;
    const auto [end, error] = std::from_chars(first, first + 4, unit, 16);
    if (error != std::errc{} || end != first + 4) return {};
    return unit;
}

bool is_high(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void append_utf8(std::string& out, std::uint32_t point) {
    const auto tail = [&](int shift) {
        out += static_cast<char>(0x80U | (point >> shift & 0x3FU));
    };
    if (point < 0x800) {
        out += static_cast<char>(0xC0U | point >> 6);
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0U | point >> 12);
        tail(6);
    } else {
        out += static_cast<char>(0xF0U | point >> 18);
        tail(12);
        tail(6);
    }
    tail(0);
}

}  // namespace

std::string to_utf8_json(std::string_view canonical) {
    std::string out;
    out.reserve(canonical.size());
    for (std::size_t at = 0; at < canonical.size();) {
        if (canonical[at] != '\\') {
            out += canonical[at++];
            continue;
        }
        const auto unit = unit_at(canonical, at);
        if (unit && is_high(*unit)) {
            const auto low = unit_at(canonical, at + escape_size);
            if (low && is_low(*low)) {
                append_utf8(out, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
                at += 2 * escape_size;
                continue;
            }
        }
        if (unit && *unit >= 0x80 && !is_high(*unit) && !is_low(*unit)) {
            append_utf8(out, *unit);
            at += escape_size;
            continue;
        }
        // Any other escape, with the character behind it, which may be a backslash.
        out += canonical.substr(at, 2);
        at += 2;
    }
    return out;
}

}  // namespace herald
