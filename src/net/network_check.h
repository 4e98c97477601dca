#pragma once

#include <cstdint>
#include <string>

#include "core/attempt.h"
#include "core/network_policy.h"
#include "net/resolver.h"

namespace herald {

// The network policy over the answers of name servers. Whoever opens a connection, to a receiver
// or to a proxy, asks both and dials only addresses of the answer that was checked. `policy` null:
// everything passes. A refusal is an outcome of class CONFIG that names the address and the rule.

/// What the name alone says. Before the look-up; and for a receiver behind a proxy that resolves
/// names itself.
[[nodiscard]] Outcome check_name(const NetworkPolicy* policy, const std::string& host,
                                 std::uint16_t port);

/// One address that is refused refuses the whole answer: a name that leads to a receiver and to
/// something else is no mistake.
[[nodiscard]] Outcome check_addresses(const NetworkPolicy* policy, const std::string& host,
                                      std::uint16_t port, const NameAnswer& answer);

}  // namespace herald
