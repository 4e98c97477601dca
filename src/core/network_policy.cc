#include "core/network_policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/address_kind.h"
#include "core/ascii.h"

namespace herald {

namespace {

using Refusal = std::optional<std::string>;

/// Names of metadata services: behind a proxy herald may not see what they lead to.
constexpr std::array<std::string_view, 6> metadata_hosts{
    "metadata.google.internal",   "metadata.goog",      "metadata.tencentyun.com", "instance-data",
    "instance-data.ec2.internal", "metadata.packet.net"};

std::string_view without_dot(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

/// "*.example" holds every name below example, not example itself.
bool matches(std::string_view entry, std::string_view host) {
    if (entry.starts_with("*.")) return host.ends_with(entry.substr(1));
    return entry == host;
}

bool is_host_entry(std::string_view entry) {
    if (entry.starts_with("*.")) entry.remove_prefix(2);
    const auto url = parse_url("http://" + std::string(entry));
    return url && url->host == ascii::lower(entry) && url->port == 80 && url->target == "/" &&
           !parse_address(url->host);
}

/// RFC 6761, section 6.3: these names are loopback, whatever a name server says.
bool is_localhost(std::string_view host) {
    return host == "localhost" || host.ends_with(".localhost");
}

bool is_unspecified(const Address& address) {
    return classify(address).kind == AddressKind::unspecified;
}

}  // namespace

const Network* NetworkRules::find(const Address& address) const {
    const auto found = std::ranges::find_if(
        networks, [&](const Network& network) { return network.contains(address); });
    return found == networks.end() ? nullptr : &*found;
}

const std::string* NetworkRules::find(std::string_view host) const {
    const auto found =
        std::ranges::find_if(hosts, [&](const std::string& entry) { return matches(entry, host); });
    return found == hosts.end() ? nullptr : &*found;
}

bool NetworkRules::everything() const { return std::ranges::find(hosts, "*") != hosts.end(); }

Result<NetworkRules> parse_network_rules(std::span<const std::string> entries) {
    NetworkRules rules;
    for (const std::string& entry : entries) {
        const std::string_view host = without_dot(entry);
        if (entry == "*" || is_host_entry(host)) {
            rules.hosts.push_back(ascii::lower(host));
            continue;
        }
        auto network = parse_network(entry);
        if (network && without_mapping(network->first) != network->first) {
            network = fail(Errc::invalid, "is an IPv4-mapped network: write it as IPv4");
        }
        if (!network) {
            const bool numbers = entry.contains('/') || entry.contains(':');
            return fail(Errc::invalid,
                        "\"" + entry + "\" " +
                            (numbers ? network.error().message
                                     : "is neither a network such as 10.0.0.0/8 nor a host such "
                                       "as receiver.example or *.example"));
        }
        rules.networks.push_back(*network);
    }
    return rules;
}

NetworkPolicy::NetworkPolicy(NetworkRules allow, NetworkRules deny, LocalAddresses local_addresses)
    : allow_(std::move(allow)),
      deny_(std::move(deny)),
      local_addresses_(std::move(local_addresses)) {}

void NetworkPolicy::set_listeners(std::vector<Listener> listeners) {
    listeners_ = std::move(listeners);
    loopback_ = !listeners_.empty() && std::ranges::all_of(listeners_, [](const Listener& one) {
        return classify(one.address).kind == AddressKind::loopback;
    });
}

Refusal NetworkPolicy::refuse(std::string_view host, std::uint16_t port) const {
    if (const auto address = parse_address(host)) return refuse(host, *address, port);
    const std::string_view name = without_dot(host);
    if (std::ranges::find(metadata_hosts, name) != metadata_hosts.end()) {
        return std::string(name) +
               " is the name of a metadata service, and such are always refused";
    }
    if (const std::string* entry = deny_.find(name)) {
        return std::string(name) + " is refused by \"" + *entry + "\" in network.deny";
    }
    if (!is_localhost(name)) return std::nullopt;
    return refuse(host, parse_address("127.0.0.1").value(), port);
}

Refusal NetworkPolicy::refuse(std::string_view host, const Address& address,
                              std::uint16_t port) const {
    const Address plain = without_mapping(address);
    const std::string_view name = without_dot(host);
    if (auto always = refuse_always(plain, port)) return always;
    if (const std::string* entry = deny_.find(name)) {
        return std::string(name) + " is refused by \"" + *entry + "\" in network.deny";
    }
    const bool allowed =
        allow_.find(plain) != nullptr || allow_.find(name) != nullptr || allow_.everything();
    if (allowed) return std::nullopt;
    if (deny_.everything()) {
        return plain.text() +
               " is refused by \"*\" in network.deny: name it in network.allow if "
               "it is meant";
    }
    return refuse_by_kind(plain);
}

/// What network.allow cannot open.
Refusal NetworkPolicy::refuse_always(const Address& address, std::uint16_t port) const {
    const Classified is = classify(address);
    const std::string text = address.text();
    switch (is.kind) {
        case AddressKind::link_local:
        case AddressKind::metadata:
        case AddressKind::unspecified:
        case AddressKind::multicast:
        case AddressKind::reserved:
            return text + " is " + std::string(is.what) + ", and such are always refused";
        default: break;
    }
    if (is_own(address, port)) {
        return text + " port " + std::to_string(port) + " is where herald itself listens";
    }
    if (const Network* network = deny_.find(address)) {
        return text + " is refused by \"" + network->text() + "\" in network.deny";
    }
    if (!is.inner) return std::nullopt;
    auto inner = refuse_always(*is.inner, port);
    if (!inner && classify(*is.inner).kind == AddressKind::loopback) {
        inner = is.inner->text() + " is a loopback address, of another machine";
    }
    if (inner) return text + " leads on: " + *inner;
    return std::nullopt;
}

Refusal NetworkPolicy::refuse_by_kind(const Address& address) const {
    const Classified is = classify(address);
    const std::string start = address.text() + " is " + std::string(is.what);
    if (is.kind == AddressKind::loopback && !loopback_) {
        return start +
               ", and herald listens not only on loopback: name it in network.allow if it "
               "is meant";
    }
    if (is.kind == AddressKind::special) {
        return start + ": name it in network.allow if it is meant";
    }
    return std::nullopt;
}

/// A listener on all addresses takes connections at each of this machine, all of loopback included.
bool NetworkPolicy::is_own(const Address& address, std::uint16_t port) const {
    return std::ranges::any_of(listeners_, [&](const Listener& listener) {
        if (listener.port != port) return false;
        if (!is_unspecified(listener.address)) return without_mapping(listener.address) == address;
        if (classify(address).kind == AddressKind::loopback) return true;
        if (!local_addresses_) return false;
        const std::vector<Address> local = local_addresses_();
        return std::ranges::find(local, address) != local.end();
    });
}

}  // namespace herald
