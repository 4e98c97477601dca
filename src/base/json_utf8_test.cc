#include <gtest/gtest.h>

#include "base/json.h"

namespace herald::test {
namespace {

TEST(Utf8Json, EscapesBeyondAsciiBecomeText) {
    EXPECT_EQ(to_utf8_json(R"({"a":"\u00e9\u20ac\ud83d\ude00"})"), "{\"a\":\"é€😀\"}");
}

TEST(Utf8Json, OtherEscapesStay) {
    constexpr std::string_view text = R"({"a\"\\u00e9":"\n\u0000\u001f\\\\"})";
    EXPECT_EQ(to_utf8_json(text), text);
}

TEST(Utf8Json, HalvesOfPairsThatStandAloneStay) {
    for (const std::string_view text :
         {R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83dx")", R"("\ud83d\n")"}) {
        EXPECT_EQ(to_utf8_json(text), text);
    }
    EXPECT_EQ(to_utf8_json(R"("\ud83d\ud83d\ude00")"), "\"\\ud83d😀\"");
}

TEST(Utf8Json, TheMeaningIsTheSame) {
    const auto canonical = canonical_json("{\"ключ\":[\"值\",\"\\\\\",\"é\\u0007😀\"]}");
    ASSERT_TRUE(canonical);
    EXPECT_EQ(canonical_json(to_utf8_json(*canonical)).value(), *canonical);
}

}  // namespace
}  // namespace herald::test
