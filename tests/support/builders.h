#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

/// Values for tests, each complete and told apart by a number.
namespace herald::test {

inline constexpr Time noon =
    Time{std::chrono::sys_days{std::chrono::year{2026} / 3 / 13}} + std::chrono::hours{12};

inline EventId event_id(std::uint64_t n) {
    EventId id;
    std::memcpy(id.bytes.data(), &n, sizeof n);
    id.bytes[15] = 7;
    return id;
}

inline Event make_event(std::uint64_t n) {
    Event event;
    event.id = event_id(n);
    event.type = "shop.order.paid";
    event.occurred_at = noon + std::chrono::seconds{n};
    event.received_at = event.occurred_at + std::chrono::milliseconds{3};
    event.source = "api";
    event.branch = "main";
    event.account_id = "account-1";
    event.node = {"node-" + std::to_string(n), "ShopOrder"};
    event.body = R"({"data":{"number":)" + std::to_string(n) + "}}";
    return event;
}

inline Webhook make_webhook(std::string name) {
    Webhook webhook;
    webhook.uuid = Uuid::random();
    webhook.name = std::move(name);
    webhook.url = "http://127.0.0.1:9/hook";
    webhook.shared_key = "a key of a test";
    webhook.created_at = noon;
    webhook.updated_at = noon;
    return webhook;
}

inline NewEvent new_event(Event event, std::vector<NewDelivery> deliveries = {}) {
    return {std::make_shared<const Event>(std::move(event)), std::move(deliveries)};
}

inline NewDelivery for_webhook(std::uint32_t webhook, bool leased = false) {
    NewDelivery delivery;
    delivery.webhook = WebhookId{webhook};
    delivery.leased = leased;
    return delivery;
}

inline Attempt make_attempt(std::uint32_t number, int status) {
    Attempt attempt;
    attempt.number = number;
    attempt.started_at = noon + std::chrono::minutes{number};
    attempt.took = std::chrono::milliseconds{12};
    attempt.url = "http://127.0.0.1:9/hook";
    attempt.signature_profile = "infrahub";
    attempt.request_headers = {{"webhook-id", "msg_1"}, {"X-Key", "***"}};
    attempt.status = status;
    attempt.response_headers = {{"Server", "test"}, {"Server", "twice"}};
    attempt.response_body = std::string("raw \0 \xFF bytes", 13);
    attempt.outcome.failure = classify_status(status);
    attempt.outcome.message = attempt.outcome.ok() ? "" : "answered " + std::to_string(status);
    return attempt;
}

}  // namespace herald::test
