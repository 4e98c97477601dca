#include "net/response_parser.h"

#include <algorithm>

#include "core/limits.h"

namespace herald {

namespace {

constexpr int interim_max = 5;
constexpr std::string_view preamble = "HTTP/1.";

}  // namespace

std::size_t ResponseParser::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (state_ == State::head && !fault_) {
        const std::size_t n = feed_head(bytes.substr(used));
        if (n == 0) return used;
        used += n;
    }
    if (state_ == State::body && !fault_) used += feed_body(bytes.substr(used));
    return used;
}

std::size_t ResponseParser::feed_head(std::string_view bytes) {
    // What does not begin like HTTP shall not be waited on until the deadline.
    if (bytes.substr(0, preamble.size()) != preamble.substr(0, bytes.size())) {
        fault_ = HttpFault{400, "it does not begin with HTTP/1"};
        return 0;
    }
    // Not a byte more, so that the verdict does not depend on the pieces in which it came.
    bytes = bytes.substr(0, limits::response_header_bytes - head_bytes_ + 1);
    const auto end = find_head_end(bytes, scanned_);
    if (!end) {
        fault_ = end.error();
        return 0;
    }
    const std::size_t size = *end == 0 ? bytes.size() : *end;
    if (head_bytes_ + size > limits::response_header_bytes) {
        fault_ = HttpFault{431, "its header is larger than 64 KiB"};
        return 0;
    }
    if (*end == 0) return 0;
    head_bytes_ += *end;
    scanned_ = 0;
    if (take_head(bytes.substr(0, *end))) state_ = decoder_.done() ? State::done : State::body;
    return *end;
}

bool ResponseParser::take_head(std::string_view text) {
    fault_ = parse_response_head(text, head_);
    if (fault_) return false;
    if (head_.status == 101) {
        fault_ = HttpFault{400, "it switches to another protocol (101), which nobody asked for"};
        return false;
    }
    if (head_.status < 200) {
        if (++interim_ > interim_max) fault_ = HttpFault{400, "too many interim answers (1xx)"};
        return false;
    }
    status_ = head_.status;
    reason_ = head_.reason;
    for (const FieldLine& field : head_.fields) headers_.emplace_back(field.name, field.value);
    if (to_connect_) head_.framing.body = Framing::Body::none;
    decoder_ = BodyDecoder(head_.framing);
    until_close_ = head_.framing.body == Framing::Body::until_close;
    keep_alive_ = head_.framing.keep_alive;
    return true;
}

std::size_t ResponseParser::feed_body(std::string_view bytes) {
    const std::size_t before = bytes.size();
    while (!bytes.empty() && !decoder_.done()) {
        const auto piece = decoder_.take(bytes);
        if (!piece) {
            fault_ = piece.error();
            return 0;
        }
        const std::size_t room = limits::response_capture - body_.size();
        body_.append(piece->substr(0, room));
        seen_ += piece->size();
        if (seen_ > limits::response_body_bytes) {
            // The status is known and the rest is of no use: the connection pays, not we.
            keep_alive_ = false;
            state_ = State::done;
            return before - bytes.size();
        }
    }
    if (decoder_.done()) state_ = State::done;
    return before - bytes.size();
}

bool ResponseParser::end_of_stream() {
    if (state_ == State::body && until_close_ && !fault_) state_ = State::done;
    return state_ == State::done;
}

void ResponseParser::reset(bool to_connect) {
    to_connect_ = to_connect;
    state_ = State::head;
    scanned_ = head_bytes_ = seen_ = 0;
    interim_ = status_ = 0;
    until_close_ = keep_alive_ = false;
    fault_.reset();
    reason_.clear();
    headers_.clear();
    body_.clear();
}

}  // namespace herald
