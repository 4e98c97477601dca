#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/address.h"
#include "core/address_kind.h"
#include "core/network_policy.h"
#include "core/url.h"

/// A URL that is taken has a canonical host: written into a URL again it comes back as it is. A
/// host that is an address is judged as its bytes are, and a policy that refuses an address when
/// everything is allowed refuses it by default too.
namespace {

using herald::AddressKind;

bool is_never_called(AddressKind kind) {
    return kind == AddressKind::link_local || kind == AddressKind::metadata ||
           kind == AddressKind::unspecified || kind == AddressKind::multicast ||
           kind == AddressKind::reserved;
}

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string everything[] = {"*"};
    static const herald::NetworkPolicy by_default;
    static const herald::NetworkPolicy open(herald::parse_network_rules(everything).value(), {},
                                            {});
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto url = herald::parse_url(text);
    if (!url) return 0;
    const auto again = herald::parse_url("http://" + url->host_header() + url->target);
    check(again && again->host == url->host && again->target == url->target);
    const bool refused = open.refuse(url->host, url->port).has_value();
    check(!refused || by_default.refuse(url->host, url->port));
    const auto address = herald::parse_address(url->host);
    if (address) check(refused || !is_never_called(herald::classify(*address).kind));
    return 0;
}
