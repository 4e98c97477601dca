#include "core/operator_events.h"

#include <utility>

#include "core/options.h"

namespace herald {

namespace {

NodeRef node_of(const Webhook& webhook) { return {webhook.uuid.text(), "HeraldWebhook"}; }

void add_webhook(OptionWriter& data, const Webhook& webhook) {
    data.begin("webhook");
    OptionWriter about(data.out(), SecretForm::masked);
    about.text("id", webhook.uuid.text());
    about.text("name", webhook.name);
    about.finish();
}

std::string text_of(const std::optional<Time>& time) { return time ? to_rfc3339(*time) : ""; }

OwnEvent tell(std::string_view type, std::string data, NodeRef node, Time now) {
    OwnEvent own;
    own.type = type;
    own.data = std::move(data);
    own.at = now;
    own.node = std::move(node);
    own.origin = operator_origin;
    return own;
}

/// The type that says this change; empty: none does.
std::string_view type_of(HealthState before, HealthState after) {
    if (before == after) return {};
    switch (after) {
        case HealthState::healthy: return webhook_recovered_type;
        case HealthState::failing:
            return before == HealthState::healthy ? webhook_failing_type : std::string_view{};
        case HealthState::disabled:
        case HealthState::gone: return webhook_disabled_type;
    }
    return {};
}

}  // namespace

bool is_operator_event(const Event& event) {
    return event.source == own_source && event.origin == operator_origin;
}

bool is_about(const Event& event, const Webhook& webhook) {
    return is_operator_event(event) && event.node.id == webhook.uuid.text();
}

std::optional<OwnEvent> tell_health(const Webhook& webhook, const Health& before,
                                    const Health& after, Time now) {
    const std::string_view type = type_of(before.state, after.state);
    if (type.empty()) return std::nullopt;
    // What ended is told by what was before it.
    const bool recovered = after.state == HealthState::healthy;
    const Health& bad = recovered ? before : after;
    std::string text;
    OptionWriter data(text, SecretForm::masked);
    add_webhook(data, webhook);
    data.text("state", to_text(after.state));
    data.text_or_null("since", text_of(after.since));
    data.text_or_null("failing_since", recovered ? text_of(before.since) : "");
    data.number("failure_streak", bad.failure_streak);
    data.text_or_null("last_class", to_text(bad.last_class));
    data.text_or_null("last_success", text_of(after.last_success));
    data.text_or_null("last_failure", text_of(after.last_failure));
    data.text_or_null("reason", bad.reason);
    data.finish();
    return tell(type, std::move(text), node_of(webhook), now);
}

OwnEvent tell_exhausted(const Webhook& webhook, const Exhaustion& exhaustion, std::uint64_t untold,
                        Time now) {
    std::string text;
    OptionWriter data(text, SecretForm::masked);
    add_webhook(data, webhook);
    data.text("delivery", exhaustion.delivery.text());
    data.begin("event");
    OptionWriter event(data.out(), SecretForm::masked);
    event.text("id", exhaustion.event.text());
    event.text("type", exhaustion.event_type);
    event.finish();
    data.number("attempts", exhaustion.attempts);
    data.text("last_class", to_text(exhaustion.failure));
    data.number("last_status", exhaustion.status);
    data.text_or_null("reason", exhaustion.message);
    data.number("untold", static_cast<std::int64_t>(untold));
    data.finish();
    return tell(webhook_exhausted_type, std::move(text), node_of(webhook), now);
}

OwnEvent tell_source_lost(std::string_view source, std::string_view reason, Time now) {
    std::string text;
    OptionWriter data(text, SecretForm::masked);
    data.text("source", source);
    data.text("reason", reason);
    data.finish();
    return tell(source_lost_type, std::move(text), {}, now);
}

std::optional<Exhaustion> ExhaustionWindow::add(Exhaustion exhaustion, Steady now) {
    if (now >= ends_at_ && !kept_) {
        ends_at_ = now + length;
        told_ = 0;
    }
    if (told_ < each) {
        ++told_;
        return exhaustion;
    }
    if (kept_) ++untold_;
    kept_ = std::move(exhaustion);
    return std::nullopt;
}

std::optional<ExhaustionWindow::Steady> ExhaustionWindow::due_at() const {
    return kept_ ? std::optional(ends_at_) : std::nullopt;
}

std::optional<Exhaustion> ExhaustionWindow::take(std::uint64_t& untold, Steady now) {
    untold = std::exchange(untold_, 0);
    ends_at_ = now + length;
    told_ = kept_ ? 1 : 0;
    return std::exchange(kept_, std::nullopt);
}

}  // namespace herald
