#include "core/network_policy.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace herald {
namespace {

using Entries = std::vector<std::string>;

Address at(std::string_view text) { return parse_address(text).value(); }
NetworkRules rules(const Entries& entries) { return parse_network_rules(entries).value(); }

/// This machine in these tests.
std::vector<Address> interfaces() { return {at("127.0.0.1"), at("192.168.7.1"), at("fd00:7::1")}; }

NetworkPolicy policy(const Entries& allow, const Entries& deny,
                     std::string_view listens_on = "0.0.0.0") {
    NetworkPolicy made(rules(allow), rules(deny), interfaces);
    made.set_listeners({{at(listens_on), 8300}});
    return made;
}

/// Every line of tests/data/network_targets.json. "url": no URL; "always": refused whatever is
/// allowed; "default": refused unless it is allowed.
const boost::json::object& targets() {
    static const boost::json::object read = [] {
        std::ifstream file(HERALD_SOURCE_DIR "/tests/data/network_targets.json");
        std::ostringstream text;
        text << file.rdbuf();
        return boost::json::parse(text.str()).as_object();
    }();
    return read;
}

std::string text(const boost::json::value& row, std::string_view member) {
    return std::string(row.at(member).as_string());
}

struct Policies {
    NetworkPolicy by_default = policy({}, {});
    NetworkPolicy open = policy({"*"}, {});
};

TEST(NetworkTargets, NoHostileUrlPasses) {
    const Policies policies;
    const boost::json::array& rows = targets().at("urls").as_array();
    EXPECT_GE(rows.size(), 200U);
    std::set<std::string> seen;
    for (const boost::json::value& row : rows) {
        const std::string why = text(row, "url") + " - " + text(row, "why");
        EXPECT_TRUE(seen.insert(text(row, "url")).second) << "twice: " << why;
        const auto url = parse_url(text(row, "url"));
        ASSERT_EQ(url.has_value(), text(row, "refused") != "url") << why;
        if (!url) continue;
        EXPECT_TRUE(policies.by_default.refuse(url->host, url->port)) << why;
        EXPECT_EQ(policies.open.refuse(url->host, url->port).has_value(),
                  text(row, "refused") == "always")
            << why;
    }
}

TEST(NetworkTargets, NoHostileAnswerPasses) {
    const Policies policies;
    for (const boost::json::value& row : targets().at("answers").as_array()) {
        const std::string host = text(row, "host");
        const std::string why = host + " - " + text(row, "why");
        const auto refuses = [&](const NetworkPolicy& by) {
            const auto port = static_cast<std::uint16_t>(row.at("port").as_int64());
            bool refused = by.refuse(host, port).has_value();
            for (const boost::json::value& one : row.at("addresses").as_array()) {
                const std::string_view address = one.as_string();
                refused = refused || by.refuse(host, at(address), port).has_value();
            }
            return refused;
        };
        EXPECT_TRUE(refuses(policies.by_default)) << why;
        EXPECT_EQ(refuses(policies.open), text(row, "refused") == "always") << why;
    }
}

TEST(NetworkTargets, EveryGoodUrlPassesAndHasItsCanonicalForm) {
    const Policies policies;
    const boost::json::array& rows = targets().at("good").as_array();
    EXPECT_GE(rows.size(), 40U);
    for (const boost::json::value& row : rows) {
        const std::string why = text(row, "url") + " - " + text(row, "why");
        const auto url = parse_url(text(row, "url"));
        ASSERT_TRUE(url) << why << ": " << url.error().message;
        EXPECT_EQ((url->tls ? "https://" : "http://") + url->host_header() + url->target,
                  text(row, "is"))
            << why;
        const auto refusal = policies.by_default.refuse(url->host, url->port);
        EXPECT_FALSE(refusal) << why << ": " << refusal.value_or("");
    }
}

TEST(NetworkPolicy, LoopbackIsOpenOnlyWhileEveryListenerIsOnLoopback) {
    NetworkPolicy made({}, {}, interfaces);
    const auto refused = [&] { return made.refuse("127.0.0.1", 80).has_value(); };
    EXPECT_TRUE(refused()) << "herald does not listen";
    made.set_listeners({{at("127.0.0.1"), 8300}});
    EXPECT_FALSE(refused());
    EXPECT_FALSE(made.refuse("localhost", 80));
    EXPECT_FALSE(made.refuse("receiver.example", at("::1"), 80));
    made.set_listeners({{at("127.0.0.1"), 8300}, {at("::1"), 8300}});
    EXPECT_FALSE(refused());
    made.set_listeners({{at("127.0.0.1"), 8300}, {at("192.168.7.1"), 8300}});
    EXPECT_TRUE(refused());
    made.set_listeners({{at("::"), 8300}});
    EXPECT_TRUE(refused());
    EXPECT_TRUE(made.refuse("localhost", 80));
}

TEST(NetworkPolicy, OwnListenerIsRefusedAtEachAddressThatReachesIt) {
    struct Case {
        std::string_view listens_on;
        std::string_view address;
        std::uint16_t port;
        bool own;
    };
    const Case cases[] = {
        {"127.0.0.1", "127.0.0.1", 8300, true},
        {"127.0.0.1", "127.0.0.1", 8301, false},
        {"127.0.0.1", "127.0.0.2", 8300, false},
        {"127.0.0.1", "192.168.7.1", 8300, false},
        {"127.0.0.1", "::ffff:127.0.0.1", 8300, true},
        {"192.168.7.1", "192.168.7.1", 8300, true},
        {"192.168.7.1", "192.168.7.2", 8300, false},
        {"0.0.0.0", "192.168.7.1", 8300, true},
        {"0.0.0.0", "192.168.7.1", 80, false},
        {"0.0.0.0", "192.168.7.2", 8300, false},
        {"0.0.0.0", "127.9.9.9", 8300, true},
        {"0.0.0.0", "fd00:7::1", 8300, true},
        {"::", "192.168.7.1", 8300, true},
        {"::", "::1", 8300, true},
        {"::", "fd00:7::2", 8300, false},
        {"::1", "::1", 8300, true},
    };
    for (const Case& c : cases) {
        const auto refusal =
            policy({"*"}, {}, c.listens_on).refuse("me.example", at(c.address), c.port);
        EXPECT_EQ(refusal.has_value(), c.own) << c.listens_on << " " << c.address << " " << c.port;
        EXPECT_EQ(refusal.value_or("").contains("where herald itself listens"), c.own);
    }
}

TEST(NetworkPolicy, DenyWinsOverAllow) {
    const NetworkPolicy made = policy({"10.1.0.0/16", "*.good.example", "a.example"},
                                      {"10.0.0.0/8", "bad.good.example", "a.example"});
    EXPECT_TRUE(made.refuse("10.1.0.1", 80));
    EXPECT_TRUE(made.refuse("bad.good.example", at("8.8.8.8"), 80));
    EXPECT_TRUE(made.refuse("a.example", at("8.8.8.8"), 80));
    EXPECT_TRUE(made.refuse("x.good.example", at("10.1.0.1"), 80)) << "by its address";
    EXPECT_TRUE(made.refuse("x.example", at("::ffff:10.1.0.1"), 80));
    EXPECT_TRUE(made.refuse("x.example", at("64:ff9b::10.1.0.1"), 80)) << "by what is in it";
    EXPECT_FALSE(made.refuse("x.good.example", at("8.8.8.8"), 80));
}

TEST(NetworkPolicy, AllowOpensWhatTheDefaultsRefuseAndNothingThatIsAlwaysRefused) {
    const NetworkPolicy made =
        policy({"127.0.0.0/8", "192.0.2.0/24", "169.254.0.0/16", "side.car"}, {});
    EXPECT_FALSE(made.refuse("127.0.0.1", 80));
    EXPECT_FALSE(made.refuse("localhost", 80));
    EXPECT_FALSE(made.refuse("192.0.2.1", 80));
    EXPECT_FALSE(made.refuse("side.car", at("::1"), 80)) << "by its name";
    EXPECT_FALSE(made.refuse("side.car.", at("::1"), 80)) << "with the dot at its end";
    EXPECT_TRUE(made.refuse("other.car", at("::1"), 80));
    EXPECT_TRUE(made.refuse("169.254.1.1", 80));
    EXPECT_TRUE(made.refuse("169.254.169.254", 80));
    EXPECT_TRUE(made.refuse("side.car", at("169.254.169.254"), 80));
    EXPECT_TRUE(made.refuse("127.0.0.1", 8300)) << "herald's own listener";
}

TEST(NetworkPolicy, DenyOfEverythingLeavesWhatIsAllowed) {
    const NetworkPolicy made = policy({"10.0.0.0/8", "*.example"}, {"*"});
    EXPECT_FALSE(made.refuse("10.0.0.1", 80));
    EXPECT_FALSE(made.refuse("a.example", at("8.8.8.8"), 80));
    EXPECT_FALSE(made.refuse("elsewhere.test", at("10.0.0.1"), 80));
    EXPECT_TRUE(made.refuse("example", at("8.8.8.8"), 80)) << "*.example is what is below it";
    EXPECT_TRUE(made.refuse("elsewhere.test", at("8.8.8.8"), 80));
    EXPECT_TRUE(made.refuse("8.8.8.8", 80));
    EXPECT_FALSE(made.refuse("elsewhere.test", 80)) << "its addresses will tell";
}

TEST(NetworkPolicy, HostEntriesTakeCaseAndTheDotAtTheEndAsNothing) {
    const NetworkPolicy made = policy({}, {"Bad.Example.", "*.Worse.Example"});
    for (const char* host :
         {"bad.example", "bad.example.", "a.worse.example", "b.a.worse.example."}) {
        const auto refusal = made.refuse(host, 80);
        ASSERT_TRUE(refusal) << host;
        EXPECT_NE(refusal->find("network.deny"), std::string::npos);
        EXPECT_TRUE(made.refuse(host, at("8.8.8.8"), 80)) << host;
    }
    for (const char* host :
         {"a.bad.example", "worse.example", "notworse.example", "bad.example.org"}) {
        EXPECT_FALSE(made.refuse(host, 80)) << host;
    }
}

TEST(NetworkPolicy, RefusalSaysWhichAddressAndWhichRule) {
    const NetworkPolicy made = policy({}, {"10.0.0.0/8"});
    const auto why = [&](std::string_view address) {
        return made.refuse("x.example", at(address), 80).value_or("");
    };
    EXPECT_EQ(why("169.254.169.254"),
              "169.254.169.254 is the metadata address of cloud providers, and such are always "
              "refused");
    EXPECT_EQ(why("64:ff9b::a9fe:1"),
              "64:ff9b::a9fe:1 leads on: 169.254.0.1 is a link-local address (RFC 3927), and such "
              "are always refused");
    EXPECT_EQ(why("10.1.2.3"), "10.1.2.3 is refused by \"10.0.0.0/8\" in network.deny");
    EXPECT_EQ(why("127.0.0.1"),
              "127.0.0.1 is a loopback address (RFC 1122), and herald listens not only on "
              "loopback: name it in network.allow if it is meant");
    EXPECT_EQ(why("192.0.2.1"),
              "192.0.2.1 is a documentation address (RFC 5737): name it in network.allow if it is "
              "meant");
}

TEST(NetworkRules, WrongEntriesAreQuotedWithTheFix) {
    const std::pair<std::string, std::string_view> cases[] = {
        {"10.0.0.1/8", "write 10.0.0.0/8"},
        {"10.0.0/8", "write it as in 10.0.0.0/8"},
        {"127.1", "is neither a network"},
        {"2130706433", "is neither a network"},
        {"http://receiver.example", "write it as in"},
        {"receiver.example:80", "write it as in"},
        {"a b", "is neither a network"},
        {"*.*.example", "is neither a network"},
        {"a*.example", "is neither a network"},
        {"*.", "is neither a network"},
        {"user@receiver.example", "is neither a network"},
        {"::ffff:10.0.0.0/104", "write it as IPv4"},
        {"[::1]", "write it as in"},
        {"", "is neither a network"},
    };
    for (const auto& [entry, says] : cases) {
        const auto read = parse_network_rules(Entries{"10.0.0.0/8", entry});
        ASSERT_FALSE(read) << entry;
        EXPECT_TRUE(read.error().message.starts_with("\"" + entry + "\" ")) << read.error().message;
        EXPECT_NE(read.error().message.find(says), std::string::npos) << read.error().message;
    }
}

}  // namespace
}  // namespace herald
