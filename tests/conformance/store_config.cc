#include "conformance/store_suite.h"
#include "core/limits.h"

namespace herald::test {

namespace {

using namespace std::string_literals;

using StoreConfig = StoreSuite;

TEST_P(StoreConfig, webhooks_come_back_whole_after_a_restart) {
    Webhook webhook = make_webhook("everything");
    webhook.kind = WebhookKind::custom;
    webhook.filter = {{"shop.order.paid", "shop.*"}, BranchScope::other_branches, "ShopOrder"};
    webhook.active = false;
    webhook.description = "what \0 it is for, \xC3\xA9"s;
    webhook.validate_certificates = false;
    webhook.headers = {{"X-One", "1", false}, {"X-Two", "VARIABLE", true}, {"X-Three", "", false}};
    webhook.timeout = std::chrono::milliseconds{2'500};
    webhook.retry = {{Duration{0}, std::chrono::seconds{7}}, 0.25};
    webhook.signature_profile = SignatureProfile::standard;
    webhook.accepted_profile = SignatureProfile::repr;
    webhook.retry_on = {FailureClass::connection};
    webhook.tls = {.ca = "ca", .certificate = "certificate", .key = "key"};
    webhook.proxy = {.url = "http://p", .user = "u", .password = "s", .from_environment = false};
    webhook.signature = {"X-Ours", "v0=", SignatureEncoding::base64, HashAlgorithm::sha512};
    webhook.key_rotation = {"the old key", noon + std::chrono::microseconds{1}, KeyUse::previous};
    webhook.version = 3;
    const Webhook stored = put(webhook);
    EXPECT_NE(stored.id, WebhookId{});
    webhook.id = stored.id;
    EXPECT_EQ(stored, webhook);
    reopen();
    EXPECT_EQ(*store().webhooks(), std::vector{webhook});
}

TEST_P(StoreConfig, webhook_numbers_are_never_used_again) {
    const Webhook first = put(make_webhook("first"));
    const Webhook second = put(make_webhook("second"));
    ASSERT_TRUE(store().remove_webhook(second.id, {}, noon));
    reopen();
    EXPECT_GT(put(make_webhook("third")).id, second.id);
    EXPECT_NE(first.id, second.id);
}

TEST_P(StoreConfig, a_webhook_is_replaced_only_in_the_version_that_was_read) {
    Webhook webhook = put(make_webhook("one"));
    webhook.description = "changed";
    webhook.version = 2;
    const auto late = store().put_webhook(webhook, 7);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::precondition_failed);
    EXPECT_EQ(store().webhooks()->at(0).description, "");
    EXPECT_EQ(put(webhook, 1).description, "changed");
    EXPECT_EQ(store().webhooks()->at(0).version, 2U);
    EXPECT_EQ(store().remove_webhook(webhook.id, 1, noon).error().code, Errc::precondition_failed);
    EXPECT_TRUE(store().remove_webhook(webhook.id, 2, noon));
    EXPECT_EQ(store().remove_webhook(webhook.id, {}, noon).error().code, Errc::not_found);
    EXPECT_EQ(store().put_webhook(webhook, {}).error().code, Errc::not_found);
}

TEST_P(StoreConfig, a_name_is_taken_until_its_webhook_is_removed) {
    const Webhook first = put(make_webhook("orders"));
    Webhook other = put(make_webhook("other"));
    const auto taken = store().put_webhook(make_webhook("orders"), {});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Errc::conflict);
    EXPECT_EQ(taken.error().fields.at(0).pointer, "/name");
    other.name = "orders";
    EXPECT_EQ(store().put_webhook(other, {}).error().code, Errc::conflict);
    EXPECT_EQ(put(first).name, "orders") << "its own name is no conflict";
    ASSERT_TRUE(store().remove_webhook(first.id, {}, noon));
    EXPECT_NE(put(make_webhook("orders")).id, first.id);
}

TEST_P(StoreConfig, a_removed_webhook_keeps_its_name_and_loses_its_secrets) {
    Webhook webhook = make_webhook("secretive");
    webhook.headers = {{"Authorization", "Bearer secret", false}};
    webhook = put(webhook);
    ASSERT_TRUE(store().remove_webhook(webhook.id, {}, noon));
    const Webhook removed = store().webhooks()->at(0);
    EXPECT_TRUE(removed.removed);
    EXPECT_FALSE(removed.active);
    EXPECT_EQ(removed.name, "secretive");
    EXPECT_EQ(removed.shared_key, "");
    EXPECT_EQ(removed.key_rotation, KeyRotation{});
    EXPECT_TRUE(removed.headers.empty());
}

TEST_P(StoreConfig, health_of_webhooks_is_kept_over_a_restart) {
    EXPECT_TRUE(store().health()->empty());
    Health failing;
    failing.state = HealthState::failing;
    failing.since = noon;
    failing.last_failure = noon + std::chrono::seconds{5};
    failing.failure_streak = 17;
    failing.last_class = FailureClass::timeout;
    failing.failing_for = std::chrono::hours{7};
    failing.reason = "17 attempts in a row have failed: no answer";
    Health healthy;
    healthy.last_success = noon;
    healthy.held_until = noon + std::chrono::hours{1};
    const std::vector<WebhookHealth> first{{WebhookId{1}, healthy}, {WebhookId{2}, failing}};
    ASSERT_TRUE(store().put_health(first));
    reopen();
    EXPECT_EQ(*store().health(), first);
    const std::vector<WebhookHealth> news{{WebhookId{2}, healthy}};
    ASSERT_TRUE(store().put_health(news));
    reopen();
    EXPECT_EQ(store().health()->at(1).health, healthy);
}

TEST_P(StoreConfig, answers_are_remembered_for_a_day) {
    const RememberedAnswer answer{"key-1", "digest", 201, R"({"id":1})", "/api/v1/webhooks/1",
                                  noon};
    EXPECT_FALSE(*store().remembered("key-1", noon));
    ASSERT_TRUE(store().remember(answer));
    reopen();
    const auto again = store().remembered("key-1", noon + limits::idempotency_keeps - Duration{1});
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->status, 201);
    EXPECT_EQ((*again)->body, answer.body);
    EXPECT_EQ((*again)->location, answer.location);
    EXPECT_EQ((*again)->request_digest, "digest");
    const Time next_day = noon + limits::idempotency_keeps;
    EXPECT_FALSE(*store().remembered("key-1", next_day));
    tend_all({}, next_day);
    EXPECT_FALSE(*store().remembered("key-1", noon)) << "upkeep removed it";
}

TEST_P(StoreConfig, sources_go_on_where_they_were) {
    EXPECT_EQ(*store().cursor("stream"), "");
    ASSERT_TRUE(store().set_cursor("stream", "17-3"));
    ASSERT_TRUE(store().set_cursor("other", "x"));
    ASSERT_TRUE(store().set_cursor("stream", "18-0"));
    reopen();
    EXPECT_EQ(*store().cursor("stream"), "18-0");
    EXPECT_EQ(*store().cursor("other"), "x");
}

INSTANTIATE_TEST_SUITE_P(, StoreConfig, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
