#include "net/http_answer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace herald {

namespace {

struct Phrase {
    int status;
    std::string_view text;
};

constexpr std::array phrases{
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{203, "Non-Authoritative Information"},
    Phrase{204, "No Content"},
    Phrase{205, "Reset Content"},
    Phrase{206, "Partial Content"},
    Phrase{207, "Multi-Status"},
    Phrase{300, "Multiple Choices"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{303, "See Other"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
    Phrase{308, "Permanent Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{402, "Payment Required"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{406, "Not Acceptable"},
    Phrase{407, "Proxy Authentication Required"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{411, "Length Required"},
    Phrase{412, "Precondition Failed"},
    Phrase{413, "Content Too Large"},
    Phrase{414, "URI Too Long"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{416, "Range Not Satisfiable"},
    Phrase{417, "Expectation Failed"},
    Phrase{421, "Misdirected Request"},
    Phrase{422, "Unprocessable Content"},
    Phrase{423, "Locked"},
    Phrase{424, "Failed Dependency"},
    Phrase{425, "Too Early"},
    Phrase{426, "Upgrade Required"},
    Phrase{428, "Precondition Required"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{451, "Unavailable For Legal Reasons"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
    Phrase{505, "HTTP Version Not Supported"},
    Phrase{507, "Insufficient Storage"},
    Phrase{508, "Loop Detected"},
};
static_assert(std::ranges::is_sorted(phrases, {}, &Phrase::status));

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

/// A line end in a value would let it write header fields of its own.
bool is_safe(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    if (!is_safe(name) || !is_safe(value)) return;
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
    const auto found = std::ranges::lower_bound(phrases, status, {}, &Phrase::status);
    return found != phrases.end() && found->status == status ? found->text : "Unknown";
}

std::string_view HttpDate::text() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == second_) return text_;
    second_ = now.tv_sec;
    std::tm parts{};
    gmtime_r(&second_, &parts);
    std::array<char, 32> buffer{};
    // The process never sets a locale, so the names are the English ones.
    const std::size_t n =
        std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text_.assign(buffer.data(), n);
    return text_;
}

void append_answer(std::string& out, const ServerAnswer& answer, HttpDate& date, bool keep_alive,
                   bool head_only) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(answer.status));
    out.append(" ").append(reason_phrase(answer.status)).append("\r\nDate: ").append(date.text());
    out.append("\r\n");
    const bool no_body = answer.status == 204 || answer.status == 304;
    if (!no_body && !answer.content_type.empty()) {
        append_field(out, "Content-Type", answer.content_type);
    }
    for (const auto& [name, value] : answer.headers) append_field(out, name, value);
    if (!no_body) {
        out.append("Content-Length: ");
        append_number(out, answer.body.size());
        out.append("\r\n");
    }
    out.append(keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
    if (!no_body && !head_only) out.append(answer.body);
}

ServerAnswer problem_answer(int status, std::string_view detail) {
    ServerAnswer answer;
    answer.status = status;
    answer.content_type = "application/problem+json";
    // The details are literals of ours: nothing in them needs an escape.
    answer.body.append("{\"type\":\"about:blank\",\"title\":\"").append(reason_phrase(status));
    answer.body.append("\",\"status\":").append(std::to_string(status));
    answer.body.append(",\"detail\":\"").append(detail).append("\"}");
    return answer;
}

}  // namespace herald
