#include "core/proxy.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace herald {
namespace {

using testing::HasSubstr;

Url url(const std::string& text) { return parse_url(text).value(); }

TEST(Proxy, IsReadFromItsUrl) {
    const auto plain = parse_proxy("http://Proxy.example:3128");
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(*plain, (Proxy{false, "proxy.example", 3128, ""}));
    EXPECT_EQ(plain->name(), "proxy.example:3128");
    const auto full = parse_proxy("https://me:p%40ss@[2001:db8::1]/");
    ASSERT_TRUE(full.has_value());
    EXPECT_EQ(*full, (Proxy{true, "2001:db8::1", 443, "me:p@ss"}));
    EXPECT_EQ(full->name(), "[2001:db8::1]:443");
}

TEST(Proxy, WhatIsNoneIsRefusedWithoutItsPassword) {
    for (const auto& [text, why] : std::map<std::string, std::string>{
             {"socks5://me:secret@proxy", "SOCKS is not supported"},
             {"proxy:3128", "must begin with http:// or https://"},
             {"http://me:secret@proxy/path", "must end behind the host and port"},
             {"http://me:secret@proxy?x", "must end behind the host and port"},
             {"http://me:secret@", "no host"},
             {"http://me:secret@proxy:0", "port"},
         }) {
        const auto proxy = parse_proxy(text);
        ASSERT_FALSE(proxy.has_value()) << text;
        EXPECT_THAT(proxy.error().message, HasSubstr(why)) << text;
        EXPECT_THAT(proxy.error().message, Not(HasSubstr("secret")));
    }
}

std::string wrong_with(const ProxyOptions& options) {
    std::vector<FieldError> wrong;
    check(options, wrong);
    std::string out;
    for (const FieldError& one : wrong) out += one.pointer + ": " + one.detail + "\n";
    return out;
}

TEST(ProxyOptions, NameWhatIsWrong) {
    EXPECT_EQ(wrong_with({}), "");
    EXPECT_EQ(wrong_with({.url = "http://p:3128", .user = "me", .password = "x:y"}), "");
    EXPECT_THAT(wrong_with({.url = "ftp://p"}), HasSubstr("/proxy/url: must begin with http://"));
    EXPECT_THAT(wrong_with({.url = "http://p", .user = "a:b"}), HasSubstr("/proxy/user: "));
    EXPECT_THAT(wrong_with({.url = "http://p", .user = "a\r\nX: y"}), HasSubstr("/proxy/user: "));
    EXPECT_THAT(wrong_with({.url = "http://p", .user = "a", .password = "b\n"}),
                HasSubstr("/proxy/password: must not have control characters"));
    EXPECT_EQ(wrong_with({.url = "http://p", .password = "b"}),
              "/proxy/user: is required with a password\n");
    EXPECT_THAT(wrong_with({.user = "a"}), HasSubstr("/proxy/url: is required with a user"));
    EXPECT_THAT(wrong_with({.url = "http://p", .user = std::string(5'000, 'x')}),
                HasSubstr("/proxy/user: must be at most 4096 bytes"));
}

/// What a person gave, over what is stored; the complaints go to `wrong`.
ProxyOptions read_given(const std::string& given, const std::string& stored,
                        std::vector<FieldError>& wrong) {
    return read_proxy_options(JsonView(given), JsonView(stored), wrong);
}

std::string written(const ProxyOptions& options, SecretForm form) {
    std::string out;
    append_proxy_options(out, options, form);
    return out;
}

TEST(ProxyOptions, CredentialsInTheUrlAreTakenApartAndMasked) {
    std::vector<FieldError> wrong;
    const ProxyOptions options =
        read_given(R"({"url":"http://me:se%3Acret@proxy.example:3128"})", "null", wrong);
    EXPECT_TRUE(wrong.empty());
    EXPECT_EQ(
        options,
        (ProxyOptions{.url = "http://proxy.example:3128", .user = "me", .password = "se:cret"}));
    EXPECT_EQ(written(options, SecretForm::masked),
              R"({"url":"http://proxy.example:3128","user":"me","password":"***",)"
              R"("from_environment":true})");
    const std::string stored = written(options, SecretForm::plain);
    EXPECT_EQ(read_given(stored, "null", wrong), options);
    EXPECT_EQ(read_given(written(options, SecretForm::masked), stored, wrong), options)
        << "the mask stands for what is stored";
    EXPECT_TRUE(wrong.empty());
}

TEST(ProxyOptions, CredentialsInBothPlacesAndUnknownMembersAreRefused) {
    std::vector<FieldError> wrong;
    read_given(R"({"url":"http://a:b@p","user":"me"})", "null", wrong);
    read_given(R"({"uri":"http://p"})", "null", wrong);
    ASSERT_EQ(wrong.size(), 2U);
    EXPECT_EQ(wrong[0].pointer, "/proxy/url");
    EXPECT_EQ(wrong[1].pointer, "/proxy/uri");
    EXPECT_THAT(wrong[1].detail, HasSubstr("did you mean"));
}

TEST(ProxyOptions, NoneAtAllIsOneFlag) {
    std::vector<FieldError> wrong;
    EXPECT_FALSE(read_given(R"({"from_environment":false})", "null", wrong).from_environment);
    EXPECT_EQ(read_given("null", "null", wrong), ProxyOptions{});
    EXPECT_TRUE(wrong.empty());
}

TEST(ProxyOptions, MakeAProxy) {
    EXPECT_EQ(own_proxy({}), nullptr);
    EXPECT_EQ(*own_proxy({.url = "https://p:1", .user = "me", .password = "x:y"}),
              (Proxy{true, "p", 1, "me:x:y"}));
}

TEST(NoProxy, CoversNamesWithTheirSubdomains) {
    for (const char* text : {"a.example", ".a.example", "*.a.example", "A.Example.", "x, a.example",
                             "x a.example", ",,a.example,"}) {
        const NoProxy rules(text);
        EXPECT_TRUE(rules.covers(url("http://a.example/"))) << text;
        EXPECT_TRUE(rules.covers(url("https://b.a.example:8443/"))) << text;
        EXPECT_TRUE(rules.covers(url("http://a.example./"))) << text;
        EXPECT_FALSE(rules.covers(url("http://ba.example/"))) << text;
        EXPECT_FALSE(rules.covers(url("http://a.example.org/"))) << text;
        EXPECT_FALSE(rules.covers(url("http://example/"))) << text;
    }
}

TEST(NoProxy, CoversAddressesAndNetworks) {
    const NoProxy rules("10.0.0.0/8,192.0.2.7,2001:db8::/32,[fd00::1]");
    for (const char* text :
         {"http://10.1.2.3/", "http://192.0.2.7/", "http://[2001:db8::5]/", "http://[fd00::1]/"}) {
        EXPECT_TRUE(rules.covers(url(text))) << text;
    }
    for (const char* text : {"http://11.1.2.3/", "http://192.0.2.8/", "http://[2001:db9::5]/",
                             "http://10.0.0.0.example/", "http://x192.0.2.7.example/"}) {
        EXPECT_FALSE(rules.covers(url(text))) << text;
    }
}

TEST(NoProxy, APortNarrowsAnEntry) {
    const NoProxy rules("a.example:8080,192.0.2.7:81,[fd00::1]:82");
    for (const char* text :
         {"http://a.example:8080/", "http://192.0.2.7:81/", "http://[fd00::1]:82/"}) {
        EXPECT_TRUE(rules.covers(url(text))) << text;
    }
    for (const char* text : {"http://a.example/", "http://192.0.2.7/", "http://[fd00::1]/"}) {
        EXPECT_FALSE(rules.covers(url(text))) << text;
    }
}

TEST(NoProxy, AStarCoversAllAndNothingNone) {
    EXPECT_TRUE(NoProxy("*").covers(url("http://a.example/")));
    EXPECT_TRUE(NoProxy("x,*").covers(url("http://192.0.2.1/")));
    EXPECT_FALSE(NoProxy("").covers(url("http://a.example/")));
    EXPECT_FALSE(NoProxy(" , ").covers(url("http://a.example/")));
    EXPECT_FALSE(NoProxy(".").covers(url("http://a.example/")));
}

using Variables = std::map<std::string, std::string>;

Result<EnvironmentProxies> read(const Variables& variables) {
    return EnvironmentProxies::read([&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

/// The proxy that this environment names for a receiver; empty: none.
std::string chosen(const Variables& variables, const std::string& to) {
    const auto proxies = read(variables);
    if (!proxies) return proxies.error().message;
    const auto proxy = proxies->for_url(url(to));
    return proxy ? proxy->name() : "";
}

TEST(EnvironmentProxies, HaveOneForEachScheme) {
    const Variables both{{"http_proxy", "http://a:1"}, {"https_proxy", "http://b:2"}};
    EXPECT_EQ(chosen(both, "http://x.example/"), "a:1");
    EXPECT_EQ(chosen(both, "https://x.example/"), "b:2");
    EXPECT_EQ(chosen({}, "https://x.example/"), "");
    EXPECT_EQ(chosen({{"https_proxy", ""}}, "https://x.example/"), "");
    EXPECT_EQ(chosen({{"https_proxy", "http://b:2"}}, "http://x.example/"), "");
}

TEST(EnvironmentProxies, LowerCaseGoesBeforeUpperCaseAndBothBeforeTheOneForAll) {
    const std::string to = "https://x.example/";
    Variables variables{{"ALL_PROXY", "http://a:1"}};
    EXPECT_EQ(chosen(variables, to), "a:1");
    EXPECT_EQ(chosen(variables, "http://x.example/"), "a:1");
    variables["all_proxy"] = "http://b:2";
    EXPECT_EQ(chosen(variables, to), "b:2");
    variables["HTTPS_PROXY"] = "http://c:3";
    EXPECT_EQ(chosen(variables, to), "c:3");
    variables["https_proxy"] = "http://d:4";
    EXPECT_EQ(chosen(variables, to), "d:4");
}

TEST(EnvironmentProxies, DoNotTakeWhatACgiProgramIsSentInItsPlace) {
    Variables variables{{"HTTP_PROXY", "http://a:1"}};
    EXPECT_EQ(chosen(variables, "http://x.example/"), "a:1");
    variables["REQUEST_METHOD"] = "POST";
    EXPECT_EQ(chosen(variables, "http://x.example/"), "");
    variables["http_proxy"] = "http://b:2";
    EXPECT_EQ(chosen(variables, "http://x.example/"), "b:2");
}

TEST(EnvironmentProxies, AProxyWithoutASchemeIsAPlainOne) {
    EXPECT_EQ(chosen({{"https_proxy", "me:secret@proxy:3128"}}, "https://x.example/"),
              "proxy:3128");
}

TEST(EnvironmentProxies, LeaveOutWhatNoProxyNamesAndThisMachine) {
    const Variables variables{{"all_proxy", "http://a:1"}, {"NO_PROXY", "inside.example"}};
    EXPECT_EQ(chosen(variables, "https://x.example/"), "a:1");
    EXPECT_EQ(chosen(variables, "https://x.inside.example/"), "");
    for (const char* here : {"http://localhost:8080/", "http://x.localhost/", "http://127.0.0.1/",
                             "https://127.9.9.9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]/",
                             "http://localhost./"}) {
        EXPECT_EQ(chosen(variables, here), "") << here;
    }
    EXPECT_EQ(chosen({{"all_proxy", "http://a:1"}, {"no_proxy", "b"}, {"NO_PROXY", "*"}},
                     "http://x.example/"),
              "a:1");
}

TEST(EnvironmentProxies, AWrongOneIsNamedButNotRepeated) {
    const auto proxies = read({{"HTTPS_PROXY", "socks5://me:secret@proxy"}});
    ASSERT_FALSE(proxies.has_value());
    EXPECT_EQ(proxies.error().message,
              "the environment variable HTTPS_PROXY must be an HTTP proxy: SOCKS is not supported; "
              "give http:// or https://, or unset it");
    EXPECT_EQ(chosen({{"ALL_PROXY", "socks5://proxy"},
                      {"http_proxy", "http://a:1"},
                      {"https_proxy", "http://a:1"}},
                     "https://x.example/"),
              "a:1")
        << "what nothing uses is not read";
}

}  // namespace
}  // namespace herald
