#include "core/json_value.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

JsonValue json(std::string_view canonical) { return JsonValue::of(JsonView(canonical)); }

TEST(JsonValue, NumbersCompareAsTheDecimalNumbersTheyAre) {
    // Ascending; what stands in one line is the same number.
    const std::vector<std::vector<std::string_view>> lines = {
        {"-1e999999999999999999999", "-2e999999999999999999"},
        {"-10", "-1e1", "-10.0"},
        {"-9.99999999999999999999"},
        {"-0.001", "-1E-3"},
        {"0", "-0", "0.0", "0e5", "-0.00e-7", "0e999999999999999999999"},
        {"1e-999999999999999999999"},
        {"0.1", "1e-1", "0.10", "0.01e1"},
        {"0.1000000000000000001"},
        {"1", "1.0", "1e0", "10e-1", "0.1e1"},
        {"9", "9.000"},
        {"10", "1E+1"},
        {"9007199254740992", "9007199254740992.0"},
        {"9007199254740993", "9.007199254740993e15"},
        {"18446744073709551616"},
        {"18446744073709551617"},
        {"1e400"},
        {"1.00000000000000000000000000000001e400"},
    };
    for (std::size_t i = 1; i < lines.size(); ++i) {
        for (std::size_t j = 1; j < lines.size(); ++j) {
            for (const std::string_view a : lines[i]) {
                for (const std::string_view b : lines[j]) {
                    EXPECT_TRUE(compare_numbers(a, b) == (i <=> j)) << a << " and " << b;
                    EXPECT_EQ(equal(json(a), json(b)), i == j) << a << " and " << b;
                }
            }
        }
    }
    for (const std::string_view huge : lines[0]) EXPECT_TRUE(compare_numbers(huge, "-10") < 0);
}

TEST(JsonValue, DifferentKindsAreNeverEqualAndHaveNoOrder) {
    const std::string_view kinds[] = {"null", "true", "1", R"("1")", "[1]", R"({"a":1})"};
    for (const std::string_view a : kinds) {
        for (const std::string_view b : kinds) {
            EXPECT_EQ(equal(json(a), json(b)), a == b) << a << " and " << b;
            if (a == b) continue;
            EXPECT_TRUE(order(json(a), json(b)) == std::partial_ordering::unordered) << a << b;
        }
    }
    EXPECT_FALSE(equal(json("1"), json("true")));
    EXPECT_TRUE(order(json("true"), json("false")) == std::partial_ordering::unordered);
}

TEST(JsonValue, TextsCompareByWhatTheySay) {
    EXPECT_TRUE(equal(json(R"("z\u00fcrich")"), JsonValue::of_text("z\xc3\xbcrich")));
    EXPECT_TRUE(equal(json(R"("")"), JsonValue::of_text("")));
    EXPECT_FALSE(equal(json(R"("a")"), json(R"("A")")));
    EXPECT_TRUE(order(json(R"("a")"), json(R"("b")")) < 0);
    EXPECT_TRUE(order(json(R"("zz")"), json(R"("\u00e9")")) < 0);
    EXPECT_TRUE(order(json(R"("\uffff")"), json(R"("\ud83d\ude00")")) < 0) << "not UTF-16 order";
}

TEST(JsonValue, ListsCompareElementByElement) {
    EXPECT_TRUE(equal(json("[1,[2.0]]"), json("[1.0,[2]]")));
    EXPECT_FALSE(equal(json("[1]"), json("[1,2]")));
    EXPECT_FALSE(equal(json("[1,2]"), json("[1]")));
    EXPECT_TRUE(equal(json("[]"), json("[]")));
}

TEST(JsonValue, OnlyTrueIsTrue) {
    EXPECT_TRUE(json("true").is_true());
    for (const std::string_view other : {"false", "null", "1", R"("true")", "[true]"}) {
        EXPECT_FALSE(json(other).is_true()) << other;
    }
    EXPECT_FALSE(JsonValue::unknown().is_true());
}

TEST(JsonValue, IsShownShortenedAndWhole) {
    EXPECT_EQ(describe(json(R"("a\"b")")), R"("a\"b")");
    EXPECT_EQ(describe(json("[1,2]")), "[1,2]");
    EXPECT_EQ(describe(JsonValue::of_text("aaaaa"), 3), R"("aaa" ...)");
    EXPECT_EQ(describe(JsonValue::of_text("aa\xc3\xbc"), 3), R"("aa" ...)");
}

}  // namespace
}  // namespace herald
