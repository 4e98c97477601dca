#include <charconv>

#include "base/json.h"

namespace herald {

namespace {

/// The end of the string that begins at `at` (on its quote).
std::size_t string_end(std::string_view text, std::size_t at) {
    for (std::size_t from = at + 1;;) {
        const std::size_t quote = text.find('"', from);
        std::size_t escapes = quote;
        while (text[escapes - 1] == '\\') --escapes;
        // An even number of backslashes escape each other, an odd one the quote.
        if ((quote - escapes) % 2 == 0) return quote + 1;
        from = quote + 1;
    }
}

/// The end of the canonical value that begins at `at`.
std::size_t value_end(std::string_view text, std::size_t at) {
    const char first = text[at];
    if (first == '"') return string_end(text, at);
    if (first != '{' && first != '[') {
        return std::min(text.find_first_of(",]}", at), text.size());
    }
    std::size_t depth = 0;
    do {
        const char c = text[at];
        if (c == '"') {
            at = string_end(text, at);
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at;
    } while (depth > 0);
    return at;
}

std::uint32_t read_unit(std::string_view text, std::size_t at) {
    std::uint32_t unit = 0;
    std::from_chars(text.data() + at, text.data() + at + 4, unit, 16);
    return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | point >> 6);
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3F));
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

/// A canonical string's inside as UTF-8.
std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t stop = std::min(text.find('\\', at), text.size());
        out += text.substr(at, stop - at);
        at = stop;
        if (at == text.size()) break;
        const char c = text[at + 1];
        at += 2;
        switch (c) {
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': {
                std::uint32_t point = read_unit(text, at);
                at += 4;
                if (point >= 0xD800 && point <= 0xDBFF) {
                    point = 0x10000 + ((point - 0xD800) << 10) + (read_unit(text, at + 2) - 0xDC00);
                    at += 6;
                }
                append_utf8(out, point);
                break;
            }
            default: out += c; break;
        }
    }
    return out;
}

}  // namespace

JsonView::Kind JsonView::kind() const {
    switch (text_.front()) {
        case '{': return Kind::object;
        case '[': return Kind::array;
        case '"': return Kind::string;
        case 't':
        case 'f': return Kind::boolean;
        case 'n': return Kind::null;
        default: return Kind::number;
    }
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
    if (!is_object()) return std::nullopt;
    std::string escaped;
    append_json_string(escaped, key);
    const std::string_view wanted = std::string_view(escaped).substr(1, escaped.size() - 2);
    for (Items all = items(); all.next();) {
        if (all.raw_key() == wanted) return all.value();
    }
    return std::nullopt;
}

std::optional<std::string> JsonView::string() const {
    if (!is_string()) return std::nullopt;
    return unescape(text_.substr(1, text_.size() - 2));
}

std::optional<std::string> JsonView::string(std::string_view key) const {
    const auto found = find(key);
    return found ? found->string() : std::nullopt;
}

std::optional<bool> JsonView::boolean() const {
    if (kind() != Kind::boolean) return std::nullopt;
    return text_ == "true";
}

std::optional<std::int64_t> JsonView::integer() const {
    if (kind() != Kind::number) return std::nullopt;
    std::int64_t value = 0;
    const char* begin = text_.data();
    const char* end = begin + text_.size();
    const auto read = std::from_chars(begin, end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

bool JsonView::Items::next() {
    if (!started_) {
        started_ = true;
        object_ = rest_.front() == '{';
        if (!object_ && rest_.front() != '[')
            rest_ = "]";
        else
            rest_.remove_prefix(1);
    } else if (rest_.front() == ',') {
        rest_.remove_prefix(1);
    }
    if (rest_.front() == '}' || rest_.front() == ']') return false;
    if (object_) {
        const std::size_t end = string_end(rest_, 0);
        key_ = rest_.substr(1, end - 2);
        rest_.remove_prefix(end + 1);
    }
    const std::size_t end = value_end(rest_, 0);
    value_ = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
}

std::string JsonView::Items::key() const { return unescape(key_); }

}  // namespace herald
