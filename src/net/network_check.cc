#include "net/network_check.h"

#include <algorithm>
#include <optional>

namespace herald {

namespace {

Outcome to_outcome(const std::string& host, const std::optional<std::string>& refusal) {
    if (!refusal) return {};
    return {FailureClass::config,
            "The network policy refuses the host " + host + ": " + *refusal + "."};
}

Address to_address(const boost::asio::ip::address& from) {
    Address address;
    address.v6 = from.is_v6();
    if (address.v6) {
        std::ranges::copy(from.to_v6().to_bytes(), address.bytes.begin());
    } else {
        std::ranges::copy(from.to_v4().to_bytes(), address.bytes.begin());
    }
    return address;
}

}  // namespace

Outcome check_name(const NetworkPolicy* policy, const std::string& host, std::uint16_t port) {
    if (policy == nullptr) return {};
    return to_outcome(host, policy->refuse(host, port));
}

Outcome check_addresses(const NetworkPolicy* policy, const std::string& host, std::uint16_t port,
                        const NameAnswer& answer) {
    if (policy == nullptr) return {};
    for (const auto& one : answer.addresses) {
        if (auto refusal = policy->refuse(host, to_address(one), port)) {
            return to_outcome(host, refusal);
        }
    }
    return {};
}

}  // namespace herald
