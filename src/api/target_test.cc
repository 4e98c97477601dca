#include "api/target.h"

#include <gtest/gtest.h>

namespace herald {

namespace {

TEST(Target, RawPathIsWhatStandsBeforeTheQuery) {
    EXPECT_EQ(raw_path("/a/b?c=/d"), "/a/b");
    EXPECT_EQ(raw_path("/a%2Fb"), "/a%2Fb");
    EXPECT_EQ(raw_path("http://host:1/a?b"), "/a") << "absolute form";
    EXPECT_EQ(raw_path("http://host"), "/");
    EXPECT_EQ(raw_path("http://host?b"), "/");
    EXPECT_EQ(raw_path("*"), "*");
}

TEST(Target, PercentEscapesAreDecoded) {
    EXPECT_EQ(percent_decode("a%2Fb%c3%BC"), "a/b\xC3\xBC");
    EXPECT_EQ(percent_decode("a+b"), "a+b") << "a plus is a plus in a path";
}

TEST(Target, BrokenEscapesAndNulAreRefused) {
    for (const char* text : {"%", "%2", "a%", "%g0", "%0g", "%00", "%-1"}) {
        EXPECT_FALSE(percent_decode(text)) << text;
    }
}

TEST(Target, EncodingIsUndoneByDecoding) {
    std::string all;
    for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
    std::string encoded;
    append_percent_encoded(encoded, all);
    EXPECT_EQ(percent_decode(encoded), all);
    EXPECT_EQ(encoded.find_first_of(" &=?#/+\"\r\n"), std::string::npos);
}

}  // namespace

}  // namespace herald
