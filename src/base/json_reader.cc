#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "base/json.h"

namespace herald {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Characters that a canonical string holds as they are.
bool is_plain(char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; }

/// Whether all of 8 bytes are plain; a false "no" never happens for ASCII text.
bool all_plain(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    constexpr std::uint64_t ones = 0x0101010101010101ULL;
    constexpr std::uint64_t highs = 0x8080808080808080ULL;
    const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
    const std::uint64_t below_space = (word - ones * 0x20) & ~word & highs;
    const std::uint64_t quote = has_zero(word ^ (ones * '"'));
    const std::uint64_t backslash = has_zero(word ^ (ones * '\\'));
    const std::uint64_t del = has_zero(word ^ (ones * 0x7f));
    return ((word & highs) | below_space | quote | backslash | del) == 0;
}

void append_unit(std::string& out, std::uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex_digits[unit >> shift & 15];
}

/// One code point in its canonical form.
void append_point(std::string& out, std::uint32_t point) {
    switch (point) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    if (point >= 0x20 && point < 0x7f) {
        out += static_cast<char>(point);
    } else if (point < 0x10000) {
        append_unit(out, point);
    } else {
        append_unit(out, 0xD800 + ((point - 0x10000) >> 10));
        append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
    }
}

/// Reads one UTF-8 sequence that begins at `at`; 0 length: it is wrong (RFC 3629).
struct Utf8 {
    std::uint32_t point = 0;
    std::size_t length = 0;
};
Utf8 read_utf8(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    std::size_t length = 0;
    std::uint32_t point = 0;
    if (first < 0x80) return {first, 1};
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
        point = first & 0x1FU;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        point = first & 0x0FU;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        point = first & 0x07U;
    } else {
        return {};
    }
    if (at + length > text.size()) return {};
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return {};
        point = point << 6 | (byte(at + i) & 0x3FU);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (overlong || surrogate || point > 0x10FFFF) return {};
    return {point, length};
}

/// The keys of one object that is being read, as places in the output. Few keys are compared one
/// by one; many go into a hash set.
class Keys {
public:
    /// False when the key was there before.
    bool add(const std::string& out, std::size_t begin, std::size_t end) {
        const std::string_view key(out.data() + begin, end - begin);
        if (places_.size() < few) {
            for (const auto& [from, to] : places_) {
                if (std::string_view(out.data() + from, to - from) == key) return false;
            }
            places_.emplace_back(begin, end);
            return true;
        }
        if (many_.empty()) {
            for (const auto& [from, to] : places_) many_.emplace(out, from, to - from);
        }
        return many_.emplace(key).second;
    }
    void clear() {
        places_.clear();
        many_.clear();
    }

private:
    static constexpr std::size_t few = 16;
    std::vector<std::pair<std::size_t, std::size_t>> places_;
    std::unordered_set<std::string> many_;
};

/// Reads one value. What is open is a stack of ours, so that depth costs no stack of the thread.
class ValueReader {
public:
    ValueReader(std::string_view text, std::size_t at, JsonLimits limits, std::string& out)
        : text_(text), at_(at), limits_(limits), out_(out) {}

    std::optional<JsonError> read() {
        if (!value()) return error_;
        while (!open_.empty()) {
            if (!step()) return error_;
        }
        return refused_;
    }
    [[nodiscard]] std::size_t at() const { return at_; }

private:
    /// Not JSON: the end of reading.
    bool broken(std::string message) { return broken_at(at_, std::move(message)); }
    bool broken_at(std::size_t offset, std::string message) {
        message += " at byte " + std::to_string(offset);
        error_ = JsonError{JsonError::Kind::broken, offset, std::move(message)};
        return false;
    }
    /// JSON that is not taken: the first reason is kept, and reading goes on to the value's end.
    void refuse(std::size_t offset, std::string message) {
        if (refused_) return;
        refused_ = JsonError{JsonError::Kind::refused, offset, std::move(message)};
    }

    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }

    bool value() {
        skip_space();
        if (at_ >= text_.size()) return broken("the text ends where a value should be");
        switch (text_[at_]) {
            case '{': return enter('{');
            case '[': return enter('[');
            case '"': return string();
            case 't': return word("true");
            case 'f': return word("false");
            case 'n': return word("null");
            default: return number();
        }
    }

    bool enter(char bracket) {
        if (open_.size() >= limits_.depth && !refused_) {
            refuse(at_, "more than " + std::to_string(limits_.depth) +
                            " nested arrays and objects at byte " + std::to_string(at_) +
                            ": flatten it");
        }
        open_ += bracket;
        ++at_;
        put(bracket);
        if (bracket == '{') ++objects_;
        if (bracket == '{' && !refused_) {
            if (used_ == keys_.size()) keys_.emplace_back();
            keys_[used_].clear();
            ++used_;
        }
        fresh_ = true;
        return true;
    }

    /// One member, one element or the closing bracket of the innermost open value.
    bool step() {
        skip_space();
        if (at_ >= text_.size()) return broken("the text ends inside an array or object");
        const bool object = open_.back() == '{';
        const char close = object ? '}' : ']';
        const char next = text_[at_];
        if (next == close) {
            ++at_;
            put(close);
            open_.pop_back();
            if (object) used_ = std::min(used_, --objects_);
            fresh_ = false;
            return true;
        }
        if (!fresh_) {
            if (next != ',') {
                return broken(object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
            }
            ++at_;
            put(',');
            skip_space();
            if (at_ < text_.size() && text_[at_] == close) {
                return broken("a comma stands before the closing bracket: remove it");
            }
        }
        fresh_ = false;
        return object ? member() : value();
    }

    bool member() {
        if (at_ >= text_.size() || text_[at_] != '"') {
            return broken("expected a key in double quotes");
        }
        const std::size_t offset = at_;
        const std::size_t begin = out_.size();
        if (!string()) return false;
        if (!refused_ && !keys_[used_ - 1].add(out_, begin, out_.size())) {
            refuse(offset, "duplicate key " +
                               out_.substr(begin, std::min<std::size_t>(out_.size() - begin, 100)) +
                               " at byte " + std::to_string(offset) + ": keep one of them");
        }
        skip_space();
        if (at_ >= text_.size() || text_[at_] != ':') return broken("expected \":\" after a key");
        ++at_;
        put(':');
        return value();
    }

    bool word(std::string_view name) {
        if (text_.substr(at_, name.size()) != name) return number();
        at_ += name.size();
        put(name);
        return true;
    }

    bool number() {
        const std::size_t begin = at_;
        const auto here = [&] { return at_ < text_.size() ? text_[at_] : '\0'; };
        const auto digits = [&] {
            const std::size_t from = at_;
            while (is_digit(here())) ++at_;
            return at_ > from;
        };
        if (here() == '-') ++at_;
        const bool zero = here() == '0';
        if (!digits()) {
            at_ = begin;
            return broken(
                "expected a value (a number, string, array, object, true, false or "
                "null; JSON has no NaN or Infinity)");
        }
        if (zero && at_ - begin > (text_[begin] == '-' ? 2U : 1U)) {
            return broken_at(begin, "a number must not begin with 0");
        }
        if (here() == '.') {
            ++at_;
            if (!digits()) return broken("expected a digit after the decimal point");
        }
        if (here() == 'e' || here() == 'E') {
            ++at_;
            if (here() == '+' || here() == '-') ++at_;
            if (!digits()) return broken("expected a digit in the exponent");
        }
        put(text_.substr(begin, at_ - begin));
        return true;
    }

    bool string() {
        ++at_;
        put('"');
        for (;;) {
            const std::size_t begin = at_;
            while (at_ + 8 <= text_.size() && all_plain(text_.data() + at_)) at_ += 8;
            while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
            put(text_.substr(begin, at_ - begin));
            if (at_ >= text_.size()) return broken("the text ends inside a string");
            const char c = text_[at_];
            if (c == '"') break;
            if (c == '\\') {
                if (!escape()) return false;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                return broken("a control character stands bare in a string: escape it");
            } else {
                other();
            }
        }
        ++at_;
        put('"');
        return true;
    }

    /// DEL, or a character beyond ASCII.
    void other() {
        const Utf8 read = read_utf8(text_, at_);
        if (read.length == 0) {
            refuse(at_, "wrong UTF-8 at byte " + std::to_string(at_) + ": send UTF-8 text");
            ++at_;
            return;
        }
        if (!refused_) append_point(out_, read.point);
        at_ += read.length;
    }

    bool escape() {
        const std::size_t offset = at_;
        ++at_;
        if (at_ >= text_.size()) return broken("the text ends inside a string");
        constexpr std::string_view short_names = "\"\\/bfnrt";
        constexpr std::string_view short_values = "\"\\/\b\f\n\r\t";
        const char c = text_[at_];
        if (c != 'u') {
            const std::size_t found = short_names.find(c);
            if (found == std::string_view::npos) {
                return broken_at(offset, "JSON has no such escape in a string");
            }
            ++at_;
            if (!refused_) append_point(out_, static_cast<std::uint32_t>(short_values[found]));
            return true;
        }
        std::uint32_t point = 0;
        if (!unit(point)) return false;
        if (point >= 0xD800 && point <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
            const std::size_t behind = at_;
            ++at_;
            std::uint32_t low = 0;
            if (!unit(low)) return false;
            if (low >= 0xDC00 && low <= 0xDFFF) {
                point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            } else {
                at_ = behind;
            }
        }
        if (point >= 0xD800 && point <= 0xDFFF) {
            refuse(offset, "a lone surrogate at byte " + std::to_string(offset) +
                               ": it is half of a character");
        } else if (!refused_) {
            append_point(out_, point);
        }
        return true;
    }

    /// The four digits behind "\u"; at_ stands on the u.
    bool unit(std::uint32_t& value) {
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = at_ < text_.size() ? text_[at_] : '\0';
            std::uint32_t digit = 0;
            if (is_digit(c)) {
                digit = static_cast<std::uint32_t>(c - '0');
            } else if (c >= 'a' && c <= 'f') {
                digit = static_cast<std::uint32_t>(c - 'a' + 10);
            } else if (c >= 'A' && c <= 'F') {
                digit = static_cast<std::uint32_t>(c - 'A' + 10);
            } else {
                return broken("\\u needs four hexadecimal digits");
            }
            value = value << 4 | digit;
        }
        return true;
    }

    /// What is refused is not written: a deep or huge text then costs no memory.
    void put(char c) {
        if (!refused_) out_ += c;
    }
    void put(std::string_view text) {
        if (!refused_) out_ += text;
    }

    std::string_view text_;
    std::size_t at_;
    JsonLimits limits_;
    std::string& out_;
    std::string open_;  ///< '{' and '[', the innermost last
    std::vector<Keys> keys_;  ///< of the open objects; kept for reuse
    std::size_t used_ = 0;  ///< of keys_: open objects, but those entered after a refusal
    std::size_t objects_ = 0;  ///< open objects
    bool fresh_ = false;  ///< nothing was read yet inside the innermost value
    std::optional<JsonError> refused_;
    std::optional<JsonError> error_;
};

}  // namespace

JsonReader::JsonReader(std::string_view text, JsonLimits limits) : text_(text), limits_(limits) {}

bool JsonReader::at_end() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ == text_.size();
}

bool JsonReader::take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
}

std::optional<JsonError> JsonReader::read(std::string& out) {
    if (at_ == 0 && text_.starts_with("\xEF\xBB\xBF")) {
        return JsonError{JsonError::Kind::broken, 0,
                         "the text begins with a byte order mark: remove it"};
    }
    const std::size_t size = out.size();
    ValueReader reader(text_, at_, limits_, out);
    auto error = reader.read();
    at_ = reader.at();
    if (error) out.resize(size);
    return error;
}

std::expected<std::string, JsonError> canonical_json(std::string_view text, JsonLimits limits) {
    JsonReader reader(text, limits);
    std::string out;
    out.reserve(text.size());
    if (auto error = reader.read(out)) return std::unexpected(std::move(*error));
    if (!reader.at_end()) {
        return std::unexpected(JsonError{
            JsonError::Kind::broken, reader.offset(),
            "something stands behind the value at byte " + std::to_string(reader.offset())});
    }
    return out;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t begin = at;
        while (at < text.size() && is_plain(text[at])) ++at;
        out += text.substr(begin, at - begin);
        if (at == text.size()) break;
        const Utf8 read = read_utf8(text, at);
        // A text of ours that is no UTF-8 (a captured header): shown as the replacement character.
        append_point(out, read.length == 0 ? 0xFFFD : read.point);
        at += std::max<std::size_t>(read.length, 1);
    }
    out += '"';
}

}  // namespace herald
