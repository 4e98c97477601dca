#include "core/reference.h"

#include <gmock/gmock.h>

namespace herald {
namespace {

using testing::HasSubstr;
using Kind = Reference::Kind;

TEST(Reference, NamesAVariableOrAFile) {
    EXPECT_EQ(parse_reference("env:RECEIVER_KEY"), (Reference{Kind::environment, "RECEIVER_KEY"}));
    EXPECT_EQ(parse_reference("file:/run/secrets/key"),
              (Reference{Kind::file, "/run/secrets/key"}));
    for (const char* text :
         {"", "supersecretkey", "environment", "Env:A", " env:A", "plain:env:A"}) {
        EXPECT_FALSE(parse_reference(text)) << text;
    }
}

TEST(Reference, ATextThatBeginsAsOneCanBeWrittenPlain) {
    EXPECT_EQ(plain_text("plain:env:prod"), "env:prod");
    EXPECT_EQ(plain_text("plain:plain:x"), "plain:x");
    EXPECT_EQ(plain_text("supersecretkey"), "supersecretkey");
    for (const char* text : {"", "supersecretkey", "env:prod", "file:/a", "plain:x"}) {
        EXPECT_EQ(plain_text(as_plain(text)), text);
        EXPECT_FALSE(parse_reference(as_plain(text))) << text;
    }
    EXPECT_EQ(as_plain("supersecretkey"), "supersecretkey");
}

TEST(Reference, ComplaintsSayTheFix) {
    EXPECT_EQ(reference_complaint("supersecretkey"), "");
    EXPECT_EQ(reference_complaint("env:RECEIVER_KEY"), "");
    EXPECT_EQ(reference_complaint("file:/run/secrets/key"), "");
    for (const char* text : {"env:", "env:1A", "env:A B", "env:A-B", "env:${A}"}) {
        EXPECT_THAT(reference_complaint(text), HasSubstr("plain:env:")) << text;
    }
    for (const char* text : {"file:", "file:/", "file:key", "file:../key"}) {
        EXPECT_THAT(reference_complaint(text), HasSubstr("absolute path")) << text;
    }
}

TEST(Reference, VariablesOfHeraldItselfAreRefused) {
    EXPECT_THAT(reference_complaint("env:HERALD_API_TOKEN"), HasSubstr("herald itself"));
    EXPECT_THAT(reference_complaint("env:HERALD_SECRETS_KEY"), HasSubstr("herald itself"));
    EXPECT_EQ(reference_complaint("env:MY_HERALD_KEY"), "");
}

}  // namespace
}  // namespace herald
