#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace herald {

/// What a hexadecimal digit of either case stands for; -1: it is none.
[[nodiscard]] int hex_value(char c);

using Digest = std::array<std::uint8_t, 32>;

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

/// Standard alphabet, padded.
[[nodiscard]] std::string to_base64(std::span<const std::uint8_t> bytes);
/// Standard alphabet; padding may be missing (as the Python library allows), nothing else may.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Time depends on the lengths only, never on the contents.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b);

[[nodiscard]] Digest sha256(std::string_view data);

/// Fills with bytes of the system's cryptographic random source. Aborts when there is none.
void fill_random(std::span<std::uint8_t> bytes);

[[nodiscard]] inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace herald
