#include "delivery/tally.h"

namespace herald {

namespace {

constexpr std::string_view attempts = "herald_delivery_attempts_total";
constexpr std::string_view attempts_help = "Attempts by how they ended.";
constexpr std::string_view deliveries = "herald_deliveries_total";
constexpr std::string_view deliveries_help = "Deliveries by how they ended.";

std::string labels(const std::string& webhook, std::string_view key, std::string_view value) {
    return Metrics::label("webhook", webhook) + "," + Metrics::label(key, value);
}

}  // namespace

void Tally::look_up(Series& series, const std::string& name) {
    series.name = name;
    series.accepted = &metrics_.counter(attempts, attempts_help, labels(name, "class", "ok"));
    series.delivered =
        &metrics_.counter(deliveries, deliveries_help, labels(name, "outcome", "success"));
    series.seconds = &metrics_.histogram("herald_delivery_request_duration_seconds",
                                         "Time of one attempt.", Metrics::label("webhook", name));
}

void Tally::count(Series& series, const Webhook& webhook, const Settlement& settlement) {
    const Attempt& attempt = *settlement.attempt;
    if (series.name != webhook.name) look_up(series, webhook.name);
    series.seconds->observe(std::chrono::duration<double>(attempt.took).count());
    if (attempt.outcome.ok()) {
        series.accepted->add();
        series.delivered->add();
        return;
    }
    const std::string by_class = labels(webhook.name, "class", to_text(attempt.outcome.failure));
    metrics_.counter(attempts, attempts_help, by_class).add();
    if (settlement.state != DeliveryState::failed) return;
    metrics_.counter(deliveries, deliveries_help, labels(webhook.name, "outcome", "failed")).add();
}

}  // namespace herald
