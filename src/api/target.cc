#include "api/target.h"

#include "base/bytes.h"
#include "core/ascii.h"

namespace herald {

namespace {

/// What may stand in a target as it is (RFC 3986, unreserved).
bool is_unreserved(char c) {
    return ascii::is_letter(c) || ascii::is_digit(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

}  // namespace

std::string_view raw_path(std::string_view target) {
    if (!target.starts_with('/')) {
        const std::size_t scheme = target.find("://");
        if (scheme == target.npos) return target;
        const std::size_t path = target.find_first_of("/?", scheme + 3);
        if (path == target.npos || target[path] == '?') return "/";
        target.remove_prefix(path);
    }
    return target.substr(0, target.find('?'));
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_value(text[i + 1]);
        const int low = hex_value(text[i + 2]);
        if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

void append_percent_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
}

}  // namespace herald
