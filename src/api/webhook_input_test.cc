#include "api/webhook_input.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/encode.h"
#include "core/limits.h"

namespace herald {

namespace {

constexpr EventType known_types[] = {{"shop.order.paid", true, ""},
                                     {"shop.branch.made", false, "-global-"}};
const EventTypes types("shop.", known_types);

std::string canonical(std::string_view text) {
    auto made = canonical_json(text);
    EXPECT_TRUE(made) << text;
    return made.value_or("null");
}

Result<Webhook> create(std::string_view input) {
    return read_new_webhook(JsonView(canonical(input)), types);
}

Result<Webhook> patch(std::string_view input, const Webhook& stored) {
    return read_patch(JsonView(canonical(input)), stored, types);
}

Result<Webhook> replace(std::string_view input, const Webhook& stored) {
    std::string shown;
    append_webhook(shown, stored, {}, {});
    return read_replacement(JsonView(canonical(input)), stored, JsonView(shown), types);
}

std::vector<std::string> wrong(const Result<Webhook>& read) {
    std::vector<std::string> pointers;
    if (read) return pointers;
    for (const FieldError& field : read.error().fields) pointers.push_back(field.pointer);
    return pointers;
}

std::string detail(const Result<Webhook>& read) {
    return read || read.error().fields.empty() ? "" : read.error().fields.front().detail;
}

/// The least that a webhook needs, and `more`.
std::string with(const std::string& more) {
    return R"({"name":"a","url":"http://h/","shared_key":"secret")" +
           (more.empty() ? "" : "," + more) + "}";
}

Webhook stored_webhook() {
    auto made = create(R"({"name":"a","url":"http://u:p@h/?token=t&a=b","shared_key":"secret",
        "description":"d","node_kind":"Order","timeout":3,"active":false,
        "event_type":["shop.order.paid"],"branch_scope":"all_branches",
        "headers":[{"key":"Authorization","value":"Bearer s"},{"key":"X-Site","value":"par"}],
        "retry":{"delays":["0s","5s"],"jitter":0.5}})");
    EXPECT_TRUE(made) << made.error().message;
    made->uuid = *Uuid::parse("11111111-2222-4333-8444-555555555555");
    return *made;
}

TEST(NewWebhook, WhatIsLeftOutHasItsDefault) {
    const auto webhook = create(with(""));
    ASSERT_TRUE(webhook) << webhook.error().message;
    Webhook expected;
    expected.name = "a";
    expected.url = "http://h/";
    expected.shared_key = "secret";
    EXPECT_EQ(*webhook, expected);
    EXPECT_TRUE(webhook->validate_certificates);
    EXPECT_EQ(webhook->filter.branch_scope, BranchScope::default_branch);
}

TEST(NewWebhook, NullCountsAsLeftOut) {
    const auto webhook = create(with(
        R"("kind":null,"event_type":null,"active":null,"branch_scope":null,"node_kind":null,
           "description":null,"headers":null,"timeout":null,"retry":null,
           "signature_profile":null,"validate_certificates":null)"));
    ASSERT_TRUE(webhook) << webhook.error().message;
    EXPECT_EQ(*webhook, *create(with("")));
}

TEST(NewWebhook, EveryAttributeIsRead) {
    const auto webhook = create(
        R"({"name":"a","kind":"custom","event_type":["all","shop.*"],"active":false,
            "branch_scope":"other_branches","node_kind":"Order","description":"d",
            "url":"https://h/x","shared_key":"secret","headers":[{"key":"X-A","value":"b"},
            {"key":"X-B","environment":"VAR"}],"timeout":2.5,"retry":{"preset":"none"},
            "signature_profile":"infrahub-repr","validate_certificates":false})");
    ASSERT_TRUE(webhook) << webhook.error().message;
    EXPECT_EQ(webhook->kind, WebhookKind::custom);
    EXPECT_EQ(webhook->filter.event_types, (std::vector<std::string>{"all", "shop.*"}));
    EXPECT_FALSE(webhook->active);
    EXPECT_EQ(webhook->filter.branch_scope, BranchScope::other_branches);
    EXPECT_EQ(webhook->filter.node_kind, "Order");
    EXPECT_EQ(webhook->headers, (std::vector<WebhookHeader>{{"X-A", "b"}, {"X-B", "VAR", true}}));
    EXPECT_EQ(webhook->timeout, std::chrono::milliseconds{2500});
    EXPECT_EQ(webhook->retry, *retry_preset("none"));
    EXPECT_EQ(webhook->signature_profile, *parse_signature_profile("infrahub-repr"));
    EXPECT_FALSE(webhook->validate_certificates);
}

TEST(NewWebhook, WrongTypesAndValuesAreNamedByTheNameTheCallerUsed) {
    const std::pair<std::string, std::vector<std::string>> cases[] = {
        {R"("kind":"other")", {"/kind"}},
        {R"("active":"yes")", {"/active"}},
        {R"("description":5)", {"/description"}},
        {R"("event_type":7)", {"/event_type"}},
        {R"("event_type":"")", {"/event_type"}},
        {R"("event_type":["",3])", {"/event_type/1", "/event_type/0"}},
        {R"("branch_scope":"main")", {"/branch_scope"}},
        {R"("event_type":"shop.branch.made","node_kind":"Order")", {"/node_kind"}},
        {R"("signature_profile":"repr")", {"/signature_profile"}},
        {R"("timeout":"5")", {"/timeout"}},
        {R"("timeout":1e400)", {"/timeout"}},
        {R"("timeout":1e300)", {"/timeout"}},
        {R"("timeout":0.2)", {"/timeout"}},
        {R"("headers":{})", {"/headers"}},
        {R"("headers":[7])", {"/headers/0"}},
        {R"("headers":[{"key":"X-A"}])", {"/headers/0/value"}},
        {R"("headers":[{"key":"X-A","value":"b","environment":"C"}])", {"/headers/0/environment"}},
        {R"("headers":[{"key":"X-A","environment":"9"}])", {"/headers/0/environment"}},
        {R"("headers":[{"key":"X-A","value":"b\r\nX-C: d"}])", {"/headers/0/value"}},
        {R"("headers":[{"key":"X-A\n","value":"b"}])", {"/headers/0/key"}},
        {R"("headers":[{"key":"Content-Length","value":"1"}])", {"/headers/0/key"}},
        {R"("headers":[{"key":"X-A","value":"b"},{"key":"x-a","value":"c"}])", {"/headers/1/key"}},
        {R"("retry":"none")", {"/retry"}},
        {R"("retry":{"preset":"often"})", {"/retry/preset"}},
        {R"("retry":{"preset":"none","jitter":1})", {"/retry/jitter"}},
        {R"("retry":{"delays":["soon"]})", {"/retry/delays/0"}},
        {R"("retry":{"delay":["1s"]})", {"/retry/delay"}},
        {R"("id":"x")", {"/id"}},
        {R"("version":1)", {"/version"}},
        {R"("colour":"red")", {"/colour"}},
    };
    for (const auto& [more, pointers] : cases)
        EXPECT_EQ(wrong(create(with(more))), pointers) << more;
}

TEST(NewWebhook, AllThatIsMissingIsNamedAtOnce) {
    auto missing = wrong(create("{}"));
    std::ranges::sort(missing);
    EXPECT_EQ(missing, (std::vector<std::string>{"/name", "/shared_key", "/url"}));
    EXPECT_EQ(wrong(create(R"({"name":"a","url":"http://h/","kind":"custom"})")),
              std::vector<std::string>{});
}

TEST(NewWebhook, MisspeltAttributeGetsASuggestion) {
    EXPECT_EQ(detail(create(with(R"("event_typ":"all")"))),
              "is no attribute of a webhook: did you mean event_type?");
    EXPECT_EQ(detail(create(with(R"("headers":[{"key":"a","valu":"b","value":"c"}])"))),
              "is no attribute of a header: did you mean value?");
}

TEST(NewWebhook, NumberOfErrorsIsBounded) {
    std::string more = R"("x":1)";
    for (int i = 0; i < 1000; ++i) more += ",\"x" + std::to_string(i) + "\":1";
    EXPECT_EQ(wrong(create("{" + more + "}")).size(), limits::field_errors);
}

TEST(NewWebhook, MasksAreNoSecrets) {
    EXPECT_EQ(wrong(create(R"({"name":"a","url":"http://h/?token=***","shared_key":"***",
                              "headers":[{"key":"Authorization","value":"***"}]})")),
              (std::vector<std::string>{"/url", "/shared_key", "/headers/0/value"}));
    EXPECT_TRUE(create(with(R"("headers":[{"key":"X-Stars","value":"***"}])")))
        << "this header is no secret, so nothing masked it";
}

TEST(PatchedWebhook, WhatIsLeftOutStays) {
    const Webhook stored = stored_webhook();
    EXPECT_EQ(*patch("{}", stored), stored);
    Webhook expected = stored;
    expected.description = "other";
    EXPECT_EQ(*patch(R"({"description":"other"})", stored), expected);
}

TEST(PatchedWebhook, NullGivesTheDefault) {
    const auto changed = patch(
        R"({"description":null,"timeout":null,"retry":null,"headers":null,"event_type":null,
            "active":null,"branch_scope":null,"node_kind":null})",
        stored_webhook());
    ASSERT_TRUE(changed) << changed.error().message;
    const Webhook fresh;
    EXPECT_EQ(changed->description, "");
    EXPECT_EQ(changed->timeout, fresh.timeout);
    EXPECT_EQ(changed->retry, fresh.retry);
    EXPECT_TRUE(changed->headers.empty());
    EXPECT_EQ(changed->filter, fresh.filter);
    EXPECT_TRUE(changed->active);
    EXPECT_EQ(wrong(patch(R"({"shared_key":null})", stored_webhook())),
              std::vector<std::string>{"/shared_key"});
}

TEST(PatchedWebhook, RulesHoldForTheWholeOfOldAndNew) {
    EXPECT_EQ(wrong(patch(R"({"event_type":"shop.branch.made"})", stored_webhook())),
              std::vector<std::string>{"/node_kind"});
}

TEST(PatchedWebhook, ReadOnlyAttributesAreRefused) {
    EXPECT_EQ(wrong(patch(R"({"version":1,"id":"x"})", stored_webhook())),
              (std::vector<std::string>{"/version", "/id"}));
}

TEST(ReplacedWebhook, WhatTheServerShowedCanBeSentBack) {
    const Webhook stored = stored_webhook();
    std::string shown;
    append_webhook(shown, stored, {}, {});
    for (const char* secret : {"Bearer s", "token=t", "u:p", "\"secret\""}) {
        EXPECT_EQ(shown.find(secret), std::string::npos) << secret;
    }
    const auto same = replace(shown, stored);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->url, stored.url);
    EXPECT_EQ(same->headers, stored.headers);
    EXPECT_EQ(same->shared_key, stored.shared_key);
    EXPECT_EQ(same->retry, stored.retry);
    EXPECT_EQ(same->filter, stored.filter);
    EXPECT_EQ(same->timeout, stored.timeout);
}

TEST(ReplacedWebhook, WhatIsLeftOutGetsItsDefaultButTheKeyStays) {
    const auto replaced = replace(R"({"name":"b","url":"http://other/"})", stored_webhook());
    ASSERT_TRUE(replaced) << replaced.error().message;
    EXPECT_EQ(replaced->shared_key, "secret");
    EXPECT_EQ(replaced->uuid, stored_webhook().uuid);
    EXPECT_EQ(replaced->description, "");
    EXPECT_TRUE(replaced->headers.empty());
}

TEST(ReplacedWebhook, ReadOnlyAttributeThatChangedIsRefused) {
    EXPECT_EQ(wrong(replace(R"({"name":"a","url":"http://h/","version":1})", stored_webhook())),
              std::vector<std::string>{});
    EXPECT_EQ(wrong(replace(R"({"name":"a","url":"http://h/","version":2})", stored_webhook())),
              std::vector<std::string>{"/version"});
}

TEST(OptionGroups, AreReadShownAndNamedInErrors) {
    const auto made = create(with(R"("retry_on":["TIMEOUT","TLS"])"));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->retry_on, (std::vector{FailureClass::tls, FailureClass::timeout}));
    std::string shown;
    append_webhook(shown, *made, {}, {});
    EXPECT_NE(shown.find(R"("retry_on":["TLS","TIMEOUT"])"), std::string::npos) << shown;
    EXPECT_EQ(wrong(create(with(R"("retry_on":["LATE"])"))),
              std::vector<std::string>{"/retry_on/0"});
    EXPECT_EQ(detail(create(with(R"("retry_no":[])"))),
              "is no attribute of a webhook: did you mean retry_on?");
}

TEST(OptionGroups, ReplacementGivesTheDefaultAndPatchKeeps) {
    auto stored = stored_webhook();
    stored.retry_on = {FailureClass::timeout};
    const auto replaced = replace(R"({"name":"a","url":"http://h/"})", stored);
    ASSERT_TRUE(replaced) << replaced.error().message;
    EXPECT_EQ(replaced->retry_on, all_failures());
    EXPECT_EQ(patch(R"({"description":"d"})", stored)->retry_on, stored.retry_on);
    EXPECT_EQ(patch(R"({"retry_on":null})", stored)->retry_on, all_failures());
}

TEST(OptionGroups, AKeyRotationIsReadAndItsSecretComesBackMasked) {
    auto stored = stored_webhook();
    stored.key_rotation = {"the old key", *parse_time("2026-03-13T12:00:00Z"), KeyUse::previous};
    std::string shown;
    append_webhook(shown, stored, {}, {});
    EXPECT_EQ(shown.find("the old key"), shown.npos);
    const std::string group(JsonView(shown).find("key_rotation")->raw());
    const auto replaced =
        replace(R"({"name":"a","url":"http://h/","key_rotation":)" + group + "}", stored);
    ASSERT_TRUE(replaced) << replaced.error().message;
    EXPECT_EQ(replaced->key_rotation, stored.key_rotation);
    const auto patched =
        patch(R"({"shared_key":"new","key_rotation":{"grace":"24h"}})", stored_webhook());
    ASSERT_TRUE(patched) << patched.error().message;
    EXPECT_EQ(patched->key_rotation.grace, std::chrono::hours{24});
    EXPECT_EQ(wrong(patch(R"({"key_rotation":{"previous_key":"x"}})", stored_webhook())),
              std::vector<std::string>{"/key_rotation/until"});
}

TEST(OptionGroups, ASignatureIsReadForHmac) {
    const auto made = create(
        with(R"("signature_profile":"hmac","signature":{"header":"X-Ours","encoding":"base64"})"));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->signature, (SignatureOptions{"X-Ours", "", SignatureEncoding::base64}));
    EXPECT_EQ(wrong(create(with(R"("signature":{"header":"X-Ours"})"))),
              std::vector<std::string>{"/signature"});
    EXPECT_EQ(wrong(create(with(R"("signature_profile":"hmac","signature":{"algorithm":"md5"})"))),
              std::vector<std::string>{"/signature/algorithm"});
}

}  // namespace

}  // namespace herald
