#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/address.h"

namespace herald {

/// What an address is for, as far as it matters to one who would connect to it.
enum class AddressKind : std::uint8_t {
    global,       ///< any host of the internet
    private_use,  ///< RFC 1918, RFC 4193, and RFC 6598 that carriers and overlay networks use
    loopback,
    special,      ///< documentation, benchmarks, deprecated forms and ways from IPv6 to IPv4
    link_local,
    metadata,     ///< where clouds tell a machine its credentials
    unspecified,
    multicast,
    reserved,     ///< everything that no host can have
};

struct Classified {
    AddressKind kind = AddressKind::global;
    std::string_view what;         ///< "a link-local address (RFC 3927)"
    std::optional<Address> inner;  ///< the IPv4 address that packets to it end up at
};

/// By the special-purpose registries of IANA (RFC 6890) and the addresses that clouds document.
/// Everything in IPv6 outside 2000::/3 that is not listed is reserved (RFC 4291, section 2.4). A
/// mapped address counts as its IPv4 address.
[[nodiscard]] Classified classify(const Address& address);

}  // namespace herald
