#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// What a frame between herald and a host says. A host is the child process that runs a
/// transformation's code; it has one socket to herald, descriptor 3. To the host go `host`, `load`
/// and `transform`; the rest comes from it.
enum class FrameKind : char {
    host = 'H',       ///< the host's own program, first, for an interpreter that waits for it
    load = 'L',       ///< what to run, once: a JSON object
    transform = 'T',  ///< an event's body (JSON text)
    ready = 'R',      ///< the answer to `load`: loaded
    body = 'B',       ///< an answer to `transform`: the body
    request = 'Q',    ///< the same with more of the request: {"body","url","headers"}
    failure = 'F',    ///< an answer to `load` or `transform`: {"class","message",...}
    notes = 'N',      ///< what the code printed, before the answer it belongs to
};

/// A frame is the length of what follows (four bytes, little-endian), its kind, its payload.
inline constexpr std::size_t frame_length_bytes = 4;
inline constexpr std::size_t frame_head_bytes = frame_length_bytes + 1;

struct Frame {
    FrameKind kind = FrameKind::ready;
    std::string_view payload;  ///< valid until the reader is filled again
};

void append_frame(std::string& out, FrameKind kind, std::string_view payload);

/// Cuts what a host wrote into frames. A frame is judged by its head, so one that is too long is
/// refused before its bytes are read.
class FrameReader {
public:
    enum class Fault {
        none,
        too_long,  ///< an answer longer than `answer_bytes`
        broken,    ///< no frame of ours
    };

    /// `answer_bytes` bounds the payload of `body` and `request`.
    explicit FrameReader(std::size_t answer_bytes);

    /// The next whole frame; nullopt: more bytes are needed, or fault() says what is wrong.
    [[nodiscard]] std::optional<Frame> next();
    [[nodiscard]] Fault fault() const { return fault_; }
    /// Where to read more bytes to; added() says how many came. Ends the life of frames given out.
    struct Room {
        char* data;
        std::size_t size;
    };
    [[nodiscard]] Room room();
    void added(std::size_t size) { end_ += size; }

private:
    [[nodiscard]] std::size_t payload_limit(FrameKind kind) const;

    std::size_t answer_bytes_;
    std::string buffer_;
    std::size_t begin_ = 0;  ///< what lies before has been given out
    std::size_t end_ = 0;  ///< of what has been read
    std::size_t wanted_ = 0;  ///< bytes of the frame that begins at begin_, as far as known
    Fault fault_ = Fault::none;
};

}  // namespace herald
