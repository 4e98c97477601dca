#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/address.h"
#include "core/url.h"

namespace herald {

/// The header field by which a herald knows its own requests when they come back to it.
inline constexpr std::string_view node_field = "herald-node";

/// Entries of network.allow or network.deny: "10.0.0.0/8", "192.0.2.1", "fd00::/8",
/// "receiver.example", "*.example" (every name below it), "*" (in deny: whatever allow does not
/// name; in allow: whatever is not always refused).
struct NetworkRules {
    std::vector<Network> networks;
    std::vector<std::string> hosts;  ///< lower case, without a dot at the end

    /// The network that holds the address; null: none does. "*" is not looked at.
    [[nodiscard]] const Network* find(const Address& address) const;
    /// The entry that the name matches; null: none does. "*" is not looked at.
    [[nodiscard]] const std::string* find(std::string_view host) const;
    [[nodiscard]] bool everything() const;
};

/// The error quotes the entry and says what is accepted.
[[nodiscard]] Result<NetworkRules> parse_network_rules(std::span<const std::string> entries);

/// Where herald itself takes connections.
struct Listener {
    Address address;
    std::uint16_t port = 0;
};

/// Which addresses herald connects to (docs/network-policy.md). The order of the questions:
/// what nobody may call, herald's own listener, network.deny, network.allow, the default of the
/// address's kind. Has no I/O: names are resolved by others.
class NetworkPolicy {
public:
    /// The addresses of this machine's interfaces, now.
    using LocalAddresses = std::function<std::vector<Address>()>;

    /// The defaults, for a process that does not listen.
    NetworkPolicy() = default;
    NetworkPolicy(NetworkRules allow, NetworkRules deny, LocalAddresses local_addresses);

    /// All listeners of this process. While all of them are on loopback addresses, webhooks may
    /// call loopback addresses.
    void set_listeners(std::vector<Listener> listeners);

    /// Why the URL may not be called, as far as it can be told without asking a name server;
    /// nullopt: nothing speaks against it. `host` is canonical (core/url).
    [[nodiscard]] std::optional<std::string> refuse(std::string_view host,
                                                    std::uint16_t port) const;
    /// Why no connection may be made to this address of `host`; nullopt: it may be made.
    [[nodiscard]] std::optional<std::string> refuse(std::string_view host, const Address& address,
                                                    std::uint16_t port) const;

private:
    [[nodiscard]] std::optional<std::string> refuse_always(const Address& address,
                                                           std::uint16_t port) const;
    [[nodiscard]] std::optional<std::string> refuse_by_kind(const Address& address) const;
    [[nodiscard]] bool is_own(const Address& address, std::uint16_t port) const;

    NetworkRules allow_;
    NetworkRules deny_;
    LocalAddresses local_addresses_;
    std::vector<Listener> listeners_;
    bool loopback_ = false;
};

}  // namespace herald
