#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/json.h"
#include "base/python_printable.h"

namespace herald {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint32_t value, int digits) {
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
        out += hex_digits[value >> shift & 15];
    }
}

/// The next code point of valid UTF-8.
std::uint32_t next_point(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint32_t point = length == 1 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    at += length;
    return point;
}

void append_unprintable(std::string& out, std::uint32_t point) {
    if (point < 0x100) {
        out += "\\x";
        append_hex(out, point, 2);
    } else if (point < 0x10000) {
        out += "\\u";
        append_hex(out, point, 4);
    } else {
        out += "\\U";
        append_hex(out, point, 8);
    }
}

/// Single quotes, unless the text holds one and no double quote.
void append_text(std::string& out, std::string_view text) {
    const bool single = text.find('\'') != std::string_view::npos;
    const bool twice = text.find('"') != std::string_view::npos;
    const char quote = single && !twice ? '"' : '\'';
    out += quote;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const std::uint32_t point = next_point(text, at);
        if (point == static_cast<unsigned char>(quote) || point == '\\') {
            out += '\\';
            out += static_cast<char>(point);
        } else if (point == '\n') {
            out += "\\n";
        } else if (point == '\r') {
            out += "\\r";
        } else if (point == '\t') {
            out += "\\t";
        } else if (is_python_printable(point)) {
            out += text.substr(begin, at - begin);
        } else {
            append_unprintable(out, point);
        }
    }
    out += quote;
}

/// Python's float_repr_style "short": the shortest digits that read back alike; an exponent below
/// -4 or from 16 on is written as one.
void append_float(std::string& out, std::string_view number) {
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
        // strtod tells underflow (0) from overflow (inf), which from_chars does not.
        value = std::strtod(std::string(number).c_str(), nullptr);
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-inf" : "inf";
        return;
    }
    std::array<char, 64> buffer{};
    const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                       std::chars_format::scientific);
    const std::string_view text(buffer.data(),
                                static_cast<std::size_t>(printed.ptr - buffer.data()));
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::size_t sign = text[e + 1] == '+' ? 2 : 1;
    std::from_chars(text.data() + e + sign, text.data() + text.size(), exponent);
    std::string_view mantissa = text.substr(0, e);
    if (mantissa.starts_with('-')) {
        out += '-';
        mantissa.remove_prefix(1);
    }
    std::string digits(1, mantissa.front());
    if (mantissa.size() > 2) digits += mantissa.substr(2);
    const int count = static_cast<int>(digits.size());
    if (exponent < -4 || exponent >= 16) {
        out += digits[0];
        if (count > 1) out += "." + digits.substr(1);
        out += exponent < 0 ? "e-" : "e+";
        const int size = std::abs(exponent);
        if (size < 10) out += '0';
        out += std::to_string(size);
    } else if (exponent < 0) {
        out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    } else if (exponent + 1 >= count) {
        out += digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
    } else {
        const std::size_t point = static_cast<std::size_t>(exponent) + 1;
        out += digits.substr(0, point) + "." + digits.substr(point);
    }
}

void append_number(std::string& out, std::string_view number) {
    if (number.find_first_of(".eE") != std::string_view::npos) {
        append_float(out, number);
    } else {
        out += number == "-0" ? "0" : number;
    }
}

void append_value(std::string& out, JsonView value) {  // NOLINT(misc-no-recursion): bounded depth
    switch (value.kind()) {
        case JsonView::Kind::null: out += "None"; return;
        case JsonView::Kind::boolean: out += *value.boolean() ? "True" : "False"; return;
        case JsonView::Kind::number: append_number(out, value.raw()); return;
        case JsonView::Kind::string: append_text(out, *value.string()); return;
        case JsonView::Kind::array:
        case JsonView::Kind::object: break;
    }
    const bool object = value.is_object();
    out += object ? '{' : '[';
    bool first = true;
    for (JsonView::Items items = value.items(); items.next();) {
        if (!first) out += ", ";
        first = false;
        if (object) {
            append_text(out, items.key());
            out += ": ";
        }
        append_value(out, items.value());
    }
    out += object ? '}' : ']';
}

}  // namespace

std::string to_spaced_json(std::string_view canonical) {
    std::string out;
    out.reserve(canonical.size() + canonical.size() / 8);
    bool inside = false;
    for (std::size_t i = 0; i < canonical.size(); ++i) {
        const char c = canonical[i];
        out += c;
        if (inside && c == '\\') {
            out += canonical[++i];
        } else if (c == '"') {
            inside = !inside;
        } else if (!inside && (c == ',' || c == ':')) {
            out += ' ';
        }
    }
    return out;
}

std::string to_python_repr(std::string_view canonical) {
    std::string out;
    out.reserve(canonical.size() + canonical.size() / 8);
    append_value(out, JsonView(canonical));
    return out;
}

}  // namespace herald
