// A data table: the special-purpose addresses and what they are.
#include "core/address_kind.h"

#include <algorithm>
#include <array>
#include <vector>

namespace herald {

namespace {

/// Where the IPv4 address stands in a form that carries one.
enum class Inner : std::uint8_t { none, at_2, at_12, at_12_inverted };

struct Row {
    std::string_view network;
    AddressKind kind;
    std::string_view what;
    Inner inner = Inner::none;
};

using enum AddressKind;

/// The first row that holds an address says what it is.
constexpr std::array rows{
    // IPv4: iana-ipv4-special-registry, and what clouds document.
    Row{"169.254.169.254", metadata, "the metadata address of cloud providers"},
    Row{"169.254.170.2", metadata, "the credentials address of AWS containers"},
    Row{"169.254.170.23", metadata, "the credentials address of AWS pods"},
    Row{"100.100.100.200", metadata, "the metadata address of Alibaba Cloud"},
    Row{"168.63.129.16", metadata, "the platform address of Azure"},
    Row{"192.0.0.192", metadata, "the metadata address of Oracle Cloud"},
    Row{"0.0.0.0", unspecified, "the unspecified address (RFC 1122)"},
    Row{"0.0.0.0/8", reserved, "an address of \"this network\" (RFC 791)"},
    Row{"10.0.0.0/8", private_use, "a private address (RFC 1918)"},
    Row{"100.64.0.0/10", private_use, "a shared address (RFC 6598)"},
    Row{"127.0.0.0/8", loopback, "a loopback address (RFC 1122)"},
    Row{"169.254.0.0/16", link_local, "a link-local address (RFC 3927)"},
    Row{"172.16.0.0/12", private_use, "a private address (RFC 1918)"},
    Row{"192.0.0.0/24", reserved, "an address of IETF protocols (RFC 6890)"},
    Row{"192.0.2.0/24", special, "a documentation address (RFC 5737)"},
    Row{"192.31.196.0/24", special, "an address of AS112 (RFC 7535)"},
    Row{"192.52.193.0/24", special, "an address of AMT (RFC 7450)"},
    Row{"192.88.99.0/24", special, "an address of 6to4 relays (RFC 7526)"},
    Row{"192.168.0.0/16", private_use, "a private address (RFC 1918)"},
    Row{"192.175.48.0/24", special, "an address of AS112 (RFC 7534)"},
    Row{"198.18.0.0/15", special, "a benchmarking address (RFC 2544)"},
    Row{"198.51.100.0/24", special, "a documentation address (RFC 5737)"},
    Row{"203.0.113.0/24", special, "a documentation address (RFC 5737)"},
    Row{"224.0.0.0/4", multicast, "a multicast address (RFC 5771)"},
    Row{"255.255.255.255", reserved, "the broadcast address (RFC 919)"},
    Row{"240.0.0.0/4", reserved, "a reserved address (RFC 1112)"},
    Row{"0.0.0.0/0", global, "a global address"},

    // IPv6: iana-ipv6-special-registry, and what clouds document.
    Row{"fd00:ec2::254", metadata, "the metadata address of AWS"},
    Row{"fd00:ec2::23", metadata, "the credentials address of AWS pods"},
    Row{"fd20:ce::254", metadata, "the metadata address of Google Cloud"},
    Row{"fd00:42::42", metadata, "the metadata address of Scaleway"},
    Row{"fd00:c1::a9fe:a9fe", metadata, "the metadata address of Oracle Cloud"},
    Row{"::", unspecified, "the unspecified address (RFC 4291)"},
    Row{"::1", loopback, "the loopback address (RFC 4291)"},
    Row{"::/96", special, "an IPv4-compatible address (RFC 4291)", Inner::at_12},
    Row{"::ffff:0:0:0/96", special, "an IPv4-translated address (RFC 2765)", Inner::at_12},
    Row{"64:ff9b::/96", global, "a NAT64 address (RFC 6052)", Inner::at_12},
    Row{"64:ff9b:1::/48", special, "a local NAT64 address (RFC 8215)", Inner::at_12},
    Row{"100::/64", reserved, "a discard address (RFC 6666)"},
    Row{"2001::/32", special, "a Teredo address (RFC 4380)", Inner::at_12_inverted},
    Row{"2001:2::/48", special, "a benchmarking address (RFC 5180)"},
    Row{"2001:10::/28", reserved, "an ORCHID (RFC 4843)"},
    Row{"2001:20::/28", reserved, "an ORCHID (RFC 7343)"},
    Row{"2001::/23", reserved, "an address of IETF protocols (RFC 2928)"},
    Row{"2001:db8::/32", special, "a documentation address (RFC 3849)"},
    Row{"2002::/16", special, "a 6to4 address (RFC 3056)", Inner::at_2},
    Row{"2620:4f:8000::/48", special, "an address of AS112 (RFC 7534)"},
    Row{"3ffe::/16", reserved, "an address of the 6bone, which has ended (RFC 3701)"},
    Row{"3fff::/20", special, "a documentation address (RFC 9637)"},
    Row{"5f00::/16", reserved, "an SRv6 segment (RFC 9602)"},
    Row{"fc00::/7", private_use, "a unique local address (RFC 4193)"},
    Row{"fe80::/10", link_local, "a link-local address (RFC 4291)"},
    Row{"fec0::/10", special, "a site-local address (RFC 3879)"},
    Row{"ff00::/8", multicast, "a multicast address (RFC 4291)"},
    Row{"2000::/3", global, "a global address"},
    Row{"::/0", reserved, "an address that is not assigned (RFC 4291)"},
};

std::optional<Address> inner_address(const Address& address, Inner inner) {
    switch (inner) {
        case Inner::none: return std::nullopt;
        case Inner::at_2: return embedded_ipv4(address, 2);
        case Inner::at_12: return embedded_ipv4(address, 12);
        case Inner::at_12_inverted: break;
    }
    Address hidden = embedded_ipv4(address, 12);
    for (std::size_t i = 0; i < 4; ++i) hidden.bytes[i] ^= 0xffU;
    return hidden;
}

/// An interface id of ISATAP (RFC 5214) may stand behind any prefix.
bool is_isatap(const Address& address) {
    return address.v6 && (address.bytes[8] & 0xfdU) == 0 && address.bytes[9] == 0 &&
           address.bytes[10] == 0x5e && address.bytes[11] == 0xfe;
}

}  // namespace

Classified classify(const Address& address) {
    static const std::vector<Network> networks = [] {
        std::vector<Network> read;
        for (const Row& row : rows) read.push_back(parse_network(row.network).value());
        return read;
    }();
    const Address plain = without_mapping(address);
    const auto found =
        std::ranges::find_if(networks, [&](const Network& one) { return one.contains(plain); });
    const Row& row = rows[static_cast<std::size_t>(found - networks.begin())];
    const bool unicast = row.kind == global || row.kind == private_use;
    if (unicast && row.inner == Inner::none && is_isatap(plain)) {
        return {special, "an ISATAP address (RFC 5214)", embedded_ipv4(plain, 12)};
    }
    return {row.kind, row.what, inner_address(plain, row.inner)};
}

}  // namespace herald
