#include "core/request_options.h"

#include <gtest/gtest.h>

namespace herald::test {
namespace {

TEST(RequestOptionsInput, IsReadAsItIsWritten) {
    const RequestOptions options{Method::patch, "text/plain; charset=utf-8", Encoding::utf8, 1'000};
    std::string text;
    append_request_options(text, options, SecretForm::plain);
    std::vector<FieldError> wrong;
    EXPECT_EQ(read_request_options(JsonView(text), JsonView{}, wrong), options);
    EXPECT_TRUE(wrong.empty());
}

TEST(RequestOptionsInput, WhatIsWrongIsNamed) {
    std::vector<FieldError> wrong;
    (void)read_request_options(
        JsonView(R"({"content_type":"json","encoding":"latin1","max_bytes":0,"method":"GET"})"),
        JsonView{}, wrong);
    ASSERT_EQ(wrong.size(), 4U);
    EXPECT_EQ(wrong[0].pointer, "/request/method");
    EXPECT_EQ(wrong[1].pointer, "/request/content_type");
    EXPECT_EQ(wrong[2].pointer, "/request/encoding");
    EXPECT_EQ(wrong[3].pointer, "/request/max_bytes");
}

TEST(MediaTypes, AreWhatAFieldValueMayHold) {
    for (const char* good : {"application/json", "text/plain; charset=utf-8", "a/b+json"}) {
        EXPECT_TRUE(is_media_type(good)) << good;
    }
    for (const char* bad : {"", "json", "/json", "a/", "a b/c", "a/b\r\nX: y", "a/b/c"}) {
        EXPECT_FALSE(is_media_type(bad)) << bad;
    }
}

TEST(MediaTypes, AreJsonByNameOrSuffix) {
    EXPECT_TRUE(is_json_type("application/json"));
    EXPECT_TRUE(is_json_type("Application/JSON ; charset=utf-8"));
    EXPECT_TRUE(is_json_type("application/cloudevents+json; charset=UTF-8"));
    EXPECT_FALSE(is_json_type("text/plain"));
    EXPECT_FALSE(is_json_type("application/jsonl"));
}

}  // namespace
}  // namespace herald::test
