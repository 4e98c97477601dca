#include "app/output.h"

#include <gtest/gtest.h>

namespace herald {

namespace {

std::string canonical(std::string_view text) {
    auto made = canonical_json(text);
    EXPECT_TRUE(made) << text;
    return made.value_or("null");
}

std::string pretty(std::string_view text) { return to_pretty_json(JsonView(canonical(text))); }
std::string yaml(std::string_view text) { return to_yaml(JsonView(canonical(text))); }

TEST(PrettyJson, IsIndentedAndSaysTheSame) {
    constexpr std::string_view text = R"({"a":[1,{"b":null}],"c":{},"d":[],"e":"x","f":true})";
    EXPECT_EQ(pretty(text),
              "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n"
              "  \"d\": [],\n  \"e\": \"x\",\n  \"f\": true\n}");
    EXPECT_EQ(canonical(pretty(text)), text);
}

TEST(PrettyJson, NumbersKeepTheirText) {
    const std::string digits(500, '9');
    EXPECT_EQ(pretty("[" + digits + ",1e400,-0.0,1.50]"),
              "[\n  " + digits + ",\n  1e400,\n  -0.0,\n  1.50\n]");
}

TEST(PrettyJson, LettersAreReadableAndControlsAreNot) {
    EXPECT_EQ(pretty("\"\xC3\xBC\xF0\x9F\x98\x80\""), "\"\xC3\xBC\xF0\x9F\x98\x80\"");
    constexpr std::string_view odd = R"("\u001b[31m\u009b\u007f\n\"\\\u0000/")";
    EXPECT_EQ(pretty(odd), R"("\u001b[31m\u009b\u007f\n\"\\\u0000/")");
    EXPECT_EQ(canonical(pretty(odd)), odd);
}

TEST(Yaml, NullAndTextsThatLookLikeOtherThingsAreToldApart) {
    EXPECT_EQ(yaml(R"({"a":null,"b":"null","c":true,"d":"true","e":"1e5","f":1e400})"),
              "a: null\nb: \"null\"\nc: true\nd: \"true\"\ne: \"1e5\"\nf: 1e400\n");
}

TEST(Yaml, EmptyAndNestedThings) {
    EXPECT_EQ(yaml(R"({"a":[],"b":{},"c":[{"d":1},[2]]})"),
              "a: []\nb: {}\nc:\n  - d: 1\n  -\n    - 2\n");
    EXPECT_EQ(yaml("[]"), "[]\n");
}

TEST(Cell, ShowsWhatAPersonReads) {
    const std::string value = canonical(
        R"({"a":{"b":"text"},"n":null,"f":15.0,"i":7,"big":1e400,"l":["x",2,true],"t":false})");
    const JsonView view(value);
    EXPECT_EQ(cell(view, "a.b"), "text");
    EXPECT_EQ(cell(view, "n"), "");
    EXPECT_EQ(cell(view, "a.c"), "");
    EXPECT_EQ(cell(view, "l.x"), "");
    EXPECT_EQ(cell(view, "f"), "15");
    EXPECT_EQ(cell(view, "i"), "7");
    EXPECT_EQ(cell(view, "big"), "1e400");
    EXPECT_EQ(cell(view, "l"), "x, 2, true");
    EXPECT_EQ(cell(view, "t"), "false");
}

TEST(Cell, TextCannotDriveTheTerminal) {
    EXPECT_EQ(printable("a\x1b[1m\r\n\x7f\xC2\x9B\xC3\xBC"), "a [1m     \xC3\xBC");
}

TEST(Table, ColumnsAreAlignedByWhatIsSeen) {
    const std::string rows[] = {canonical("{\"a\":\"\xC3\xBC\",\"b\":1}"),
                                canonical(R"({"a":"long","b":null})")};
    EXPECT_EQ(to_table({JsonView(rows[0]), JsonView(rows[1])}, {{"A", "a"}, {"B", "b"}}, false),
              "A     B\n\xC3\xBC     1\nlong\n");
    EXPECT_EQ(to_table({}, {{"A", "a"}, {"B", "b"}}, false), "A  B\n");
}

TEST(Table, StatesAreColouredOnRequestOnly) {
    const std::string row = canonical(R"({"s":"failed"})");
    const std::vector<JsonView> rows{JsonView(row)};
    EXPECT_EQ(to_table(rows, {{"S", "s"}}, true), "S\n\x1b[31mfailed\x1b[0m\n");
    EXPECT_EQ(to_table(rows, {{"S", "s"}}, false), "S\nfailed\n");
}

TEST(Lines, WhatHasNoValueIsLeftOut) {
    const std::string value = canonical(R"({"name":"a","none":null,"list":[],"n":2.0})");
    EXPECT_EQ(to_lines(JsonView(value),
                       {{"name", "name"}, {"nothing", "none"}, {"l", "list"}, {"n", "n"}}),
              "name     a\nn        2\n");
}

TEST(Lines, ColumnMayShowItsValueItself) {
    const std::string value = canonical(R"({"n":[1,2]})");
    const Columns columns = {
        {"n", "n", [](JsonView list) { return cell(list) + "\n" + std::string(list.raw()); }}};
    EXPECT_EQ(to_lines(JsonView(value), columns), "n  1, 2 [1,2]\n");
}

TEST(JsonObjectText, MembersAreEscaped) {
    EXPECT_EQ(JsonObject().text(), "{}");
    EXPECT_EQ(JsonObject().add("a\"", "b\n").add_json("c", "[1]").text(),
              R"({"a\"":"b\n","c":[1]})");
}

}  // namespace

}  // namespace herald
