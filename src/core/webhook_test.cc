#include "core/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr EventType table[] = {
    {"infrahub.node.created", true, ""},
    {"infrahub.branch.merged", false, ""},
    {"infrahub.branch.rebased", false, ""},
    {"infrahub.artifact.created", true, "", "CoreArtifact"},
};
const EventTypes types("infrahub.", table);

Webhook a_webhook() {
    Webhook webhook;
    webhook.name = "eda";
    webhook.url = "http://ansible-eda:8080";
    webhook.shared_key = "supersecretkey";
    return webhook;
}

Error error_of(const Webhook& webhook) {
    const auto valid = validate(webhook, types);
    return valid ? Error{Errc::internal, "nothing is wrong", {}} : valid.error();
}

std::vector<std::string> wrong(const Webhook& webhook) {
    std::vector<std::string> pointers;
    if (const auto valid = validate(webhook, types); !valid) {
        EXPECT_EQ(valid.error().code, Errc::invalid);
        for (const FieldError& field : valid.error().fields) {
            EXPECT_FALSE(field.detail.empty()) << field.pointer;
            EXPECT_THAT(valid.error().message, HasSubstr(field.pointer));
            pointers.push_back(field.pointer);
        }
        EXPECT_FALSE(pointers.empty());
    }
    return pointers;
}

/// Applies a change to a good webhook and says what is then wrong with it.
template <class Change>
std::vector<std::string> wrong_with(Change change) {
    Webhook webhook = a_webhook();
    change(webhook);
    return wrong(webhook);
}

std::string detail(const Webhook& webhook) {
    const Error error = error_of(webhook);
    return error.fields.empty() ? "" : error.fields.front().detail;
}

TEST(WebhookKind, TextGoesBothWays) {
    EXPECT_EQ(to_text(WebhookKind::standard), "standard");
    EXPECT_EQ(to_text(WebhookKind::custom), "custom");
    EXPECT_EQ(parse_webhook_kind("standard"), WebhookKind::standard);
    EXPECT_EQ(parse_webhook_kind("custom"), WebhookKind::custom);
    EXPECT_EQ(parse_webhook_kind("Custom"), std::nullopt);
}

TEST(ValidateWebhook, NameUrlAndKeyAreEnough) { EXPECT_THAT(wrong(a_webhook()), IsEmpty()); }

TEST(ValidateWebhook, AllThatIsWrongIsSaidAtOnce) {
    Webhook webhook;
    webhook.url = "example.com";
    webhook.filter.event_types = {""};
    webhook.headers = {{"X-A", "1"}, {"X-B", "2"}, {"Bad Name", "x\r\ny"}};
    webhook.timeout = 0ms;
    webhook.retry.delays = {0s, 1s, 2s, -1s};
    EXPECT_THAT(wrong(webhook),
                ElementsAre("/name", "/url", "/event_type/0", "/shared_key", "/headers/2/key",
                            "/headers/2/value", "/timeout", "/retry/delays/3"));
}

TEST(ValidateWebhook, NameIsOneLine) {
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = ""; }), ElementsAre("/name"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = "a\nb"; }), ElementsAre("/name"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = std::string(256, 'a'); }),
                ElementsAre("/name"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = std::string(255, 'a'); }), IsEmpty());
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = "Z\xc3\xbcrich EDA"; }), IsEmpty());
}

TEST(ValidateWebhook, DescriptionMayHaveLinesButABound) {
    EXPECT_THAT(wrong_with([](Webhook& w) { w.description = "a\nb"; }), IsEmpty());
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.description = std::string(limits::description_bytes + 1, 'a');
                }),
                ElementsAre("/description"));
}

TEST(ValidateWebhook, UrlIsChecked) {
    for (const char* url : {"", "example.com", "ftp://h/", "http://h:0/", "http://h.1/"}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.url = url; }), ElementsAre("/url")) << url;
    }
}

TEST(ValidateWebhook, EventTypesAreNamesGlobsOrAll) {
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.filter.event_types = {"all", "infrahub.node.*", "infrahub.artifact.deleted",
                                            "infrahub.validator.member_removed", "com.other"};
                }),
                IsEmpty());
    EXPECT_THAT(wrong_with([](Webhook& w) { w.filter.event_types = {}; }),
                ElementsAre("/event_type"));
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.filter.event_types = {
                        "all", "a b", "", "\xc3\xbc", "a,b", std::string(256, 'a'), "a\n"};
                }),
                ElementsAre("/event_type/1", "/event_type/2", "/event_type/3", "/event_type/5",
                            "/event_type/6"));
    EXPECT_THAT(
        wrong_with([](Webhook& w) { w.filter.event_types.assign(limits::event_types + 1, "all"); }),
        ElementsAre("/event_type"));
}

TEST(ValidateWebhook, NodeKindNeedsATypeThatMayCarryOne) {
    struct Case {
        std::vector<std::string> event_types;
        bool good;
    };
    const Case cases[] = {
        {{"all"}, true},
        {{"infrahub.node.created"}, true},
        {{"infrahub.branch.merged", "infrahub.node.created"}, true},
        {{"infrahub.artifact.deleted"}, true},
        {{"infrahub.*"}, true},
        {{"infrahub.branch.merged"}, false},
        {{"infrahub.branch.merged", "infrahub.branch.rebased"}, false},
        {{"infrahub.branch.*"}, false},
    };
    for (const Case& c : cases) {
        const auto pointers = wrong_with([&](Webhook& w) {
            w.filter.event_types = c.event_types;
            w.filter.node_kind = "InfraDevice";
        });
        EXPECT_EQ(pointers.empty(), c.good) << c.event_types.front();
        if (!c.good) {
            EXPECT_THAT(pointers, ElementsAre("/node_kind"));
        }
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.filter.event_types = c.event_types; }),
                    IsEmpty());
    }
}

TEST(ValidateWebhook, NodeKindErrorHasTheWordsOfTheContract) {
    Webhook webhook = a_webhook();
    webhook.filter = {{"infrahub.branch.merged"}, BranchScope::default_branch, "InfraDevice"};
    EXPECT_THAT(detail(webhook),
                HasSubstr("Defining a node_kind is not valid for infrahub.branch.merged events"));
}

TEST(ValidateWebhook, NodeKindIsBounded) {
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.filter.node_kind = std::string(limits::label_bytes + 1, 'a');
                }),
                ElementsAre("/node_kind"));
}

TEST(ValidateWebhook, StandardNeedsAKeyAndCustomDoesNot) {
    Webhook webhook = a_webhook();
    webhook.shared_key = "";
    EXPECT_THAT(wrong(webhook), ElementsAre("/shared_key"));
    webhook.kind = WebhookKind::custom;
    EXPECT_THAT(wrong(webhook), IsEmpty());
    webhook.signature_profile = SignatureProfile::infrahub;
    EXPECT_THAT(wrong(webhook), ElementsAre("/signature_profile"));
}

TEST(ValidateWebhook, KeyIsOneLineOfABoundedLength) {
    EXPECT_THAT(wrong_with([](Webhook& w) { w.shared_key = "secret\n"; }),
                ElementsAre("/shared_key"));
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.shared_key = std::string(limits::shared_key_bytes + 1, 'k');
                }),
                ElementsAre("/shared_key"));
}

TEST(ValidateWebhook, ProfileMustFitTheKey) {
    struct Case {
        SignatureProfile profile;
        std::string key;
        bool good;
    };
    const Case cases[] = {
        {SignatureProfile::automatic, "text", true},
        {SignatureProfile::infrahub, "text", true},
        {SignatureProfile::spaced, "text", true},
        {SignatureProfile::repr, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
        {SignatureProfile::standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
        {SignatureProfile::standard, "text", false},
        {SignatureProfile::standard, "whsec_", false},
        {SignatureProfile::ed25519, "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", true},
        {SignatureProfile::ed25519, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", false},
        {SignatureProfile::gitlab_token, "two words", false},
        {SignatureProfile::github, "two words", true},
    };
    for (const Case& c : cases) {
        Webhook webhook = a_webhook();
        webhook.signature_profile = c.profile;
        webhook.shared_key = c.key;
        if (c.good) {
            EXPECT_THAT(wrong(webhook), IsEmpty()) << c.key;
        } else {
            EXPECT_THAT(wrong(webhook), ElementsAre("/signature_profile")) << c.key;
        }
    }
}

TEST(ValidateWebhook, OptionsOfASignatureAreForHmacOnly) {
    const auto with = [](SignatureProfile profile, const SignatureOptions& options) {
        return wrong_with([&](Webhook& w) {
            w.signature_profile = profile;
            w.signature = options;
        });
    };
    using enum SignatureProfile;
    EXPECT_THAT(with(hmac, {}), IsEmpty());
    EXPECT_THAT(with(hmac, {"X-Ours", "v0="}), IsEmpty());
    EXPECT_THAT(with(github, {}), IsEmpty());
    EXPECT_THAT(with(github, {"X-Ours"}), ElementsAre("/signature"));
    EXPECT_THAT(with(automatic, {.prefix = "v0="}), ElementsAre("/signature"));
    for (const char* bad : {"", "X Y", "Host", "webhook-signature", "X\r\nY"}) {
        EXPECT_THAT(with(hmac, {.header = bad}), ElementsAre("/signature/header")) << bad;
    }
    for (const std::string& bad :
         {std::string("a\nb"), std::string(" v0="), std::string("\xc3\xa9"),
          std::string(limits::signature_prefix_bytes + 1, 'v')}) {
        EXPECT_THAT(with(hmac, {.prefix = bad}), ElementsAre("/signature/prefix")) << bad;
    }
}

TEST(ValidateWebhook, NoHeaderStandsWhereTheSignatureDoes) {
    struct Case {
        SignatureProfile profile;
        std::string header;
        bool good;
    };
    using enum SignatureProfile;
    const Case cases[] = {
        {github, "x-hub-signature-256", false},
        {github, "X-GitHub-Event", true},
        {netbox, "X-Hook-Signature", false},
        {gitlab_token, "X-GITLAB-TOKEN", false},
        {hmac, "X-Ours", false},
        {automatic, "X-Hub-Signature-256", true},
    };
    for (const Case& c : cases) {
        Webhook webhook = a_webhook();
        webhook.signature_profile = c.profile;
        if (c.profile == hmac) webhook.signature.header = "x-ours";
        webhook.headers = {{"X-Site", "a"}, {c.header, "mine"}};
        if (c.good) {
            EXPECT_THAT(wrong(webhook), IsEmpty()) << c.header;
        } else {
            EXPECT_THAT(wrong(webhook), ElementsAre("/headers/1/key")) << c.header;
        }
    }
}

TEST(ValidateWebhook, AnOldKeyNeedsItsEndAndFitsTheProfile) {
    EXPECT_THAT(wrong_with([](Webhook& w) { w.key_rotation.previous_key = "old"; }),
                ElementsAre("/key_rotation/until"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.key_rotation = {"old\n", Time{}}; }),
                ElementsAre("/key_rotation/previous_key"));
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.key_rotation = {"two words", Time{}};
                    w.signature_profile = SignatureProfile::gitlab_token;
                }),
                ElementsAre("/key_rotation/previous_key"));
}

TEST(ValidateWebhook, SecretsNeverEnterTheError) {
    Webhook webhook = a_webhook();
    webhook.shared_key = "hunter2\n";
    webhook.signature_profile = SignatureProfile::standard;
    webhook.url = "http://u:hunter2@h:0/";
    webhook.headers = {{"Authorization", "hunter2\n"}, {"X-Env", "hunter2!", true}};
    const Error error = error_of(webhook);
    EXPECT_GE(error.fields.size(), 5U);
    EXPECT_THAT(error.message, testing::Not(HasSubstr("hunter2")));
}

TEST(ValidateWebhook, TimeoutIsWithinItsBounds) {
    for (const auto good : {1'000ms, 15'000ms, 300'000ms}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.timeout = good; }), IsEmpty());
    }
    for (const auto bad : {-1ms, 0ms, 999ms, 300'001ms}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.timeout = bad; }), ElementsAre("/timeout"));
    }
}

TEST(ValidateWebhook, RetryIsChecked) {
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = " "; }), ElementsAre("/name"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.name = "eda "; }), ElementsAre("/name"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.retry.delays.clear(); }),
                ElementsAre("/retry/delays"));
    EXPECT_THAT(wrong_with([](Webhook& w) { w.retry.jitter = 2; }), ElementsAre("/retry/jitter"));
}

TEST(ValidateWebhook, HeadersAreUniqueInAnyCase) {
    EXPECT_THAT(wrong_with([](Webhook& w) {
                    w.headers = {{"X-Team", "a"}, {"X-Other", "b"}, {"x-TEAM", "c"}};
                }),
                ElementsAre("/headers/2/key"));
}

TEST(ValidateWebhook, HeadersAreLimitedInNumber) {
    auto with = [](std::size_t count) {
        Webhook webhook = a_webhook();
        for (std::size_t i = 0; i < count; ++i) {
            webhook.headers.push_back({"X-" + std::to_string(i), "v"});
        }
        return webhook;
    };
    EXPECT_THAT(wrong(with(limits::headers)), IsEmpty());
    EXPECT_THAT(wrong(with(limits::headers + 1)), ElementsAre("/headers"));
}

TEST(ValidateWebhook, EnvironmentVariableHasAName) {
    for (const char* good : {"TOKEN", "_x", "a1_B2"}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.headers = {{"X-Key", good, true}}; }), IsEmpty())
            << good;
    }
    for (const char* bad : {"", "1A", "A-B", "A B", "$A", "A=B", "\xc3\xbc"}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.headers = {{"X-Key", bad, true}}; }),
                    ElementsAre("/headers/0/value"))
            << bad;
    }
}

TEST(ValidateWebhook, AHeaderIsAsciiOrAReferenceToIt) {
    for (const char* good : {"par1", "file:/run/\xc3\xa9", "plain:file:/run/e"}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.headers = {{"X-A", good}}; }), IsEmpty())
            << good;
    }
    for (const char* bad : {"\xc3\xa9", "a\xe9", "plain:file:/run/\xc3\xa9"}) {
        EXPECT_THAT(wrong_with([&](Webhook& w) { w.headers = {{"X-A", bad}}; }),
                    ElementsAre("/headers/0/value"))
            << bad;
    }
}

TEST(ValidateHeader, NameIsATokenThatIsNotOwned) {
    for (const char* good : {"X-Team", "Authorization", "Content-Type", "Accept", "User-Agent",
                             "X-Webhook-Id", "Tenant", "Hosts", "Proxy", "x!#$%&'*+-.^_`|~9"}) {
        EXPECT_TRUE(validate_header(good, "v")) << good;
    }
    for (const char* bad : {"",
                            " ",
                            "X Team",
                            "X-Team ",
                            "X:",
                            "X(1)",
                            "X\n",
                            "\xc3\xbc",
                            "a/b",
                            "\"a\"",
                            "Host",
                            "HOST",
                            "Content-Length",
                            "Transfer-Encoding",
                            "Connection",
                            "Keep-Alive",
                            "Upgrade",
                            "TE",
                            "Trailer",
                            "Expect",
                            "Herald-Node",
                            "Proxy-Authorization",
                            "proxy-connection",
                            "webhook-id",
                            "Webhook-Timestamp",
                            "WEBHOOK-SIGNATURE"}) {
        const auto valid = validate_header(bad, "v");
        ASSERT_FALSE(valid) << bad;
        ASSERT_EQ(valid.error().fields.size(), 1U) << bad;
        EXPECT_EQ(valid.error().fields[0].pointer, "/key") << bad;
    }
}

TEST(ValidateHeader, ValueIsOneLineOfAscii) {
    for (const std::string& good : {std::string(), std::string("Bearer abc"), std::string("a\tb"),
                                    std::string(" !~"), std::string(limits::header_bytes, 'v')}) {
        EXPECT_TRUE(validate_header("X-A", good)) << good;
    }
    for (const std::string& bad :
         {std::string("a\r\nHost: evil"), std::string("a\n"), std::string("a\r"),
          std::string("a\0b", 3), std::string("\x1b[0m"), std::string("\x7f"), std::string("\x80"),
          std::string("\xff"), std::string("Z\xc3\xbcrich"),
          std::string(limits::header_bytes + 1, 'v')}) {
        const auto valid = validate_header("X-A", bad);
        ASSERT_FALSE(valid);
        EXPECT_EQ(valid.error().fields.at(0).pointer, "/value");
    }
}

TEST(ValidateHeader, BothSidesCanBeWrong) {
    const auto valid = validate_header("a b", "c\nd");
    ASSERT_FALSE(valid);
    EXPECT_EQ(valid.error().code, Errc::invalid);
    EXPECT_EQ(valid.error().fields.size(), 2U);
}

}  // namespace
}  // namespace herald
