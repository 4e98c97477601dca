#include "core/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace herald {

namespace {

unsigned width(const Address& address) { return address.v6 ? 128 : 32; }

/// `address` with all bits behind the first `bits` set to 0.
Address cut(Address address, unsigned bits) {
    for (unsigned i = 0; i < address.bytes.size(); ++i) {
        const unsigned kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
        address.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
    }
    return address;
}

}  // namespace

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    const int family = v6 ? AF_INET6 : AF_INET;
    return ::inet_ntop(family, bytes.data(), buffer.data(), static_cast<socklen_t>(buffer.size()));
}

std::optional<Address> parse_address(std::string_view text) {
    const std::string terminated(text);
    if (terminated.size() != std::string_view(terminated.c_str()).size()) return std::nullopt;
    Address address;
    address.v6 = text.contains(':');
    const int family = address.v6 ? AF_INET6 : AF_INET;
    if (::inet_pton(family, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

Address embedded_ipv4(const Address& address, std::size_t from) {
    Address inner;
    std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(from), 4, inner.bytes.begin());
    return inner;
}

Address without_mapping(const Address& address) {
    static const Network mapped = parse_network("::ffff:0:0/96").value();
    return mapped.contains(address) ? embedded_ipv4(address, 12) : address;
}

bool Network::contains(const Address& address) const {
    return address.v6 == first.v6 && cut(address, bits) == first;
}

std::string Network::text() const { return first.text() + "/" + std::to_string(bits); }

Result<Network> parse_network(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        return fail(Errc::invalid, "is no network: write it as in 10.0.0.0/8 or fd00::/8");
    }
    Network network{*address, width(*address)};
    if (slash < text.size()) {
        const std::string_view written = text.substr(slash + 1);
        const char* end = written.data() + written.size();
        const auto [stop, error] = std::from_chars(written.data(), end, network.bits);
        if (error != std::errc{} || stop != end || network.bits > width(*address)) {
            return fail(Errc::invalid, "must have a prefix from 0 to " +
                                           std::to_string(width(*address)) + " behind the '/'");
        }
    }
    const Network whole{cut(*address, network.bits), network.bits};
    if (whole != network) {
        return fail(Errc::invalid,
                    "has bits behind its prefix that are not 0: write " + whole.text());
    }
    return network;
}

}  // namespace herald
