#include "net/http_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace herald {

namespace {

using Fault = std::optional<HttpFault>;

constexpr std::size_t fields_max = 128;

consteval std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr std::array<bool, 256> token_table = make_token_table();

Fault bad(std::string_view what, int status = 400) { return HttpFault{status, what}; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

/// Takes the text up to the next CR LF, which find_head_end has seen, and both.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end - 1);
    text.remove_prefix(end + 1);
    return line;
}

/// A value holds visible characters, spaces, tabs and bytes above 127.
bool is_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

/// Calls `each` with every element of a comma-separated list; stops when it gives a fault.
template <class Each>
Fault for_each_element(std::string_view list, Each each) {
    while (true) {
        const std::size_t comma = list.find(',');
        if (Fault fault = each(trim(list.substr(0, comma)))) return fault;
        if (comma == list.npos) return std::nullopt;
        list.remove_prefix(comma + 1);
    }
}

/// What the fields that frame the message have said so far.
struct FramingFields {
    bool chunked = false;
    bool transfer_encoding = false;
    bool close = false;
    bool keep_alive = false;
    std::optional<std::uint64_t> length;

    Fault add_length(std::string_view value) {
        // A list of the same number is what a careless proxy makes of two equal fields
        // (RFC 9112, 6.3); anything else is an attack or broken.
        return for_each_element(value, [this](std::string_view text) -> Fault {
            std::uint64_t n = 0;
            const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
            const bool whole = stop == text.data() + text.size();
            // from_chars would take no sign for an unsigned number; digits only are left.
            if (text.empty() || error != std::errc{} || !whole || n > (1ULL << 62U)) {
                return bad("the Content-Length is not a number");
            }
            if (length && *length != n) return bad("there are two different Content-Lengths");
            length = n;
            return std::nullopt;
        });
    }

    Fault add_transfer_encoding(std::string_view value) {
        if (transfer_encoding || !same_field_name(value, "chunked")) {
            return bad("the Transfer-Encoding is not understood: only chunked is", 501);
        }
        transfer_encoding = chunked = true;
        return std::nullopt;
    }

    Fault add_connection(std::string_view value) {
        return for_each_element(value, [this](std::string_view option) -> Fault {
            if (same_field_name(option, "close")) close = true;
            if (same_field_name(option, "keep-alive")) keep_alive = true;
            return std::nullopt;
        });
    }
};

void add_expect(std::string_view value, Framing& framing) {
    (same_field_name(value, "100-continue") ? framing.expects_continue : framing.expects_else) =
        true;
}

/// Looks at the fields that matter here, told apart by length first: most are none of them.
Fault note_field(const FieldLine& field, FramingFields& seen, Framing& framing) {
    switch (field.name.size()) {
        case 4:
            if (same_field_name(field.name, "host")) ++framing.hosts;
            break;
        case 6:
            if (same_field_name(field.name, "expect")) add_expect(field.value, framing);
            break;
        case 10:
            if (same_field_name(field.name, "connection")) return seen.add_connection(field.value);
            break;
        case 14:
            if (same_field_name(field.name, "content-length")) return seen.add_length(field.value);
            break;
        case 17:
            if (same_field_name(field.name, "transfer-encoding")) {
                return seen.add_transfer_encoding(field.value);
            }
            break;
        default: break;
    }
    return std::nullopt;
}

Fault parse_field(std::string_view line, FieldLine& field) {
    if (line.front() == ' ' || line.front() == '\t') {
        return bad("a header field is folded over two lines");
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return bad("a header field has no colon");
    field = {line.substr(0, colon), trim(line.substr(colon + 1))};
    if (!is_token(field.name)) return bad("a header field's name has a character it must not have");
    if (!is_value(field.value)) {
        return bad("a header field's value has a control character");
    }
    return std::nullopt;
}

Fault parse_fields(std::string_view text, HttpHead& head) {
    FramingFields seen;
    Framing& framing = head.framing;
    while (true) {
        const std::string_view line = take_line(text);
        if (line.empty()) break;
        if (head.fields.size() == fields_max) return bad("there are too many header fields", 431);
        FieldLine& field = head.fields.emplace_back();
        if (Fault fault = parse_field(line, field)) return fault;
        if (Fault fault = note_field(field, seen, framing)) return fault;
    }
    if (seen.transfer_encoding && seen.length) {
        return bad("there are a Content-Length and a Transfer-Encoding");
    }
    if (seen.transfer_encoding && head.minor_version == 0) {
        return bad("an HTTP/1.0 message has a Transfer-Encoding");
    }
    framing.keep_alive = !seen.close && (head.minor_version == 1 || seen.keep_alive);
    framing.length = seen.length.value_or(0);
    if (seen.chunked)
        framing.body = Framing::Body::chunked;
    else if (seen.length)
        framing.body = Framing::Body::length;
    return std::nullopt;
}

/// "HTTP/1.1" or "HTTP/1.0".
Fault parse_version(std::string_view text, HttpHead& head) {
    const bool form = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                      text[6] == '.' && is_digit(text[7]);
    if (!form) return bad("the first line is not one of HTTP/1.1");
    if (text[5] != '1') return bad("the version of HTTP is not 1.1 or 1.0", 505);
    head.minor_version = text[7] == '0' ? 0 : 1;
    return std::nullopt;
}

void clear(HttpHead& head) {
    head.fields.clear();
    head.framing = {};
    head.status = 0;
    head.method = head.target = head.reason = {};
}

}  // namespace

bool is_token_char(char c) { return token_table[static_cast<unsigned char>(c)]; }

bool same_field_name(std::string_view name, std::string_view wanted) {
    return std::ranges::equal(name, wanted, {}, lower);
}

std::expected<std::size_t, HttpFault> find_head_end(std::string_view bytes, std::size_t& scanned) {
    while (scanned < bytes.size()) {
        const void* found = std::memchr(bytes.data() + scanned, '\n', bytes.size() - scanned);
        if (found == nullptr) break;
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (at == 0 || bytes[at - 1] != '\r') {
            return std::unexpected(HttpFault{400, "a line does not end with CR LF"});
        }
        // The line is empty when the one before it ended right here.
        if (at >= 3 && bytes[at - 2] == '\n') return at + 1;
        scanned = at + 1;
    }
    // The line feed that comes next is looked for from here; its CR may be the last byte now.
    scanned = bytes.size();
    return 0U;
}

std::optional<HttpFault> parse_request_head(std::string_view text, HttpHead& head) {
    clear(head);
    const std::string_view line = take_line(text);
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == line.npos || first == last) return bad("the first line is not one of HTTP/1.1");
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    if (!is_token(head.method)) return bad("the method has a character it must not have");
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (head.target.empty() || !std::ranges::all_of(head.target, visible)) {
        return bad("the request target has a character it must not have");
    }
    if (Fault fault = parse_version(line.substr(last + 1), head)) return fault;
    return parse_fields(text, head);
}

std::optional<HttpFault> parse_response_head(std::string_view text, HttpHead& head) {
    clear(head);
    const std::string_view line = take_line(text);
    if (Fault fault = parse_version(line.substr(0, 8), head)) return fault;
    // Some servers leave out the space before an empty reason.
    const bool form = line.size() >= 12 && line[8] == ' ' && line[9] >= '1' && is_digit(line[9]) &&
                      is_digit(line[10]) && is_digit(line[11]) &&
                      (line.size() == 12 || line[12] == ' ');
    if (!form) return bad("the status line has no status of three digits");
    head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    head.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
    if (!is_value(head.reason)) return bad("the status line has a control character");
    if (Fault fault = parse_fields(text, head)) return fault;
    Framing& framing = head.framing;
    if (head.status / 100 == 1 || head.status == 204 || head.status == 304) {
        framing.body = Framing::Body::none;
    } else if (framing.body == Framing::Body::none) {
        framing.body = Framing::Body::until_close;
        framing.keep_alive = false;
    }
    return std::nullopt;
}

}  // namespace herald
