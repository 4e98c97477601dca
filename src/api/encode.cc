#include "api/encode.h"

#include <array>
#include <charconv>

#include "base/json.h"
#include "core/redact.h"
#include "core/reference.h"
#include "core/webhook_options.h"

namespace herald {

namespace {

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end.ptr);
}

void append_flag(std::string& out, bool flag) { out += flag ? "true" : "false"; }

/// `"name":` behind a comma.
void next(std::string& out, std::string_view name) {
    out += ",\"";
    out += name;
    out += "\":";
}

/// What needs no escape: ids and words of ours.
void append_word(std::string& out, std::string_view word) {
    out += '"';
    out += word;
    out += '"';
}

void append_node(std::string& out, const NodeRef& node) {
    out += "{\"id\":";
    append_json_string(out, node.id);
    next(out, "kind");
    append_json_string(out, node.kind);
    out += '}';
}

void append_related(std::string& out, const Event& event) {
    out += '[';
    for (const NodeRef& node : event.related) {
        if (&node != event.related.data()) out += ',';
        append_node(out, node);
    }
    out += ']';
}

void append_ancestors(std::string& out, const Event& event) {
    out += '[';
    for (const Ancestor& ancestor : event.ancestors) {
        if (&ancestor != event.ancestors.data()) out += ',';
        out += "{\"id\":";
        append_word(out, ancestor.id.text());
        next(out, "event");
        append_json_string(out, ancestor.type);
        out += '}';
    }
    out += ']';
}

std::string_view raw_or_null(JsonView object, std::string_view key) {
    const auto found = object.find(key);
    return found ? found->raw() : std::string_view("null");
}

struct Change {
    std::string_view raw_field;  ///< escaped, without quotes
    std::string_view kind;
    std::string_view before = "null";
    std::string_view after = "null";
    std::string_view status = "null";
};

void append_change(std::string& out, const Change& change) {
    if (out.back() != '[') out += ',';
    out += "{\"field\":";
    append_word(out, change.raw_field);
    next(out, "kind");
    append_word(out, change.kind);
    next(out, "before");
    out += change.before;
    next(out, "after");
    out += change.after;
    next(out, "status");
    out += change.status;
    out += '}';
}

/// How a peer is shown: by its label where the source gave one.
std::string_view peer(JsonView change) {
    const std::string_view label = raw_or_null(change, "peer_display_label");
    return label == "null" ? raw_or_null(change, "peer_id") : label;
}

void append_relationship(std::string& out, std::string_view field, JsonView change) {
    const auto peers = change.find("peers");
    if (!peers) {
        append_change(out, {field, "relationship", raw_or_null(change, "peer_id_previous"),
                            peer(change), raw_or_null(change, "peer_status")});
        return;
    }
    for (auto items = peers->items(); items.next();) {
        const JsonView one = items.value();
        const std::string_view status = raw_or_null(one, "peer_status");
        const bool gone = status == "\"removed\"";
        append_change(out, {field, "relationship", gone ? peer(one) : "null",
                            gone ? "null" : peer(one), status});
    }
}

/// Thousandths as a decimal number with at least one digit behind the point: 15000 is 15.0.
void append_thousandths(std::string& out, std::int64_t thousandths) {
    out += std::to_string(thousandths / 1000);
    std::string rest = std::to_string(1000 + thousandths % 1000).substr(1);
    while (rest.size() > 1 && rest.back() == '0') rest.pop_back();
    out += '.' + rest;
}

std::string_view shown_value(const std::string& key, const std::string& value) {
    return is_secret_header(key) ? redacted : std::string_view(value);
}

/// What may be told of a shared key: a fingerprint, or where it lies.
void append_key(std::string& out, const Webhook& webhook) {
    const std::string& shared_key = webhook.shared_key;
    const bool outside = parse_reference(shared_key).has_value();
    next(out, "has_shared_key");
    append_flag(out, !shared_key.empty());
    next(out, "shared_key_fingerprint");
    const bool known = !shared_key.empty() && !outside;
    append_text_or_null(out, known ? key_fingerprint(plain_text(shared_key)) : "");
    next(out, "shared_key_reference");
    append_text_or_null(out, outside ? shared_key : "");
    next(out, "public_key");
    const bool pair = known && webhook.signature_profile == SignatureProfile::ed25519;
    append_text_or_null(out, pair ? public_key_form(plain_text(shared_key)).value_or("") : "");
}

void append_strings(std::string& out, const std::vector<std::string>& texts) {
    out += '[';
    for (const std::string& text : texts) {
        if (&text != texts.data()) out += ',';
        append_json_string(out, text);
    }
    out += ']';
}

void append_event_types(std::string& out, const Filter& filter) {
    if (filter.event_types.size() == 1) {
        append_json_string(out, filter.event_types.front());
        return;
    }
    append_strings(out, filter.event_types);
}

void append_webhook_headers(std::string& out, const std::vector<WebhookHeader>& headers) {
    out += '[';
    for (const WebhookHeader& header : headers) {
        out += &header == headers.data() ? "{\"key\":" : ",{\"key\":";
        append_json_string(out, header.key);
        next(out, header.from_environment ? "environment" : "value");
        // The name of a variable or a file is no secret.
        const bool plain = header.from_environment || parse_reference(header.value);
        append_json_string(out, plain ? header.value : shown_value(header.key, header.value));
        out += '}';
    }
    out += ']';
}

void append_retry(std::string& out, const RetryPolicy& policy) {
    if (const auto preset = preset_name(policy); !preset.empty()) {
        out += "{\"preset\":";
        append_word(out, preset);
        out += '}';
        return;
    }
    out += "{\"delays\":[";
    for (const Duration& delay : policy.delays) {
        if (&delay != policy.delays.data()) out += ',';
        append_word(out, duration_text(delay));
    }
    out += "],\"jitter\":";
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), policy.jitter);
    out.append(digits.data(), end.ptr);
    out += '}';
}

void append_health(std::string& out, const Health& health) {
    const auto when = [&out](std::string_view name, const std::optional<Time>& time) {
        next(out, name);
        append_text_or_null(out, time ? to_rfc3339(*time) : "");
    };
    out += "{\"state\":";
    append_word(out, to_text(health.state));
    when("since", health.since);
    when("last_success", health.last_success);
    when("last_failure", health.last_failure);
    next(out, "failure_streak");
    append_number(out, health.failure_streak);
    next(out, "last_class");
    append_text_or_null(out, to_text(health.last_class));
    next(out, "reason");
    append_text_or_null(out, health.reason);
    when("held_until", health.held_until);
    out += '}';
}

void append_refused_profiles(std::string& out, const Attempt& attempt) {
    out += '[';
    for (const RefusedProfile& refused : attempt.refused_profiles) {
        if (&refused != attempt.refused_profiles.data()) out += ',';
        out += "{\"profile\":";
        append_json_string(out, refused.profile);
        next(out, "status");
        out += std::to_string(refused.status) + '}';
    }
    out += ']';
}

void append_request_headers(std::string& out, const HeaderList& headers) {
    out += '{';
    for (const auto& header : headers) {
        if (&header != headers.data()) out += ',';
        append_json_string(out, header.first);
        out += ':';
        append_json_string(out, shown_value(header.first, header.second));
    }
    out += '}';
}

void append_response_headers(std::string& out, const HeaderList& headers) {
    out += '[';
    for (const auto& header : headers) {
        out += &header == headers.data() ? "[" : ",[";
        append_json_string(out, header.first);
        out += ',';
        append_json_string(out, shown_value(header.first, header.second));
        out += ']';
    }
    out += ']';
}

}  // namespace

void append_time(std::string& out, Time time) { append_word(out, to_rfc3339(time)); }

void append_text_or_null(std::string& out, std::string_view text) {
    if (text.empty()) {
        out += "null";
    } else {
        append_json_string(out, text);
    }
}

void append_count_or_null(std::string& out, const std::optional<Count>& count) {
    if (!count) {
        out += "null";
        return;
    }
    out += "{\"value\":";
    append_number(out, count->value);
    next(out, "capped");
    append_flag(out, count->capped);
    out += '}';
}

void append_open_event(std::string& out, EventSeq seq, const Event& event) {
    out += "{\"id\":";
    append_word(out, event.id.text());
    next(out, "seq");
    append_number(out, static_cast<std::uint64_t>(seq));
    next(out, "event");
    append_json_string(out, event.type);
    next(out, "occurred_at");
    append_time(out, event.occurred_at);
    next(out, "received_at");
    append_time(out, event.received_at);
    next(out, "source");
    append_json_string(out, event.source);
    next(out, "branch");
    append_text_or_null(out, event.branch.value_or(""));
    next(out, "account_id");
    append_text_or_null(out, event.account_id.value_or(""));
    next(out, "level");
    append_number(out, event.level);
    next(out, "has_children");
    append_flag(out, event.has_children);
    next(out, "parent_id");
    append_text_or_null(out, event.parent ? event.parent->text() : "");
    next(out, "ancestors");
    append_ancestors(out, event);
    next(out, "node");
    if (event.node.id.empty()) {
        out += "null";
    } else {
        append_node(out, event.node);
    }
    next(out, "related_nodes");
    append_related(out, event);
    next(out, "origin");
    append_text_or_null(out, event.origin);
}

void append_event(std::string& out, EventSeq seq, const Event& event) {
    append_open_event(out, seq, event);
    out += '}';
}

void append_changes(std::string& out, const Event& event) {
    out += '[';
    const auto data = event.body.empty() ? std::nullopt : JsonView(event.body).find("data");
    const auto changelog = data ? data->find("changelog") : std::nullopt;
    const auto attributes = changelog ? changelog->find("attributes") : std::nullopt;
    if (attributes && attributes->is_object()) {
        for (auto items = attributes->items(); items.next();) {
            const JsonView one = items.value();
            append_change(out,
                          {items.raw_key(), "attribute", raw_or_null(one, "value_previous"),
                           raw_or_null(one, "value"), raw_or_null(one, "value_update_status")});
        }
    }
    const auto relationships = changelog ? changelog->find("relationships") : std::nullopt;
    if (relationships && relationships->is_object()) {
        for (auto items = relationships->items(); items.next();) {
            append_relationship(out, items.raw_key(), items.value());
        }
    }
    out += ']';
}

void append_submitted(std::string& out, EventId id, const Submitted& submitted) {
    out += "{\"id\":";
    append_word(out, id.text());
    next(out, "status");
    append_word(out, submitted.duplicate ? "duplicate" : "accepted");
    next(out, "seq");
    append_number(out, static_cast<std::uint64_t>(submitted.seq));
    next(out, "deliveries");
    out += '[';
    for (const DeliveryId& delivery : submitted.deliveries) {
        if (&delivery != submitted.deliveries.data()) out += ',';
        append_word(out, delivery.text());
    }
    out += "]}";
}

void append_open_delivery(std::string& out, const DeliveryView& view) {
    const Delivery& delivery = view.delivery;
    out += "{\"id\":";
    append_word(out, delivery.id.text());
    next(out, "webhook");
    out += "{\"id\":";
    append_text_or_null(out, view.webhook == nullptr ? "" : view.webhook->uuid.text());
    next(out, "name");
    append_text_or_null(out, view.webhook == nullptr ? "" : view.webhook->name);
    out += '}';
    next(out, "event_id");
    append_word(out, delivery.event.text());
    next(out, "event");
    append_json_string(out, delivery.event_type);
    next(out, "created_at");
    append_time(out, delivery.created_at);
    next(out, "updated_at");
    append_time(out, delivery.updated_at);
    next(out, "cause");
    append_word(out, to_text(delivery.cause));
    next(out, "redelivers");
    append_text_or_null(out, delivery.redelivers ? delivery.redelivers->text() : "");
    next(out, "state");
    append_word(out, to_text(delivery.state));
    next(out, "attempts");
    append_number(out, delivery.attempts);
    next(out, "next_attempt_at");
    if (is_final(delivery.state)) {
        out += "null";
    } else {
        append_time(out, delivery.due_at);
    }
    next(out, "in_flight");
    append_flag(out, view.in_flight);
    next(out, "failure_class");
    append_text_or_null(out, to_text(delivery.last_failure));
}

void append_delivery(std::string& out, const DeliveryView& view) {
    append_open_delivery(out, view);
    out += '}';
}

void append_attempt(std::string& out, const Attempt& attempt) {
    out += "{\"number\":";
    append_number(out, attempt.number);
    next(out, "started_at");
    append_time(out, attempt.started_at);
    next(out, "duration_ms");
    append_thousandths(out, attempt.took.count());
    next(out, "url");
    append_json_string(out, redact_url(attempt.url));
    next(out, "signature_profile");
    append_text_or_null(out, attempt.signature_profile);
    next(out, "refused_profiles");
    append_refused_profiles(out, attempt);
    next(out, "request_headers");
    append_request_headers(out, attempt.request_headers);
    next(out, "status");
    out += attempt.status == 0 ? "null" : std::to_string(attempt.status);
    next(out, "response_headers");
    append_response_headers(out, attempt.response_headers);
    next(out, "response_body");
    append_json_string(out, attempt.response_body);
    next(out, "response_body_cut");
    append_flag(out, attempt.response_cut);
    next(out, "failure_class");
    append_text_or_null(out, to_text(attempt.outcome.failure));
    next(out, "message");
    append_text_or_null(out, attempt.outcome.message);
    next(out, "remediation");
    append_text_or_null(out, remediation(attempt.outcome.failure));
    out += '}';
}

void append_webhook_name(std::string& out, const Webhook& webhook) {
    out += "{\"id\":";
    append_word(out, webhook.uuid.text());
    next(out, "name");
    append_json_string(out, webhook.name);
    out += '}';
}

void append_webhook(std::string& out, const Webhook& webhook, const Health& health,
                    const std::vector<std::string>& warnings) {
    out += "{\"id\":";
    append_word(out, webhook.uuid.text());
    next(out, "name");
    append_json_string(out, webhook.name);
    next(out, "kind");
    append_word(out, to_text(webhook.kind));
    next(out, "event_type");
    append_event_types(out, webhook.filter);
    next(out, "active");
    append_flag(out, webhook.active);
    next(out, "branch_scope");
    append_word(out, to_text(webhook.filter.branch_scope));
    next(out, "node_kind");
    append_text_or_null(out, webhook.filter.node_kind);
    next(out, "description");
    append_text_or_null(out, webhook.description);
    next(out, "url");
    append_json_string(out, redact_url(webhook.url));
    next(out, "validate_certificates");
    append_flag(out, webhook.validate_certificates);
    append_key(out, webhook);
    next(out, "headers");
    append_webhook_headers(out, webhook.headers);
    next(out, "timeout");
    append_thousandths(out, webhook.timeout.count());
    next(out, "retry");
    append_retry(out, webhook.retry);
    append_option_groups(out, webhook);
    next(out, "signature_profile");
    append_word(out, to_text(webhook.signature_profile));
    next(out, "accepted_profile");
    append_text_or_null(out, webhook.accepted_profile ? to_text(*webhook.accepted_profile) : "");
    next(out, "created_at");
    append_time(out, webhook.created_at);
    next(out, "updated_at");
    append_time(out, webhook.updated_at);
    next(out, "version");
    append_number(out, webhook.version);
    next(out, "health");
    append_health(out, health);
    next(out, "warnings");
    append_strings(out, warnings);
    out += '}';
}

}  // namespace herald
