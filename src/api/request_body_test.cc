#include "api/request_body.h"

#include <gtest/gtest.h>

namespace herald {

namespace {

ServerRequest request(std::string type, std::string body = "{}") {
    ServerRequest made;
    made.method = "POST";
    if (!type.empty()) made.headers.emplace_back("content-type", std::move(type));
    made.body = std::move(body);
    return made;
}

int refusal(const std::expected<std::string, Problem>& read) {
    return read ? 0 : read.error().status;
}

TEST(RequestBody, MediaTypeIsReadWithoutItsParameters) {
    EXPECT_EQ(media_type(request("Application/JSON ; charset=\"UTF-8\"")), "application/json");
    EXPECT_EQ(media_type(request("application/x-ndjson;charset=utf8")), "application/x-ndjson");
    EXPECT_EQ(media_type(request("application/merge-patch+json")), "application/merge-patch+json");
}

TEST(RequestBody, OtherTypesAndEncodingsAreRefused) {
    for (const char* type : {"", "text/plain", "application/jsonx", "application/json2; a=b",
                             "application/json; charset=latin1", "multipart/form-data"}) {
        const auto read = media_type(request(type));
        ASSERT_FALSE(read) << type;
        EXPECT_EQ(read.error().code, Errc::unsupported);
    }
}

TEST(RequestBody, ObjectIsGivenInCanonicalForm) {
    EXPECT_EQ(*read_object(request("application/json", " { \"a\" : [ 1e400 , \"\xC3\xBC\" ] } ")),
              R"({"a":[1e400,"\u00fc"]})");
}

TEST(RequestBody, WhatIsNoJsonIs400AndJsonThatIsRefusedIs422) {
    for (const char* body : {"", "{", "{}x", "{\"a\":01}", "nul"}) {
        EXPECT_EQ(refusal(read_object(request("application/json", body))), 400) << body;
    }
    for (const char* body :
         {"[]", "1", "null", R"({"a":1,"a":2})", R"({"a":"\ud800"})", "{\"a\":\"\xFF\"}"}) {
        EXPECT_EQ(refusal(read_object(request("application/json", body))), 422) << body;
    }
    const std::string deep = std::string(101, '[') + std::string(101, ']');
    EXPECT_EQ(refusal(read_object(request("application/json", "{\"a\":" + deep + "}"))), 422);
}

TEST(RequestBody, PatchAloneTakesMergePatches) {
    const ServerRequest merge = request("application/merge-patch+json");
    EXPECT_EQ(refusal(read_object(merge, true)), 0);
    EXPECT_EQ(refusal(read_object(merge)), 415);
    EXPECT_EQ(refusal(read_object(request("application/x-ndjson"), true)), 415);
}

TEST(RequestBody, NoBodyCountsAsAnEmptyObjectWhereItIsOptional) {
    EXPECT_EQ(*read_optional_object(request("", "")), "{}");
    EXPECT_EQ(refusal(read_optional_object(request("", "{}"))), 415);
}

}  // namespace

}  // namespace herald
