#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "net/http_head.h"

namespace herald {

/// Takes the framing off a message body (RFC 9112, 6 and 7), piece by piece, without copying.
class BodyDecoder {
public:
    BodyDecoder() = default;
    explicit BodyDecoder(const Framing& framing);

    /// Takes from the front of `bytes` and gives the next piece of the body, which points into
    /// them. An empty piece: the body has ended, or more bytes are needed (then none are left).
    [[nodiscard]] std::expected<std::string_view, HttpFault> take(std::string_view& bytes);
    [[nodiscard]] bool done() const { return state_ == State::done; }

private:
    enum class State {
        data,  ///< of a body with a length, or of a chunk
        until_close,
        chunk_size,
        chunk_extension,
        chunk_size_end,  ///< the LF of the size line
        chunk_end_cr,
        chunk_end_lf,
        trailer_start,
        trailer,
        trailer_lf,
        end_lf,
        done,
    };

    [[nodiscard]] std::string_view take_data(std::string_view& bytes);
    /// One byte of a chunk's frame; a fault's text, or empty.
    [[nodiscard]] std::string_view step(char c);
    [[nodiscard]] std::string_view step_size(char c);
    [[nodiscard]] std::string_view step_trailer(char c);

    State state_ = State::done;
    bool chunked_ = false;
    std::uint64_t left_ = 0;  ///< bytes of data still to come
    std::size_t digits_ = 0;  ///< of the chunk size that is being read
    std::size_t extra_ = 0;  ///< bytes of extensions and trailers seen
};

}  // namespace herald
