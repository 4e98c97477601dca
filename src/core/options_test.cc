#include "core/options.h"

#include <gtest/gtest.h>

#include "core/webhook_options.h"

namespace herald {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration none{0};

enum class Size { small, large };

std::optional<Size> parse_size(std::string_view text) {
    if (text == "small") return Size::small;
    if (text == "large") return Size::large;
    return std::nullopt;
}

TEST(OptionReader, WhatIsLeftOutOrNullHasItsDefault) {
    std::vector<FieldError> wrong;
    OptionReader reader(JsonView(R"({"a":null})"), "/x", JsonView{}, wrong);
    EXPECT_EQ(reader.text("a", "otherwise"), "otherwise");
    EXPECT_EQ(reader.number("b", 7, 0, 9), 7);
    EXPECT_EQ(reader.duration("c", minutes{1}, none, minutes{9}), minutes{1});
    EXPECT_TRUE(reader.flag("d", true));
    EXPECT_EQ(reader.choice("e", Size::large, parse_size, "small or large"), Size::large);
    EXPECT_TRUE(reader.texts("f", 3).empty());
    EXPECT_EQ(reader.secret("g"), "");
    reader.finish();
    EXPECT_TRUE(wrong.empty());
}

TEST(OptionReader, GivenMembersAreRead) {
    std::vector<FieldError> wrong;
    OptionReader reader(
        JsonView(
            R"({"a":"t","b":9,"c":"90s","d":false,"e":"small","f":["x","y"],"g":"key","h":2})"),
        "/x", JsonView{}, wrong);
    EXPECT_EQ(reader.text("a"), "t");
    EXPECT_EQ(reader.number("b", 7, 0, 9), 9);
    EXPECT_EQ(reader.duration("c", none, none, minutes{9}), seconds{90});
    EXPECT_FALSE(reader.flag("d", true));
    EXPECT_EQ(reader.choice("e", Size::large, parse_size, "small or large"), Size::small);
    EXPECT_EQ(reader.texts("f", 2), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(reader.secret("g"), "key");
    EXPECT_EQ(reader.duration("h", none, none, minutes{9}), seconds{2});
    reader.finish();
    EXPECT_TRUE(wrong.empty());
}

TEST(OptionReader, EveryWrongMemberIsNamedWithTheFix) {
    std::vector<FieldError> wrong;
    OptionReader reader(
        JsonView(R"({"a":1,"b":10,"c":"10m","d":"yes","e":"huge","f":["x",1],"flga":1})"), "/x",
        JsonView{}, wrong);
    EXPECT_EQ(reader.text("a", "otherwise"), "otherwise");
    EXPECT_EQ(reader.number("b", 7, 0, 9), 7);
    EXPECT_EQ(reader.duration("c", none, none, minutes{9}), none);
    EXPECT_TRUE(reader.flag("d", true));
    EXPECT_EQ(reader.choice("e", Size::large, parse_size, "small or large"), Size::large);
    EXPECT_EQ(reader.texts("f", 3).size(), 2U);
    EXPECT_FALSE(reader.flag("flag", false));
    reader.finish();
    const std::vector<FieldError> expected = {
        {"/x/a", "must be a text"},
        {"/x/b", "must be a whole number from 0 to 9"},
        {"/x/c", "must be a duration from 0s to 9m, such as \"30s\", \"5m\" or \"2h\""},
        {"/x/d", "must be true or false"},
        {"/x/e", "must be small or large"},
        {"/x/f/1", "must be a text"},
        {"/x/flga", "is no attribute of x: did you mean flag?"}};
    EXPECT_EQ(wrong, expected);
}

TEST(OptionReader, AnythingButAnObjectIsWrong) {
    std::vector<FieldError> wrong;
    OptionReader reader(JsonView("[]"), "/x", JsonView{}, wrong);
    EXPECT_EQ(reader.text("a", "otherwise"), "otherwise");
    reader.finish();
    EXPECT_EQ(wrong, (std::vector<FieldError>{{"/x", "must be an object"}}));
}

TEST(OptionReader, AMaskStandsForTheStoredSecret) {
    std::vector<FieldError> wrong;
    OptionReader reader(JsonView(R"({"a":"***","b":"***"})"), "/x", JsonView(R"({"a":"key"})"),
                        wrong);
    EXPECT_EQ(reader.secret("a"), "key");
    EXPECT_EQ(reader.secret("b"), "");
    ASSERT_EQ(wrong.size(), 1U);
    EXPECT_EQ(wrong[0].pointer, "/x/b");
}

TEST(OptionWriter, SecretsAreMaskedForPeopleOnly) {
    const auto written = [](SecretForm form) {
        std::string out;
        OptionWriter writer(out, form);
        writer.text("a", "x");
        writer.secret("b", "key");
        writer.secret("c", "");
        writer.duration("d", minutes{2});
        writer.number("e", -1);
        writer.flag("f", true);
        writer.texts("g", {"1", "2"});
        writer.text_or_null("h", "");
        writer.finish();
        return out;
    };
    EXPECT_EQ(written(SecretForm::plain),
              R"({"a":"x","b":"key","c":null,"d":"2m","e":-1,"f":true,"g":["1","2"],"h":null})");
    EXPECT_EQ(written(SecretForm::masked).find("key"), std::string::npos);
    EXPECT_NE(written(SecretForm::masked).find(R"("b":"***","c":null)"), std::string::npos);
}

TEST(MergePatch, FollowsTheRulesOfRfc7396) {
    const auto merged = [](std::string_view base, std::string_view patch) {
        return merge_patch(JsonView(base), JsonView(patch));
    };
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), R"({"a":"b","b":"c"})");
    EXPECT_EQ(merged(R"({"a":"b","b":"c"})", R"({"a":null})"), R"({"b":"c"})");
    EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
    EXPECT_EQ(merged(R"(["a"])", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
    EXPECT_EQ(merged("null", R"([1])"), "[1]");
}

TEST(WebhookOptions, DefaultsTakeNoRoomInTheStore) { EXPECT_EQ(stored_options(Webhook{}), "{}"); }

TEST(WebhookOptions, WhatTheStoreKeepsComesBack) {
    Webhook webhook;
    webhook.retry_on = {FailureClass::timeout};
    EXPECT_EQ(stored_options(webhook), R"({"retry_on":["TIMEOUT"]})");
    Webhook read;
    ASSERT_TRUE(read_stored_options(read, stored_options(webhook)));
    EXPECT_EQ(read, webhook);
    EXPECT_FALSE(read_stored_options(read, R"({"retry_on":["?"]})"));
}

TEST(RetryClasses, AreReadOnceEachAndInOrder) {
    std::vector<FieldError> wrong;
    EXPECT_EQ(read_retry_classes(JsonView(R"(["TIMEOUT","CONFIG","TIMEOUT"])"), "/r", wrong),
              (std::vector{FailureClass::config, FailureClass::timeout}));
    EXPECT_EQ(read_retry_classes(JsonView{}, "/r", wrong), all_failures());
    EXPECT_TRUE(read_retry_classes(JsonView("[]"), "/r", wrong).empty());
    EXPECT_TRUE(wrong.empty());
    std::ignore = read_retry_classes(JsonView(R"(["", 1])"), "/r", wrong);
    ASSERT_EQ(wrong.size(), 2U);
    EXPECT_EQ(wrong[1].pointer, "/r/1");
}

}  // namespace

}  // namespace herald
