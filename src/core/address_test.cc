#include "core/address.h"

#include <gtest/gtest.h>

#include "core/address_kind.h"

namespace herald {
namespace {

Address at(std::string_view text) { return parse_address(text).value(); }

TEST(Address, TextOfAnyFormComesBackInOne) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"::ffff:a00:1", "::ffff:10.0.0.1"},
    };
    for (const auto& [text, same] : cases) EXPECT_EQ(at(text).text(), same);
    EXPECT_NE(at("0.0.0.0"), at("::"));
}

TEST(Address, WhatIsNoAddressIsRefused) {
    for (const std::string_view text :
         {std::string_view(""), std::string_view("10.0.0"), std::string_view("10.0.0.01"),
          std::string_view("10.0.0.256"), std::string_view("0x7f.0.0.1"),
          std::string_view("10.0.0.1\0", 9), std::string_view("[::1]"),
          std::string_view("fe80::1%eth0"), std::string_view("::1::"), std::string_view(" ::1"),
          std::string_view("localhost")}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

TEST(Network, HoldsWhatSharesItsPrefix) {
    struct Case {
        std::string_view network;
        std::string_view address;
        bool holds;
    };
    const Case cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "a00::", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.2", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "ffff::", true},
        {"fc00::/7", "fdff::1", true},
        {"fc00::/7", "fe00::", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::/127", "2001:db8::2", false},
    };
    for (const Case& c : cases) {
        const Network network = parse_network(c.network).value();
        EXPECT_EQ(network.contains(at(c.address)), c.holds) << c.network << " " << c.address;
    }
    EXPECT_EQ(parse_network("fd00::/8")->text(), "fd00::/8");
    EXPECT_EQ(parse_network("10.0.0.1")->text(), "10.0.0.1/32");
}

TEST(Network, RefusalNamesTheFix) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"10.0.0.1/8", "write 10.0.0.0/8"},
        {"fd00::1/64", "write fd00::/64"},
        {"10.0.0.0/33", "from 0 to 32"},
        {"::/129", "from 0 to 128"},
        {"10.0.0.0/", "from 0 to 32"},
        {"10.0.0.0/-1", "from 0 to 32"},
        {"10.0.0.0/8x", "from 0 to 32"},
        {"10.0.0.0/255.0.0.0", "from 0 to 32"},
        {"10.0.0/8", "write it as in 10.0.0.0/8"},
        {"", "write it as in 10.0.0.0/8"},
    };
    for (const auto& [text, says] : cases) {
        const auto network = parse_network(text);
        ASSERT_FALSE(network) << text;
        EXPECT_NE(network.error().message.find(says), std::string::npos)
            << text << ": " << network.error().message;
    }
}

TEST(AddressKind, BordersOfTheRangesAreExact) {
    using enum AddressKind;
    const std::pair<std::string_view, AddressKind> cases[] = {
        {"0.255.255.255", reserved},
        {"1.0.0.0", global},
        {"9.255.255.255", global},
        {"10.0.0.0", private_use},
        {"100.63.255.255", global},
        {"100.64.0.0", private_use},
        {"100.100.100.200", metadata},
        {"100.127.255.255", private_use},
        {"100.128.0.0", global},
        {"126.255.255.255", global},
        {"127.0.0.0", loopback},
        {"127.255.255.255", loopback},
        {"128.0.0.0", global},
        {"168.63.129.16", metadata},
        {"169.253.255.255", global},
        {"169.254.0.0", link_local},
        {"169.254.169.254", metadata},
        {"169.254.255.255", link_local},
        {"169.255.0.0", global},
        {"172.15.255.255", global},
        {"172.16.0.0", private_use},
        {"172.31.255.255", private_use},
        {"172.32.0.0", global},
        {"191.255.255.255", global},
        {"192.0.0.255", reserved},
        {"192.0.1.0", global},
        {"192.0.2.0", special},
        {"192.0.3.0", global},
        {"192.167.255.255", global},
        {"192.168.0.0", private_use},
        {"192.169.0.0", global},
        {"198.17.255.255", global},
        {"198.18.0.0", special},
        {"198.20.0.0", global},
        {"223.255.255.255", global},
        {"224.0.0.0", multicast},
        {"239.255.255.255", multicast},
        {"240.0.0.0", reserved},
        {"255.255.255.255", reserved},
        {"::", unspecified},
        {"::1", loopback},
        {"::2", special},
        {"::1:0:0", reserved},
        {"::ffff:10.0.0.1", private_use},
        {"::ffff:127.0.0.1", loopback},
        {"::fffe:10.0.0.1", reserved},
        {"64:ff9b::1.2.3.4", global},
        {"64:ff9b:0:1::", reserved},
        {"64:ff9b:1::", special},
        {"64:ff9b:2::", reserved},
        {"1fff::", reserved},
        {"2000::", global},
        {"2001::", special},
        {"2001:1::", reserved},
        {"2001:1ff:ffff::", reserved},
        {"2001:200::", global},
        {"2001:db7::", global},
        {"2001:db8::", special},
        {"2001:db9::", global},
        {"2002::", special},
        {"2003::", global},
        {"3fff:fff::", special},
        {"3fff:1000::", global},
        {"4000::", reserved},
        {"fbff::", reserved},
        {"fc00::", private_use},
        {"fdff::", private_use},
        {"fd00:ec2::254", metadata},
        {"fe00::", reserved},
        {"fe80::", link_local},
        {"febf::", link_local},
        {"fec0::", special},
        {"feff::", special},
        {"ff00::", multicast},
    };
    for (const auto& [text, kind] : cases) EXPECT_EQ(classify(at(text)).kind, kind) << text;
}

TEST(AddressKind, FormsThatCarryAnIpv4AddressGiveItBack) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"64:ff9b::a9fe:a9fe", "169.254.169.254"},
        {"64:ff9b:1::10.0.0.1", "10.0.0.1"},
        {"2002:7f00:1::5", "127.0.0.1"},
        {"2001:0:1:2:3:4:5601:5601", "169.254.169.254"},
        {"::8.8.8.8", "8.8.8.8"},
        {"::ffff:0:127.0.0.1", "127.0.0.1"},
        {"2001:4860::5efe:10.0.0.1", "10.0.0.1"},
        {"fd00::200:5efe:8.8.8.8", "8.8.8.8"},
    };
    for (const auto& [text, inner] : cases) {
        ASSERT_TRUE(classify(at(text)).inner) << text;
        EXPECT_EQ(classify(at(text)).inner->text(), inner) << text;
    }
    EXPECT_FALSE(classify(at("2001:4860::1")).inner);
    EXPECT_FALSE(classify(at("::ffff:10.0.0.1")).inner) << "it is the IPv4 address itself";
}

}  // namespace
}  // namespace herald
