#include "core/url_host.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "core/address.h"
#include "core/ascii.h"

namespace herald {

namespace {

using Complaint = std::optional<std::string>;

constexpr std::string_view wrong_number =
    "has a host that ends in a number but is no IPv4 address: write it as four decimal numbers "
    "from 0 to 255, such as 10.0.0.1";

std::optional<unsigned> read_number(std::string_view text, int base) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

/// "%41" as "A"; a '%' without two hex digits stays, and is no character of a name.
std::string percent_decode(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto byte = text.front() == '%' && text.size() > 2
                              ? read_number(text.substr(1, 2), 16)
                              : std::nullopt;
        out += byte ? static_cast<char>(*byte) : text.front();
        text.remove_prefix(byte ? 3 : 1);
    }
    return out;
}

std::vector<std::string_view> split_labels(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    std::vector<std::string_view> labels;
    for (;;) {
        const std::size_t dot = host.find('.');
        labels.push_back(host.substr(0, dot));
        if (dot == host.npos) return labels;
        host.remove_prefix(dot + 1);
    }
}

/// Decimal, with 0 in front octal, with 0x hexadecimal; nullopt: no number below 2^32.
std::optional<std::uint64_t> read_ipv4_part(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (text == "0x") return 0;
    if (text.starts_with("0x")) return read_number(text.substr(2), 16);
    if (text.size() > 1 && text.front() == '0') return read_number(text.substr(1), 8);
    return read_number(text, 10);
}

bool ends_in_number(const std::vector<std::string_view>& labels) {
    const std::string_view last = labels.back();
    if (!last.empty() && std::ranges::all_of(last, ascii::is_digit)) return true;
    return last.starts_with("0x") && std::ranges::all_of(last.substr(2), [](char c) {
               return ascii::is_digit(c) || (c >= 'a' && c <= 'f');
           });
}

/// One to four numbers. All but the last are one byte each, the last fills the rest.
Complaint read_ipv4(const std::vector<std::string_view>& labels, std::string& host) {
    if (labels.size() > 4) return std::string(wrong_number);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto part = read_ipv4_part(labels[i]);
        const bool last = i + 1 == labels.size();
        const std::size_t bits = last ? 8 * (4 - i) : 8;
        if (!part || *part >> bits != 0) return std::string(wrong_number);
        value = value << bits | *part;
    }
    Address address;
    for (std::size_t i = 0; i < 4; ++i) {
        address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
    host = address.text();
    return std::nullopt;
}

Complaint read_ipv6(std::string_view written, std::string& host) {
    if (written.contains('%')) {
        return "must not have a zone id in its IPv6 address: remove '%' and what follows it";
    }
    const std::string_view inside = written.substr(1, written.size() - 2);
    const auto address = parse_address(inside);
    if (!written.ends_with(']') || !inside.contains(':') || !address) {
        return "has an IPv6 address that is not valid: write it as in [2001:db8::1]";
    }
    host = address->text();
    return std::nullopt;
}

Complaint check_labels(const std::vector<std::string_view>& labels) {
    for (const std::string_view label : labels) {
        if (label.empty() || label.size() > 63) {
            return "has a host name with a part that is empty or longer than 63 characters";
        }
        const auto good = [](char c) {
            return ascii::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        };
        if (!std::ranges::all_of(label, good)) {
            return "has a host name with characters other than letters, digits, '-', '_' and '.'";
        }
    }
    return std::nullopt;
}

}  // namespace

Complaint read_url_host(std::string_view written, std::string& host) {
    if (written.starts_with('[')) return read_ipv6(written, host);
    host = ascii::lower(percent_decode(written));
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (!std::ranges::all_of(host, is_ascii)) {
        return "has a host name that is not ASCII: write it in punycode (xn--...)";
    }
    if (host.size() > 253) return "has a host name longer than 253 characters";
    const auto labels = split_labels(host);
    if (auto wrong = check_labels(labels)) return wrong;
    // A view into `host`, which read_ipv4 sets last.
    if (ends_in_number(labels)) return read_ipv4(labels, host);
    return std::nullopt;
}

}  // namespace herald
