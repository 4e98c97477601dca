#include "transform/frame.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"

namespace herald {

namespace {

constexpr std::size_t read_least = std::size_t{16} * 1024;
constexpr std::size_t read_most = std::size_t{256} * 1024;

std::uint32_t little_endian(const char* bytes) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return value;
}

bool from_host(FrameKind kind) {
    switch (kind) {
        case FrameKind::ready:
        case FrameKind::body:
        case FrameKind::request:
        case FrameKind::failure:
        case FrameKind::notes: return true;
        default: return false;
    }
}

}  // namespace

void append_frame(std::string& out, FrameKind kind, std::string_view payload) {
    const auto length = static_cast<std::uint32_t>(payload.size() + 1);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>((length >> shift) & 0xFFU);
    }
    out += static_cast<char>(kind);
    out += payload;
}

FrameReader::FrameReader(std::size_t answer_bytes) : answer_bytes_(answer_bytes) {}

std::size_t FrameReader::payload_limit(FrameKind kind) const {
    if (kind == FrameKind::body || kind == FrameKind::request) return answer_bytes_;
    return kind == FrameKind::ready ? 0 : limits::host_failure_bytes;
}

std::optional<Frame> FrameReader::next() {
    if (fault_ != Fault::none || end_ - begin_ < frame_head_bytes) return std::nullopt;
    const char* head = buffer_.data() + begin_;
    const std::size_t length = little_endian(head);
    const auto kind = static_cast<FrameKind>(head[frame_length_bytes]);
    if (length == 0 || !from_host(kind)) {
        fault_ = Fault::broken;
        return std::nullopt;
    }
    if (length - 1 > payload_limit(kind)) {
        const bool answer = kind == FrameKind::body || kind == FrameKind::request;
        fault_ = answer ? Fault::too_long : Fault::broken;
        return std::nullopt;
    }
    wanted_ = frame_length_bytes + length;
    if (end_ - begin_ < wanted_) return std::nullopt;
    const Frame frame{.kind = kind, .payload = {head + frame_head_bytes, length - 1}};
    begin_ += wanted_;
    wanted_ = 0;
    return frame;
}

FrameReader::Room FrameReader::room() {
    const std::size_t rest = end_ - begin_;
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, rest);
        begin_ = 0;
        end_ = rest;
    }
    // The buffer grows with what comes in, not with what a head announces.
    const std::size_t missing = wanted_ > rest ? wanted_ - rest : 0;
    const std::size_t size = std::clamp(missing, read_least, read_most);
    if (buffer_.size() < rest + size) buffer_.resize(rest + size);
    return {buffer_.data() + end_, buffer_.size() - end_};
}

}  // namespace herald
