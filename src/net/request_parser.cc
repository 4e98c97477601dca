#include "net/request_parser.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace herald {

namespace {

constexpr std::size_t target_max = std::size_t{8} * 1024;
/// A body buffer larger than this is given back after its request.
constexpr std::size_t kept_body = std::size_t{64} * 1024;

constexpr HttpFault head_too_large{431, "the header is larger than this server takes"};
constexpr HttpFault target_too_long{414, "the request target is longer than this server takes"};
constexpr HttpFault body_too_large{413, "the body is larger than this server takes"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// False: a wrong escape, or a NUL.
bool percent_decode(std::string_view text, std::string& out) {
    out.clear();
    while (!text.empty()) {
        if (text.front() != '%') {
            out.push_back(text.front());
            text.remove_prefix(1);
            continue;
        }
        if (text.size() < 3) return false;
        const int high = hex_value(text[1]);
        const int low = hex_value(text[2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
        out.push_back(static_cast<char>(high * 16 + low));
        text.remove_prefix(3);
    }
    return true;
}

/// The path and query of "/path?query", "http://host/path?query" (RFC 9112, 3.2.2) or "*".
std::string_view without_authority(std::string_view target) {
    if (target.starts_with('/') || target == "*") return target;
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos) return {};
    const std::size_t path = target.find('/', scheme + 3);
    return path == target.npos ? std::string_view("/") : target.substr(path);
}

bool split_target(std::string_view target, ServerRequest& request) {
    target = without_authority(target);
    if (target.empty()) return false;
    const std::size_t mark = target.find('?');
    request.query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
    return percent_decode(target.substr(0, mark), request.path);
}

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

std::size_t RequestParser::feed(std::string_view bytes) {
    if (fault_) return 0;
    std::size_t used = 0;
    if (state_ == State::head) used = feed_head(bytes);
    if (state_ == State::body && !fault_) used += feed_body(bytes.substr(used));
    return used;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
    std::size_t skipped = 0;
    // One empty line before a request is forgiven (RFC 9112, 2.2).
    if (!skipped_line_ && bytes == "\r") return 0;
    if (!skipped_line_ && bytes.starts_with("\r\n")) {
        skipped_line_ = true;
        skipped = 2;
    }
    // Not a byte more, so that the verdict does not depend on the pieces in which it came.
    bytes = bytes.substr(skipped, limits::request_header_bytes + 1);
    if (bytes.empty()) return skipped;
    if (!is_token_char(bytes.front())) {
        fault_ = HttpFault{400, "this is not a request of HTTP/1.1"};
        return skipped;
    }
    const auto end = find_head_end(bytes, scanned_);
    if (!end) {
        fault_ = end.error();
        return skipped;
    }
    const std::size_t size = *end == 0 ? bytes.size() : *end;
    if (size > limits::request_header_bytes) {
        fault_ = bytes.find('\n') > target_max ? target_too_long : head_too_large;
        return skipped;
    }
    if (*end == 0) return skipped;
    take_head(bytes.substr(0, *end));
    return skipped + *end;
}

void RequestParser::take_head(std::string_view text) {
    fault_ = parse_request_head(text, head_);
    if (fault_) return;
    framing_ = head_.framing;
    request_.method = head_.method;
    request_.target = head_.target;
    fault_ = check_framing();
    if (fault_) return;
    if (!split_target(head_.target, request_)) {
        fault_ = HttpFault{400, "the request target is not a path"};
        return;
    }
    for (const FieldLine& field : head_.fields) {
        auto& [name, value] = request_.headers.emplace_back(field.name, field.value);
        std::ranges::transform(name, name.begin(), lower);
    }
    body_ = BodyDecoder(framing_);
    state_ = body_.done() ? State::done : State::body;
}

std::optional<HttpFault> RequestParser::check_framing() const {
    if (request_.target.size() > target_max) return target_too_long;
    if (framing_.hosts > 1 || (framing_.hosts == 0 && head_.minor_version == 1)) {
        return HttpFault{400, "a request has exactly one Host"};
    }
    if (framing_.expects_else) return HttpFault{417, "only 100-continue may be expected"};
    if (framing_.length > max_body_) return body_too_large;
    return std::nullopt;
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
    const std::size_t before = bytes.size();
    if (framing_.body == Framing::Body::length && request_.body.empty()) {
        // A promise alone costs the client nothing, so it reserves little.
        request_.body.reserve(std::min<std::size_t>(framing_.length, kept_body));
    }
    while (!bytes.empty() && !body_.done()) {
        const auto piece = body_.take(bytes);
        if (!piece) {
            fault_ = piece.error();
            return 0;
        }
        if (request_.body.size() + piece->size() > max_body_) {
            fault_ = body_too_large;
            return 0;
        }
        request_.body.append(*piece);
    }
    if (body_.done()) state_ = State::done;
    return before - bytes.size();
}

bool RequestParser::wants_continue() const {
    return state_ == State::body && framing_.expects_continue && head_.minor_version == 1 &&
           request_.body.empty();
}

void RequestParser::reset() {
    state_ = State::head;
    scanned_ = 0;
    skipped_line_ = false;
    fault_.reset();
    request_.headers.clear();
    request_.body.clear();
    if (request_.body.capacity() > kept_body) request_.body = {};
}

}  // namespace herald
