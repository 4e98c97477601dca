#include "base/json.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string canonical(std::string_view text) {
    const auto read = canonical_json(text);
    return read ? *read : "error: " + read.error().message;
}

TEST(CanonicalJson, DropsWhiteSpaceAndKeepsOrderAndNumberText) {
    EXPECT_EQ(canonical(" { \"b\" : [ 1 , 2.50 , -0 , 1E+5 ] ,\n\t\"a\" : { } , \"c\" : [ ] } "),
              R"({"b":[1,2.50,-0,1E+5],"a":{},"c":[]})");
    EXPECT_EQ(canonical("123456789012345678901234567890"), "123456789012345678901234567890");
    EXPECT_EQ(canonical("1e400"), "1e400");
}

TEST(CanonicalJson, WritesStringsAsPythonDoes) {
    EXPECT_EQ(canonical(R"("\u0041\/\"\\\b\f\n\r\t")"), R"("A/\"\\\b\f\n\r\t")");
    EXPECT_EQ(canonical("\"\x7f\""), R"("\u007f")");
    EXPECT_EQ(canonical(R"("\u0000\u001F")"), R"("\u0000\u001f")");
    EXPECT_EQ(canonical("\"Zürich\""), R"("Z\u00fcrich")");
    EXPECT_EQ(canonical("\"😀\""), R"("\ud83d\ude00")");
    EXPECT_EQ(canonical(R"("\uD83D\uDE00")"), R"("\ud83d\ude00")");
}

TEST(CanonicalJson, BrokenTextIsNamedWithItsPlace) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "the text ends where a value should be at byte 0"},
        {"{", "the text ends inside an array or object at byte 1"},
        {"[1,]", "a comma stands before the closing bracket: remove it at byte 3"},
        {"[1 2]", "expected \",\" or \"]\" at byte 3"},
        {"{\"a\" 1}", "expected \":\" after a key at byte 5"},
        {"{a:1}", "expected a key in double quotes at byte 1"},
        {"[01]", "a number must not begin with 0 at byte 1"},
        {"1.", "expected a digit after the decimal point at byte 2"},
        {"1e", "expected a digit in the exponent at byte 2"},
        {"\"a", "the text ends inside a string at byte 2"},
        {"\"a\nb\"", "a control character stands bare in a string: escape it at byte 2"},
        {"\"\\x\"", "JSON has no such escape in a string at byte 1"},
        {"\"\\u12g4\"", "\\u needs four hexadecimal digits at byte 5"},
        {"1 2", "something stands behind the value at byte 2"},
        {"\xEF\xBB\xBF{}", "the text begins with a byte order mark: remove it"},
    };
    for (const auto& [text, message] : cases) {
        const auto read = canonical_json(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().message, message);
        EXPECT_EQ(read.error().kind, JsonError::Kind::broken);
    }
    for (const std::string_view text :
         {"NaN", "Infinity", "-Infinity", "nul", "tru", "+1", "-", "'a'", "{,}"}) {
        EXPECT_FALSE(canonical_json(text)) << text;
    }
}

TEST(CanonicalJson, WhatTwoReadersCouldTakeDifferentlyIsRefused) {
    const std::pair<std::string, std::string_view> cases[] = {
        {R"({"a":1,"a":2})", "duplicate key \"a\" at byte 7: keep one of them"},
        {R"({"a":1,"\u0061":2})", "duplicate key \"a\" at byte 7: keep one of them"},
        {R"("\ud83d")", "a lone surrogate at byte 1: it is half of a character"},
        {R"("\ude00x")", "a lone surrogate at byte 1: it is half of a character"},
        {R"("\ud83d\u0041")", "a lone surrogate at byte 1: it is half of a character"},
        {"\"\xC0\xAF\"", "wrong UTF-8 at byte 1: send UTF-8 text"},
        {"\"\xED\xA0\x80\"", "wrong UTF-8 at byte 1: send UTF-8 text"},
        {"\"\xF5\x80\x80\x80\"", "wrong UTF-8 at byte 1: send UTF-8 text"},
        {"\"\xE2\x82\"", "wrong UTF-8 at byte 1: send UTF-8 text"},
    };
    for (const auto& [text, message] : cases) {
        const auto read = canonical_json(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().message, message);
        EXPECT_EQ(read.error().kind, JsonError::Kind::refused);
    }
}

TEST(CanonicalJson, DuplicateAmongManyKeysIsFound) {
    std::string text = "{";
    for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(canonical_json(text + "\"x\":0}"));
    EXPECT_FALSE(canonical_json(text + "\"k7\":0}"));
    EXPECT_FALSE(canonical_json(text + "\"k50\":0}"));
}

TEST(CanonicalJson, SameKeyInDifferentObjectsIsFine) {
    EXPECT_EQ(canonical(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}})"),
              R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}})");
}

TEST(CanonicalJson, DepthIsBoundedWithoutUsingTheStack) {
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    EXPECT_TRUE(canonical_json(nested(100)));
    const auto deep = canonical_json(nested(101));
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().kind, JsonError::Kind::refused);
    EXPECT_FALSE(canonical_json(std::string(5'000'000, '[')));
    EXPECT_FALSE(canonical_json(nested(5'000'000)));
    std::string objects;
    for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
    EXPECT_FALSE(canonical_json(objects + "1" + std::string(200'000, '}')));
}

TEST(JsonReader, GoesOnBehindARefusedValue) {
    JsonReader reader(R"([{"a":1},{"b":1,"b":[{"c":2}]},{"d":3}])");
    ASSERT_TRUE(reader.take('['));
    std::string out;
    EXPECT_FALSE(reader.read(out));
    ASSERT_TRUE(reader.take(','));
    const auto refused = reader.read(out);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->kind, JsonError::Kind::refused);
    EXPECT_EQ(out, R"({"a":1})");
    ASSERT_TRUE(reader.take(','));
    EXPECT_FALSE(reader.read(out));
    EXPECT_TRUE(reader.take(']'));
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(out, R"({"a":1}{"d":3})");
}

TEST(JsonView, FindsMembersAndReadsValues) {
    const std::string text = canonical(
        R"({"name":"Zürich \"😀\"","n":42,"big":99999999999999999999,"f":1.5,"ok":true,"none":null,"list":[1,"a,]}",{"x":[]}],"ü":7})");
    const JsonView view(text);
    EXPECT_EQ(view.string("name"), "Zürich \"😀\"");
    EXPECT_EQ(view.find("n")->integer(), 42);
    EXPECT_EQ(view.find("big")->integer(), std::nullopt);
    EXPECT_EQ(view.find("f")->integer(), std::nullopt);
    EXPECT_EQ(view.find("ok")->boolean(), true);
    EXPECT_TRUE(view.find("none")->is_null());
    EXPECT_EQ(view.find("ü")->integer(), 7);
    EXPECT_EQ(view.find("absent"), std::nullopt);
    EXPECT_EQ(view.string("n"), std::nullopt);
    std::vector<std::string> elements;
    for (auto items = view.find("list")->items(); items.next();) {
        elements.emplace_back(items.value().raw());
    }
    EXPECT_EQ(elements, (std::vector<std::string>{"1", "\"a,]}\"", "{\"x\":[]}"}));
    for (auto items = JsonView("7").items(); items.next();) FAIL() << "a number has no items";
}

TEST(AppendJsonString, EscapesAndReplacesWhatIsNoUtf8) {
    std::string out;
    append_json_string(out, "a\"b\n\x7f\xff");
    EXPECT_EQ(out, R"("a\"b\n\u007f\ufffd")");
}

}  // namespace
}  // namespace herald
