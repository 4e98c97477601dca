#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/query.h"

/// A text that is taken as a cursor is exactly the one that make_cursor writes for the same place;
/// and what make_cursor writes for any place comes back.
namespace {

void read_anything(std::string_view text) {
    for (const char list : {'e', 'd'}) {
        for (const auto order : {herald::Order::newest_first, herald::Order::oldest_first}) {
            const auto place = herald::read_cursor(list, order, text);
            if (place && herald::make_cursor(list, order, *place) != text) std::abort();
        }
    }
}

void write_anything(std::string_view seed) {
    std::uint64_t place = 0;
    for (const char byte : seed.substr(0, 8)) place = place << 8 | static_cast<std::uint8_t>(byte);
    const std::string text = herald::make_cursor('e', herald::Order::oldest_first, place);
    const auto back = herald::read_cursor('e', herald::Order::oldest_first, text);
    if (!back || *back != place) std::abort();
    if (herald::read_cursor('d', herald::Order::oldest_first, text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_anything(text);
    write_anything(text);
    return 0;
}
