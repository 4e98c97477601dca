#include "net/request_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/http_head.h"

namespace herald {

namespace {

/// Up to here a copy of the body is cheaper than a second piece to send.
constexpr std::size_t copied_body = std::size_t{16} * 1024;

constexpr std::array<std::string_view, 8> written_here{
    "host",   "content-length", "connection", "transfer-encoding",
    "expect", "upgrade",        "te",         node_field};

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

/// No control character but the tab. Without an early exit, for speed: there is next to never one.
bool is_value(std::string_view text) {
    bool bad = false;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        bad |= (byte < 0x20 && byte != '\t') || byte == 0x7f;
    }
    return !bad;
}

bool is_target(std::string_view text) {
    bool bad = !text.starts_with('/');
    for (const char c : text) bad |= c <= 0x20 || c == 0x7f;
    return !bad;
}

std::string check_field(const std::string& name, const std::string& value) {
    if (!is_token(name)) return "A header's name is empty or has a character it must not have.";
    if (!is_value(value)) return "The header " + name + " has a control character in its value.";
    const bool ours = std::ranges::any_of(
        written_here, [&](std::string_view lower) { return same_field_name(name, lower); });
    if (ours) return "The header " + name + " is written by the client and cannot be set.";
    return {};
}

}  // namespace

std::string check_request(const HttpRequest& request) {
    if (!is_token(request.method)) return "The method is not a word.";
    if (!is_target(request.url.target))
        return "The path of the URL has a character it must not have.";
    for (const auto& [name, value] : request.headers) {
        if (auto wrong = check_field(name, value); !wrong.empty()) return wrong;
    }
    return {};
}

OutgoingRequest write_request(const HttpRequest& request, const Origin& origin,
                              const HttpClientOptions& options, std::string& out) {
    out.clear();
    out.append(request.method).append(" ");
    if (origin.way) out.append(origin.way->target_prefix);
    out.append(request.url.target).append(" HTTP/1.1\r\nHost: ");
    out.append(origin.host_header).append("\r\n");
    if (origin.way) out.append(origin.way->proxy_fields);
    bool named = options.user_agent.empty();
    for (const auto& [name, value] : request.headers) {
        named = named || same_field_name(name, "user-agent");
        out.append(name).append(": ").append(value).append("\r\n");
    }
    if (!named) out.append("User-Agent: ").append(options.user_agent).append("\r\n");
    if (!options.node.empty()) {
        out.append(node_field).append(": ").append(options.node).append("\r\n");
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
        request.method == "PATCH") {
        std::array<char, 20> digits{};
        const auto end =
            std::to_chars(digits.data(), digits.data() + digits.size(), request.body.size()).ptr;
        out.append("Content-Length: ").append(digits.data(), end).append("\r\n");
    }
    out.append("\r\n");
    if (request.body.size() > copied_body) return {out, request.body};
    out.append(request.body);
    return {out, {}};
}

}  // namespace herald
