#include "core/transformation.h"

#include <gmock/gmock.h>

namespace herald::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Transformation> read(const std::string& text) {
    const auto canonical = canonical_json(text);
    return read_transformation(JsonView(canonical.value()), nullptr, false);
}

/// The pointers of what is wrong.
std::vector<std::string> wrong(const std::string& text) {
    std::vector<std::string> pointers;
    const auto made = read(text);
    if (made) return pointers;
    EXPECT_EQ(made.error().code, Errc::invalid);
    for (const FieldError& field : made.error().fields) pointers.push_back(field.pointer);
    return pointers;
}

TEST(TransformationInput, NeedsANameARuntimeAndCode) {
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":"."})"), IsEmpty());
    EXPECT_THAT(wrong("{}"), ElementsAre("/name", "/runtime", "/source"));
    EXPECT_THAT(wrong(R"({"name":"a b","runtime":"lua","source":"."})"),
                ElementsAre("/name", "/runtime"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","surce":1})"),
                ElementsAre("/surce"));
}

TEST(TransformationInput, CodeIsInlineOrInARepository) {
    EXPECT_THAT(
        wrong(R"({"name":"a","runtime":"jq","repository":{"location":"/r"},"file":"a.jq"})"),
        IsEmpty());
    EXPECT_THAT(
        wrong(R"({"name":"a","runtime":"python","repository":{"location":"/r","transform":"t"}})"),
        IsEmpty());
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"python","repository":{"location":"/r"}})"),
                ElementsAre("/file"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","repository":{"location":"/r"}})"),
                ElementsAre("/file"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","repository":{"location":"/r"},)"
                      R"("file":"a"})"),
                ElementsAre("/source"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","file":"a"})"),
                ElementsAre("/file"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","file":"a",)"
                      R"("repository":{"location":"https://u:p@git/r","password":"p"}})"),
                ElementsAre("/repository/location", "/repository/password"));
}

TEST(TransformationInput, TemplatesOfUrlAndHeadersAreForJinja2) {
    const std::string templates = R"("url":"http://{{ id }}","headers":{"X-A":"{{ id }}"}})";
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jinja2","source":".",)" + templates), IsEmpty());
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".",)" + templates),
                ElementsAre("/url", "/headers"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jinja2","source":".","headers":{"Host":"x"}})"),
                ElementsAre("/headers/Host"));
}

TEST(TransformationInput, SecretsAreReferencesOnly) {
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","secrets":{"T":"env:TOKEN"}})"),
                IsEmpty());
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","secrets":{"T":"hunter2"}})"),
                ElementsAre("/secrets/T"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","environment":{"1 a":"b"}})"),
                ElementsAre("/environment/1 a"));
}

TEST(TransformationInput, LimitsHaveBounds) {
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","timeout":"1ms",)"
                      R"("limits":{"memory_mb":1,"cpu_seconds":0,"output_bytes":0}})"),
                ElementsAre("/timeout", "/limits/memory_mb", "/limits/cpu_seconds",
                            "/limits/output_bytes"));
    EXPECT_THAT(wrong(R"({"name":"a","runtime":"jq","source":".","content_type":"json"})"),
                ElementsAre("/content_type"));
}

TEST(TransformationInput, APatchChangesWhatItNamesAndNeverTheName) {
    const auto stored = read(R"({"name":"a","runtime":"jq","source":".","timeout":"2s"})");
    ASSERT_TRUE(stored);
    const auto patched = read_transformation(JsonView(R"({"source":".data"})"), &*stored, true);
    ASSERT_TRUE(patched) << patched.error().message;
    EXPECT_EQ(patched->source, ".data");
    EXPECT_EQ(patched->timeout, std::chrono::seconds{2});
    const auto renamed = read_transformation(JsonView(R"({"name":"b"})"), &*stored, true);
    ASSERT_FALSE(renamed);
    EXPECT_THAT(renamed.error().message, HasSubstr("/name"));
}

TEST(TransformationInput, WhatIsShownCanBeSentBack) {
    const auto made = read(R"({"name":"a","runtime":"python","class":"C","input":"data",)"
                           R"("repository":{"location":"/r"},"file":"t.py","network":true})");
    ASSERT_TRUE(made) << made.error().message;
    std::string shown;
    append_transformation(shown, *made, SecretForm::masked);
    const auto again = read_transformation(JsonView(shown), &*made, false);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *made);
}

}  // namespace
}  // namespace herald::test
