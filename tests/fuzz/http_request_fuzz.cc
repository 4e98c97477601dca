// Whatever bytes a client sends, and in whatever pieces: the parser keeps its bounds, and what it
// hands over does not depend on the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/request_parser.h"

namespace {

constexpr std::size_t max_body = 4'096;

void must(bool held) {
    if (!held) std::abort();
}

/// Feeds `text` in pieces of `size` bytes; gives what the requests were, and the fault at the end.
std::vector<std::string> read(std::string_view text, std::size_t size) {
    herald::RequestParser parser(max_body);
    std::vector<std::string> seen;
    std::string held;
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, size);
        text.remove_prefix(piece.size());
        held.append(piece);
        for (bool again = true; again;) {
            const std::size_t used = parser.feed(held);
            must(used <= held.size());
            held.erase(0, used);
            if (parser.fault()) {
                seen.push_back("fault " + std::to_string(parser.fault()->status));
                return seen;
            }
            again = parser.done();
            if (!again) break;
            const herald::ServerRequest& request = parser.request();
            must(request.body.size() <= max_body);
            seen.push_back(request.method + " " + request.target + " " + request.path + "?" +
                           request.query + " " + request.body);
            for (const auto& [name, value] : request.headers) {
                seen.emplace_back(name).append(":").append(value);
            }
            parser.reset();
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    must(read(text, size) == read(text, 1 + size % 7));
    return 0;
}
