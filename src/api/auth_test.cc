#include "api/auth.h"

#include <gtest/gtest.h>

namespace herald {

namespace {

ServerRequest request(HeaderList headers) {
    ServerRequest made;
    made.method = "GET";
    made.headers = std::move(headers);
    return made;
}

Errc refusal(const Auth& auth, HeaderList headers) {
    const auto checked = auth.check(request(std::move(headers)));
    EXPECT_FALSE(checked);
    return checked ? Errc::internal : checked.error().code;
}

bool passes(const Auth& auth, HeaderList headers) {
    return auth.check(request(std::move(headers))).has_value();
}

TEST(AuthWithTokens, EveryTokenOpensByEitherHeader) {
    const Auth auth({"first-token-0001", "second-token-002"}, {});
    for (const char* token : {"first-token-0001", "second-token-002"}) {
        EXPECT_TRUE(passes(auth, {{"authorization", std::string("Bearer ") + token}}));
        EXPECT_TRUE(passes(auth, {{"authorization", std::string("bearer  ") + token + " "}}));
        EXPECT_TRUE(passes(auth, {{"x-infrahub-key", token}}));
    }
}

TEST(AuthWithTokens, EverythingElseIsRefusedWithoutTheToken) {
    const Auth auth({"first-token-0001"}, {"any.example"});
    for (const HeaderList& headers : {
             HeaderList{},
             HeaderList{{"host", "localhost"}},
             HeaderList{{"authorization", "Bearer first-token-0002"}},
             HeaderList{{"authorization", "Bearer first-token-000"}},
             HeaderList{{"authorization", "Bearer "}},
             HeaderList{{"authorization", "first-token-0001"}},
             HeaderList{{"authorization", "Basic first-token-0001"}},
             HeaderList{{"x-infrahub-key", ""}},
             HeaderList{{"x-infrahub-key", "FIRST-TOKEN-0001"}},
         }) {
        EXPECT_EQ(refusal(auth, headers), Errc::unauthorized);
    }
    const auto checked = auth.check(request({{"authorization", "Bearer wrong-secret"}}));
    EXPECT_EQ(checked.error().message.find("wrong-secret"), std::string::npos);
}

TEST(AuthWithTokens, HostAndOriginDoNotMatter) {
    const Auth auth({"first-token-0001"}, {});
    EXPECT_TRUE(passes(auth, {{"host", "herald.example"},
                              {"origin", "https://ui.example"},
                              {"x-infrahub-key", "first-token-0001"}}));
}

TEST(AuthWithoutTokens, LoopbackNamesAndAllowedHostsPass) {
    const Auth auth({}, {"Herald.Example:8300", "2001:db8::1"});
    for (const char* host :
         {"localhost", "LOCALHOST:8300", "app.localhost:1", "127.0.0.1:8300", "127.1.2.3",
          "[::1]:8300", "[::1]", "::1", "herald.example", "herald.example:9", "[2001:db8::1]:80"}) {
        EXPECT_TRUE(passes(auth, {{"host", host}})) << host;
    }
}

TEST(AuthWithoutTokens, OtherHostsAreRefusedAgainstDnsRebinding) {
    const Auth auth({}, {"herald.example"});
    for (const char* host :
         {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.evil",
          "notlocalhost", "xherald.example", "10.0.0.1", "[::2]:80", "[::1", "localhost@evil"}) {
        EXPECT_EQ(refusal(auth, {{"host", host}}), Errc::forbidden) << host;
    }
}

TEST(AuthWithoutTokens, PagesOfOtherOriginsAreRefused) {
    const Auth auth({}, {});
    const std::string host = "localhost:8300";
    EXPECT_TRUE(passes(auth, {{"host", host}, {"origin", "http://localhost:8300"}}));
    EXPECT_TRUE(passes(auth, {{"host", host}, {"origin", "https://LOCALHOST:8300"}}));
    for (const char* origin : {"http://evil.example", "null", "http://localhost:8301",
                               "http://localhost", "http://localhost:8300.evil.example"}) {
        EXPECT_EQ(refusal(auth, {{"host", host}, {"origin", origin}}), Errc::forbidden) << origin;
    }
}

}  // namespace

}  // namespace herald
