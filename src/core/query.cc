#include "core/query.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/bytes.h"

namespace herald {

namespace {

// A cursor in bytes, then base64url. 15 bytes make 20 characters without padding or spare bits,
// so one place has one text. To change the form, raise the version; old cursors are then
// refused, which costs a client one page.
//   0  version    1  list    2  order    3..10  place, big-endian    11..14  check sum
constexpr char version = 1;
constexpr std::size_t place_at = 3;
constexpr std::size_t sum_at = 11;
constexpr std::size_t cursor_bytes = 15;
constexpr std::size_t cursor_text = 20;
constexpr std::string_view sum_domain = "herald-cursor:";

/// The first 32 bits of a SHA-256: against mangled text, not against forgery, which gains nothing.
std::string check_sum(std::string_view head) {
    const Digest digest = sha256(std::string(sum_domain) + std::string(head));
    std::string sum;
    for (const std::uint8_t byte : std::span(digest).first(4)) sum += static_cast<char>(byte);
    return sum;
}

std::optional<std::string> decode(std::string_view text) {
    if (text.size() != cursor_text || text.find_first_of("+/=") != text.npos) return std::nullopt;
    std::string standard(text);
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    auto bytes = from_base64(standard);
    if (!bytes || bytes->size() != cursor_bytes) return std::nullopt;
    return bytes;
}

std::unexpected<Error> refuse(std::string detail) {
    return fail_field("/cursor", std::move(detail));
}

}  // namespace

std::string make_cursor(char list, Order order, std::uint64_t place) {
    std::string bytes{version, list, order == Order::newest_first ? 'n' : 'o'};
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(static_cast<std::uint8_t>(place >> shift));
    }
    bytes += check_sum(bytes);
    std::string text = to_base64(as_bytes(bytes));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

Result<std::uint64_t> read_cursor(char list, Order order, std::string_view text) {
    const auto bytes = decode(text);
    if (!bytes || (*bytes)[0] != version ||
        check_sum(std::string_view(*bytes).substr(0, sum_at)) != bytes->substr(sum_at)) {
        return refuse(
            "is not a cursor of this server: use the one that came with the page before, "
            "unchanged, or leave it out to start again");
    }
    if ((*bytes)[1] != list) {
        return refuse("was made for another list: leave it out to start this list");
    }
    if ((*bytes)[2] != (order == Order::newest_first ? 'n' : 'o')) {
        return refuse(
            "was made for the other order: keep the order of the page before, or leave "
            "the cursor out to start again");
    }
    std::uint64_t place = 0;
    for (const char byte : std::string_view(*bytes).substr(place_at, 8)) {
        place = place << 8 | static_cast<std::uint8_t>(byte);
    }
    return place;
}

}  // namespace herald
