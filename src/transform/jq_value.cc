#include "transform/jq_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/json.h"

namespace herald {

namespace {

constexpr int read_depth = 256;    // as jq has it
constexpr int write_depth = 1'000;  // what a program may make of it; the stack holds far more

constexpr std::size_t most_keys = 512;  // of one reader; the first ones it sees
constexpr std::size_t key_bytes = 64;

jv make_string(std::string_view text) {
    return jv_string_sized(text.data(), static_cast<int>(text.size()));
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
        byte(0xc0 | (code >> 6));
    } else {
        if (code < 0x10000) {
            byte(0xe0 | (code >> 12));
        } else {
            byte(0xf0 | (code >> 18));
            byte(0x80 | ((code >> 12) & 0x3f));
        }
        byte(0x80 | ((code >> 6) & 0x3f));
    }
    byte(0x80 | (code & 0x3f));
}

void append_number(std::string& out, double value) {
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (std::isnan(value)) {
        out += "null";
        return;
    }
    value = std::clamp(value, std::numeric_limits<double>::lowest(),
                       std::numeric_limits<double>::max());
    char text[32];
    const bool whole = std::abs(value) <= exact && value == std::trunc(value);
    const auto end = whole
                         ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value))
                         : std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as write_depth
bool append(std::string& out, const JqValue& value, int depth) {
    if (depth > write_depth) return false;
    switch (value.kind()) {
        case JV_KIND_TRUE: out += "true"; return true;
        case JV_KIND_FALSE: out += "false"; return true;
        case JV_KIND_NUMBER: append_number(out, jv_number_value(value.get())); return true;
        case JV_KIND_STRING: append_json_string(out, value.text()); return true;
        case JV_KIND_ARRAY: {
            const int size = jv_array_length(value.copy());
            for (int i = 0; i < size; ++i) {
                out += i == 0 ? '[' : ',';
                if (!append(out, JqValue(jv_array_get(value.copy(), i)), depth + 1)) return false;
            }
            out += size == 0 ? "[]" : "]";
            return true;
        }
        case JV_KIND_OBJECT: {
            char before = '{';
            const jv object = value.get();
            for (int i = jv_object_iter(object); jv_object_iter_valid(object, i) != 0;
                 i = jv_object_iter_next(object, i)) {
                out += before;
                before = ',';
                append_json_string(out, JqValue(jv_object_iter_key(object, i)).text());
                out += ':';
                const JqValue item(jv_object_iter_value(object, i));
                if (!append(out, item, depth + 1)) return false;
            }
            out += before == '{' ? "{}" : "}";
            return true;
        }
        default: out += "null"; return true;
    }
}

}  // namespace

std::string_view JqValue::text() const {
    const int size = jv_string_length_bytes(copy());
    return {jv_string_value(value_), static_cast<std::size_t>(size)};
}

std::optional<JqValue> JqReader::read(std::string_view json) {
    at_ = json.data();
    end_ = at_ + json.size();
    good_ = true;
    JqValue made = value(0);
    skip();
    if (!good_ || at_ != end_) return std::nullopt;
    return made;
}

JqValue JqReader::bad() {
    good_ = false;
    return {};
}

void JqReader::skip() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool JqReader::take(char c) {
    skip();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as read_depth
JqValue JqReader::value(int depth) {
    skip();
    if (at_ == end_ || depth > read_depth) return bad();
    switch (*at_) {
        case '{': ++at_; return object(depth);
        case '[': ++at_; return array(depth);
        case '"': {
            ++at_;
            const std::string_view text = string();
            return good_ ? JqValue(make_string(text)) : JqValue();
        }
        case 't': return word("true", jv_true());
        case 'f': return word("false", jv_false());
        case 'n': return word("null", jv_null());
        default: return number();
    }
}

JqValue JqReader::word(std::string_view text, jv made) {
    if (!std::string_view(at_, end_).starts_with(text)) return bad();
    at_ += text.size();
    return JqValue(made);
}

JqValue JqReader::number() {
    if (*at_ != '-' && (*at_ < '0' || *at_ > '9')) return bad();
    double made = 0;
    const auto [next, error] = std::from_chars(at_, end_, made);
    if (error == std::errc::invalid_argument) return bad();
    if (error == std::errc::result_out_of_range) {
        // Too large or too small, which from_chars does not tell: strtod does, as jq's own.
        made = std::strtod(std::string(at_, next).c_str(), nullptr);
    }
    at_ = next;
    return JqValue(jv_number(made));
}

std::string_view JqReader::string() {
    const char* begin = at_;
    while (at_ < end_ && *at_ != '"' && *at_ != '\\') ++at_;
    if (at_ < end_ && *at_ == '"') return {begin, at_++};
    text_.assign(begin, at_);
    while (at_ < end_ && *at_ != '"') {
        if (*at_ == '\\') {
            if (!escape()) break;
            continue;
        }
        begin = at_;
        while (at_ < end_ && *at_ != '"' && *at_ != '\\') ++at_;
        text_.append(begin, at_);
    }
    good_ = good_ && at_ < end_ && *at_ == '"';
    if (good_) ++at_;
    return text_;
}

bool JqReader::escape() {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (end_ - at_ < 2) return false;
    if (const auto which = names.find(at_[1]); which != names.npos) {
        text_ += values[which];
        at_ += 2;
        return true;
    }
    auto code = unit();
    if (!code) return false;
    if (*code >= 0xd800 && *code < 0xdc00) {
        const auto low = unit();
        if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
        code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    append_utf8(text_, *code);
    return true;
}

/// \uXXXX
std::optional<std::uint32_t> JqReader::unit() {
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return std::nullopt;
    std::uint32_t code = 0;
    const auto [next, error] = std::from_chars(at_ + 2, at_ + 6, code, 16);
    if (error != std::errc{} || next != at_ + 6) return std::nullopt;
    at_ += 6;
    return code;
}

// NOLINTNEXTLINE(misc-no-recursion)
JqValue JqReader::array(int depth) {
    JqValue out(jv_array());
    if (take(']')) return out;
    do {
        JqValue item = value(depth + 1);
        if (!good_) return {};
        out = JqValue(jv_array_append(out.release(), item.release()));
    } while (take(','));
    return take(']') ? std::move(out) : bad();
}

// NOLINTNEXTLINE(misc-no-recursion)
JqValue JqReader::object(int depth) {
    JqValue out(jv_object());
    if (take('}')) return out;
    do {
        if (!take('"')) return bad();
        JqValue name = key();
        if (!good_ || !take(':')) return bad();
        JqValue item = value(depth + 1);
        if (!good_) return {};
        out = JqValue(jv_object_set(out.release(), name.release(), item.release()));
    } while (take(','));
    return take('}') ? std::move(out) : bad();
}

JqValue JqReader::key() {
    const std::string_view text = string();
    if (!good_) return {};
    const auto known = keys_.find(text);
    if (known != keys_.end()) return JqValue(known->second.copy());
    JqValue made(make_string(text));
    if (keys_.size() < most_keys && text.size() <= key_bytes) {
        keys_.emplace(text, JqValue(made.copy()));
    }
    return made;
}

bool append_jq_value(std::string& out, const JqValue& value) { return append(out, value, 0); }

}  // namespace herald
