#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace herald {

/// An IP address as its bytes in network order.
struct Address {
    std::array<std::uint8_t, 16> bytes{};  ///< of an IPv4 address the first four, the rest is 0
    bool v6 = false;

    /// As RFC 5952 writes it: "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1".
    [[nodiscard]] std::string text() const;

    auto operator<=>(const Address&) const = default;
};

/// Four decimal numbers, or IPv6 in any form of RFC 4291 without brackets and zone; nullopt for
/// everything else.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// The IPv4 address in the bytes `from` to `from + 3` of an IPv6 address.
[[nodiscard]] Address embedded_ipv4(const Address& address, std::size_t from);

/// An IPv4-mapped address (::ffff:0:0/96) as what it is: the system sends it as IPv4. Any other
/// stays as it is.
[[nodiscard]] Address without_mapping(const Address& address);

/// A network: all addresses of one family that share the first `bits` bits.
struct Network {
    Address first;
    unsigned bits = 0;  ///< at most 32 for IPv4, 128 for IPv6

    [[nodiscard]] bool contains(const Address& address) const;
    /// "10.0.0.0/8"
    [[nodiscard]] std::string text() const;

    bool operator==(const Network&) const = default;
};

/// "10.0.0.0/8", "fd00::/8", or one address. The error says what is wrong and the fix: bits behind
/// the prefix that are not 0 are a mistake more often than meant.
[[nodiscard]] Result<Network> parse_network(std::string_view text);

}  // namespace herald
