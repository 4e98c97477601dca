#include "core/event_types.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr EventType table[] = {
    {"shop.order.created", true, ""},
    {"shop.order.paid", false, ""},
    {"shop.till.closed", false, "-global-"},
};
const EventTypes types("shop.", table);

TEST(EventTypes, FindsByExactName) {
    ASSERT_NE(types.find("shop.order.paid"), nullptr);
    EXPECT_EQ(types.find("shop.order.paid")->name, "shop.order.paid");
    EXPECT_EQ(types.find("shop.order"), nullptr);
    EXPECT_EQ(types.find("shop.order.*"), nullptr);
    EXPECT_EQ(types.find(""), nullptr);
    EXPECT_EQ(types.all().size(), 3U);
    EXPECT_EQ(types.prefix(), "shop.");
}

TEST(EventTypes, CarriesKindWhenAnyMatchDoes) {
    EXPECT_TRUE(types.carries_kind("shop.order.created"));
    EXPECT_TRUE(types.carries_kind("shop.order.*"));
    EXPECT_FALSE(types.carries_kind("shop.order.paid"));
    EXPECT_FALSE(types.carries_kind("shop.till.*"));
    EXPECT_FALSE(types.carries_kind("unknown"));
}

TEST(EventTypes, WithoutACatalogueNothingIsKnown) {
    const EventTypes none;
    EXPECT_EQ(none.find("shop.order.paid"), nullptr);
    EXPECT_FALSE(none.carries_kind("*"));
}

TEST(Glob, Matches) {
    struct Case {
        std::string_view pattern;
        std::string_view text;
        bool matches;
    };
    const Case cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything.at.all", true},
        {"**", "x", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"abc", "abc", true},
        {"abc", "ABC", false},
        {"abc", "abcd", false},
        {"abcd", "abc", false},
        {"a*", "a", true},
        {"a*", "ba", false},
        {"*.created", "infrahub.node.created", true},
        {"*.created", "infrahub.node.created.not", false},
        {"infrahub.*.created", "infrahub.node.created", true},
        {"infrahub.*.created", "infrahub.created", false},
        {"infrahub.node.*", "infrahub.node.created", true},
        {"infrahub.node.*", "infrahub.node.", true},
        {"infrahub.node.*", "infrahub.node", false},
        {"*a*b*c*", "xxaxxbxxcxx", true},
        {"*a*b*c*", "xxcxxbxxaxx", false},
        {"*ab", "aab", true},
        {"*aab", "aaaab", true},
        {"a?c*e", "abcde", true},
        {"a?c*e", "acde", false},
        {"*?", "", false},
        {"?*?", "a", false},
        {"?*?", "ab", true},
        {"[ab]", "a", false},
        {"[ab]", "[ab]", true},
        {"a\\*", "a\\b", true},
        {"?", "\xc3\xa9", true},
        {"??", "\xc3\xa9", false},
        {"*??", "\xc3\xa9", false},
        {"z?rich", "z\xc3\xbcrich", true},
        {"?", "\xf0\x9f\x98\x80", true},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(glob_match(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
    }
}

TEST(Glob, ManyStarsDoNotExplode) {
    std::string pattern;
    for (int i = 0; i < 50; ++i) pattern += "a*";
    EXPECT_FALSE(glob_match(pattern + "b", std::string(5'000, 'a')));
    EXPECT_TRUE(glob_match(pattern, std::string(5'000, 'a')));
}

TEST(Glob, IsRecognised) {
    EXPECT_TRUE(is_glob("infrahub.*"));
    EXPECT_TRUE(is_glob("node?"));
    EXPECT_FALSE(is_glob("infrahub.node.created"));
    EXPECT_FALSE(is_glob("all"));
    EXPECT_FALSE(is_glob(""));
}

}  // namespace
}  // namespace herald
