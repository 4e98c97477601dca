#include "app/interfaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/network_policy.h"

namespace herald {
namespace {

TEST(InterfaceAddresses, HoldLoopbackAndEveryAddressOfThisMachineIsItsOwnListener) {
    const std::vector<Address> addresses = interface_addresses();
    EXPECT_THAT(addresses, testing::Contains(parse_address("127.0.0.1").value()));
    const std::vector<std::string> everything{"*"};
    NetworkPolicy policy(parse_network_rules(everything).value(), {}, interface_addresses);
    policy.set_listeners({{parse_address("0.0.0.0").value(), 8300}});
    for (const Address& address : addresses) {
        EXPECT_TRUE(policy.refuse("me.example", address, 8300)) << address.text();
    }
}

}  // namespace
}  // namespace herald
