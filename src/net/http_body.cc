#include "net/http_body.h"

#include <algorithm>

namespace herald {

namespace {

/// Chunk extensions and trailers of one message.
constexpr std::size_t extra_max = std::size_t{16} * 1024;
constexpr std::size_t size_digits_max = 15;  ///< a chunk size stays below 2^60

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::string_view bad_size = "a chunk's size is not a hexadecimal number";
constexpr std::string_view bad_line = "a line of the chunked body does not end with CR LF";
constexpr std::string_view too_much = "the chunked body has too many extensions or trailers";

bool is_text(char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; }

}  // namespace

BodyDecoder::BodyDecoder(const Framing& framing) {
    switch (framing.body) {
        case Framing::Body::none: break;
        case Framing::Body::length:
            left_ = framing.length;
            state_ = left_ > 0 ? State::data : State::done;
            break;
        case Framing::Body::chunked:
            chunked_ = true;
            state_ = State::chunk_size;
            break;
        case Framing::Body::until_close: state_ = State::until_close; break;
    }
}

std::expected<std::string_view, HttpFault> BodyDecoder::take(std::string_view& bytes) {
    while (!bytes.empty()) {
        if (state_ == State::done) break;
        if (state_ == State::until_close) {
            const std::string_view piece = bytes;
            bytes = {};
            return piece;
        }
        if (state_ == State::data) return take_data(bytes);
        const std::string_view wrong = step(bytes.front());
        if (!wrong.empty()) return std::unexpected(HttpFault{400, wrong});
        bytes.remove_prefix(1);
    }
    return std::string_view{};
}

std::string_view BodyDecoder::take_data(std::string_view& bytes) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    const std::string_view piece = bytes.substr(0, n);
    bytes.remove_prefix(n);
    left_ -= n;
    if (left_ == 0) state_ = chunked_ ? State::chunk_end_cr : State::done;
    return piece;
}

std::string_view BodyDecoder::step(char c) {
    switch (state_) {
        case State::chunk_size: return step_size(c);
        case State::chunk_extension:
            if (c == '\r')
                state_ = State::chunk_size_end;
            else if (!is_text(c))
                return bad_line;
            else if (++extra_ > extra_max)
                return too_much;
            return {};
        case State::chunk_size_end:
            if (c != '\n') return bad_line;
            state_ = left_ > 0 ? State::data : State::trailer_start;
            digits_ = 0;
            return {};
        case State::chunk_end_cr:
            if (c != '\r') return "a chunk is longer than its size says";
            state_ = State::chunk_end_lf;
            return {};
        case State::chunk_end_lf:
            if (c != '\n') return bad_line;
            state_ = State::chunk_size;
            return {};
        case State::trailer_start:
        case State::trailer:
        case State::trailer_lf:
        case State::end_lf: return step_trailer(c);
        case State::data:
        case State::until_close:
        case State::done: break;
    }
    return {};
}

std::string_view BodyDecoder::step_size(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > size_digits_max) return "a chunk's size is too large";
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return {};
    }
    if (digits_ == 0) return bad_size;
    if (c == '\r')
        state_ = State::chunk_size_end;
    else if (c == ';')
        state_ = State::chunk_extension;
    else
        return bad_size;
    return {};
}

/// Trailers are read over: nothing here needs them, and merged into the header they would be a
/// way around its checks.
std::string_view BodyDecoder::step_trailer(char c) {
    if (++extra_ > extra_max) return too_much;
    switch (state_) {
        case State::trailer_start:
            if (c == '\r')
                state_ = State::end_lf;
            else if (is_token_char(c))
                state_ = State::trailer;
            else
                return "a trailer begins with a character it must not have";
            return {};
        case State::trailer:
            if (c == '\r')
                state_ = State::trailer_lf;
            else if (!is_text(c))
                return bad_line;
            return {};
        default:
            if (c != '\n') return bad_line;
            state_ = state_ == State::end_lf ? State::done : State::trailer_start;
            return {};
    }
}

}  // namespace herald
