// Whatever bytes a receiver sends, and in whatever pieces: the parser keeps its bounds, and its
// verdict does not depend on the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/limits.h"
#include "net/response_parser.h"

namespace {

void must(bool held) {
    if (!held) std::abort();
}

/// Feeds `text` in pieces of `size` bytes.
void read(herald::ResponseParser& parser, std::string_view text, std::size_t size) {
    std::string held;
    while (!text.empty() && !parser.done() && !parser.fault()) {
        const std::string_view piece = text.substr(0, size);
        text.remove_prefix(piece.size());
        held.append(piece);
        const std::size_t used = parser.feed(held);
        must(used <= held.size());
        held.erase(0, used);
    }
    static_cast<void>(parser.end_of_stream());
    must(parser.body().size() <= herald::limits::response_capture);
    must(parser.status() == 0 || (parser.status() >= 200 && parser.status() <= 999));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    herald::ResponseParser whole;
    herald::ResponseParser pieces;
    read(whole, text, size);
    read(pieces, text, 1 + size % 7);
    must(whole.done() == pieces.done());
    must(whole.fault().has_value() == pieces.fault().has_value());
    if (whole.done()) {
        must(whole.status() == pieces.status());
        must(whole.body() == pieces.body());
        must(whole.headers() == pieces.headers());
    }
    return 0;
}
