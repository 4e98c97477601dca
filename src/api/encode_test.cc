#include "api/encode.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace herald {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Time noon = *parse_time("2026-03-13T12:00:00Z");

/// The text, which must be canonical JSON already: JsonView reads it.
std::string checked(const std::string& text) {
    const auto canonical = canonical_json(text);
    EXPECT_TRUE(canonical) << text;
    EXPECT_EQ(canonical.value_or(""), text);
    return text;
}

std::string changes(std::string_view changelog) {
    Event event;
    event.body = *canonical_json(R"({"data":{"changelog":)" + std::string(changelog) + "}}");
    std::string out;
    append_changes(out, event);
    return checked(out);
}

TEST(Encode, EventWithoutAnythingIsNullsAndEmptyLists) {
    Event event;
    event.id = EventId{*Uuid::parse("11111111-2222-4333-8444-555555555555")};
    event.type = "a";
    event.source = "api";
    event.occurred_at = noon;
    event.received_at = noon + microseconds{1};
    std::string out;
    append_event(out, EventSeq{7}, event);
    EXPECT_EQ(checked(out),
              R"({"id":"11111111-2222-4333-8444-555555555555","seq":7,"event":"a",)"
              R"("occurred_at":"2026-03-13T12:00:00.000000Z",)"
              R"("received_at":"2026-03-13T12:00:00.000001Z","source":"api","branch":null,)"
              R"("account_id":null,"level":0,"has_children":false,"parent_id":null,)"
              R"("ancestors":[],"node":null,"related_nodes":[],"origin":null})");
}

TEST(Encode, TextOfStrangersIsEscaped) {
    Event event;
    event.type = "a";
    event.branch = "\"}\n\xC3\xBC\x7f";
    event.node = {"<n>", "K\\"};
    std::string out;
    append_event(out, EventSeq{1}, event);
    const std::string text = checked(out);
    EXPECT_EQ(JsonView(text).string("branch"), event.branch);
    EXPECT_EQ(JsonView(text).find("node")->string("kind"), "K\\");
}

TEST(Encode, ChangesShowValuesBeforeAndAfter) {
    EXPECT_EQ(
        changes(R"({"attributes":{"role":{"value":"peering","value_previous":"peer",
                    "value_update_status":"updated"},"mtu":{"value":9000,"value_previous":null,
                    "value_update_status":"added"}}})"),
        R"([{"field":"role","kind":"attribute","before":"peer","after":"peering","status":"updated"},)"
        R"({"field":"mtu","kind":"attribute","before":null,"after":9000,"status":"added"}])");
}

TEST(Encode, ChangedPeersAreShownByLabelWhereThereIsOne) {
    EXPECT_EQ(
        changes(R"({"relationships":{
            "platform":{"cardinality":"one","peer_status":"updated","peer_id":"p2",
                        "peer_id_previous":"p1","peer_display_label":"EOS"},
            "tags":{"cardinality":"many","peers":[{"peer_id":"t1","peer_status":"added",
                    "peer_display_label":"red"},{"peer_id":"t2","peer_status":"removed"}]}}})"),
        R"([{"field":"platform","kind":"relationship","before":"p1","after":"EOS","status":"updated"},)"
        R"({"field":"tags","kind":"relationship","before":null,"after":"red","status":"added"},)"
        R"({"field":"tags","kind":"relationship","before":"t2","after":null,"status":"removed"}])");
}

TEST(Encode, ChangelogOfAnotherFormGivesNoChanges) {
    for (const char* odd : {"null", "7", "[]", R"({"attributes":[]})", R"({"relationships":1})"}) {
        EXPECT_EQ(changes(odd), "[]") << odd;
    }
    std::string out;
    append_changes(out, Event{});
    EXPECT_EQ(out, "[]");
}

TEST(Encode, WebhookShowsNoSecret) {
    Webhook webhook;
    webhook.name = "a";
    webhook.url = "https://user:s-password@h/p?token=s-token&x=1&sig=s-sig";
    webhook.shared_key = "the-shared-key";
    webhook.headers = {{"Authorization", "Bearer s-bearer"},
                       {"X-Deploy-Token", "s-deploy"},
                       {"X-Site", "par"},
                       {"X-Pass", "VARIABLE", true}};
    std::string out;
    append_webhook(out, webhook, {}, {"a \"warning\""});
    const std::string text = checked(out);
    for (const char* secret :
         {"s-password", "s-token", "s-sig", "the-shared-key", "s-bearer", "s-deploy"}) {
        EXPECT_EQ(text.find(secret), std::string::npos) << secret << " in " << text;
    }
    const JsonView shown(text);
    EXPECT_EQ(shown.string("url"), "https://***@h/p?token=***&x=1&sig=***");
    EXPECT_EQ(shown.find("headers")->raw(),
              R"([{"key":"Authorization","value":"***"},{"key":"X-Deploy-Token","value":"***"},)"
              R"({"key":"X-Site","value":"par"},{"key":"X-Pass","environment":"VARIABLE"}])");
    EXPECT_EQ(shown.find("has_shared_key")->boolean(), true);
    EXPECT_EQ(shown.string("shared_key_fingerprint")->size(), 12U);
    EXPECT_EQ(shown.find("timeout")->raw(), "15.0");
    EXPECT_EQ(shown.find("warnings")->raw(), R"(["a \"warning\""])");
}

TEST(Encode, FingerprintTellsKeysApart) {
    const auto fingerprint = [](std::string key) {
        Webhook webhook;
        webhook.shared_key = std::move(key);
        std::string out;
        append_webhook(out, webhook, {}, {});
        return JsonView(out).string("shared_key_fingerprint").value_or("");
    };
    EXPECT_NE(fingerprint("one"), fingerprint("two"));
    EXPECT_EQ(fingerprint("one"), fingerprint("one"));
    EXPECT_EQ(fingerprint(""), "");
}

TEST(Encode, AWebhookShowsItsPublicKeyAndNoPrivateOne) {
    Webhook webhook;
    webhook.signature_profile = SignatureProfile::ed25519;
    webhook.shared_key = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
    webhook.key_rotation = {"whsk_of_before", Time{std::chrono::hours{1}}, KeyUse::both};
    std::string out;
    append_webhook(out, webhook, {}, {});
    EXPECT_EQ(JsonView(out).string("public_key"),
              "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    EXPECT_EQ(out.find("whsk_"), out.npos) << out;
    EXPECT_EQ(JsonView(out).find("key_rotation")->string("previous_key"), "***");
    webhook.signature_profile = SignatureProfile::automatic;
    out.clear();
    append_webhook(out, webhook, {}, {});
    EXPECT_TRUE(JsonView(out).find("public_key")->is_null());
}

TEST(Encode, AttemptMasksSecretsAndTakesAnyBytes) {
    Attempt attempt;
    attempt.number = 2;
    attempt.url = "http://h/?token=s-token";
    attempt.took = microseconds{1'234'500};
    attempt.request_headers = {{"Authorization", "s-bearer"}, {"webhook-signature", "v1,s-sig"}};
    attempt.response_headers = {{"Set-Cookie", "s-cookie"}, {"Server", "a"}, {"Server", "b"}};
    attempt.response_body = std::string("raw \0 \xFF bytes", 13);
    attempt.outcome = {FailureClass::http_server_error, "answered 500"};
    attempt.status = 500;
    std::string out;
    append_attempt(out, attempt);
    const std::string text = checked(out);
    for (const char* secret : {"s-token", "s-bearer", "s-sig", "s-cookie"}) {
        EXPECT_EQ(text.find(secret), std::string::npos) << secret << " in " << text;
    }
    EXPECT_EQ(JsonView(text).find("duration_ms")->raw(), "1234.5");
    EXPECT_EQ(JsonView(text).find("status")->raw(), "500");
    EXPECT_EQ(JsonView(text).string("failure_class"), "HTTP_SERVER_ERROR");
    EXPECT_FALSE(JsonView(text).string("remediation")->empty());
}

TEST(Encode, AttemptWithoutAnAnswerHasNoStatus) {
    std::string out;
    append_attempt(out, Attempt{});
    EXPECT_EQ(JsonView(out).find("status")->raw(), "null");
}

TEST(Encode, SettledDeliveryHasNoNextAttempt) {
    Delivery delivery;
    delivery.event_type = "a";
    delivery.due_at = noon;
    std::string open;
    append_delivery(open, {delivery, nullptr, true});
    EXPECT_EQ(JsonView(open).string("next_attempt_at"), "2026-03-13T12:00:00.000000Z");
    EXPECT_EQ(JsonView(open).find("in_flight")->boolean(), true);
    delivery.state = DeliveryState::delivered;
    std::string settled;
    append_delivery(settled, {delivery, nullptr, false});
    EXPECT_TRUE(JsonView(checked(settled)).find("next_attempt_at")->is_null());
    EXPECT_EQ(JsonView(settled).find("webhook")->raw(), R"({"id":null,"name":null})");
}

}  // namespace

}  // namespace herald
