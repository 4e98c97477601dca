#include "api/health.h"

#include <map>
#include <utility>
#include <vector>

#include "api/assets.h"
#include "api/encode.h"
#include "api/process_metrics.h"

namespace herald {

namespace {

using boost::asio::awaitable;

Answer json_answer(std::string body) {
    ServerAnswer answer;
    answer.body = std::move(body);
    return answer;
}

void append_gauge_head(std::string& out, std::string_view name, std::string_view help) {
    out += "# HELP " + std::string(name) + " " + std::string(help) + "\n";
    out += "# TYPE " + std::string(name) + " gauge\n";
}

void append_gauge(std::string& out, std::string_view name, std::string_view help,
                  std::uint64_t value) {
    append_gauge_head(out, name, help);
    out += std::string(name) + " " + std::to_string(value) + "\n";
}

// These are asked for, not kept: so that they are true, and gone with their webhook.

void append_store_gauges(std::string& out, const StoreStats& stats) {
    append_gauge(out, "herald_events_stored", "Events in the activity log.", stats.events);
    append_gauge(out, "herald_deliveries_pending", "Deliveries without an outcome yet.",
                 stats.pending);
    append_gauge(out, "herald_store_bytes", "Size of the store on disk.", stats.bytes);
    append_gauge(out, "herald_store_segments", "Segments of the activity log.", stats.segments);
}

void append_queue_depths(std::string& out, const Catalog& catalog,
                         const std::vector<DueWebhook>& due) {
    constexpr std::string_view name = "herald_delivery_queue_depth";
    append_gauge_head(out, name, "Pending deliveries of a webhook.");
    std::map<WebhookId, std::uint64_t> pending;
    for (const DueWebhook& one : due) pending[one.webhook] = one.pending;
    for (const Catalog::Entry& webhook : catalog.all()) {
        out += std::string(name) + "{" + Metrics::label("webhook", webhook->name) + "} " +
               std::to_string(pending[webhook->id]) + "\n";
    }
}

void append_webhook_health(std::string& out, const ApiParts& parts) {
    constexpr std::string_view state = "herald_webhook_state";
    constexpr std::string_view streak = "herald_webhook_failure_streak";
    constexpr std::string_view held = "herald_webhook_held";
    constexpr std::string_view success = "herald_webhook_last_success_timestamp_seconds";
    std::string streaks;
    std::string holds;
    std::string successes;
    append_gauge_head(out, state, "1: the webhook is in this state.");
    append_gauge_head(streaks, streak, "Failed attempts since the last success.");
    append_gauge_head(holds, held, "1: its receiver has asked to be left alone for a while.");
    append_gauge_head(successes, success, "When an attempt last succeeded.");
    for (const Catalog::Entry& webhook : parts.catalog.all()) {
        const Health health = parts.dispatcher.health(webhook->id);
        const std::string label = "{" + Metrics::label("webhook", webhook->name);
        const auto line = [&label](std::string_view name, std::int64_t value) {
            return std::string(name) + label + "} " + std::to_string(value) + "\n";
        };
        out += std::string(state) + label + "," + Metrics::label("state", to_text(health.state)) +
               "} 1\n";
        streaks += line(streak, health.failure_streak);
        holds += line(held, health.held_until ? 1 : 0);
        if (!health.last_success) continue;
        successes += line(success, to_micros(*health.last_success) / 1'000'000);
    }
    out += streaks + holds + successes;
}

}  // namespace

awaitable<Answer> get_livez(const Call&) { co_return json_answer(R"({"status":"alive"})"); }

awaitable<Answer> get_readyz(const Call& call) {
    if (call.api.ready) co_return json_answer(R"({"status":"ready"})");
    co_return refuse(Errc::unavailable, "not ready: the server starts or stops");
}

awaitable<Answer> get_metrics(const Call& call) {
    const ApiParts& parts = call.api.parts;
    auto read = [](StoreReader& reader) { return reader.stats(); };
    auto stats = co_await parts.readers.run(std::move(read));
    auto ask = [&store = parts.store] { return store.due(); };
    auto due = co_await parts.writer.run(std::move(ask));
    ServerAnswer answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = parts.metrics.render();
    // A store that does not answer is seen by what is missing; the rest is still of use.
    if (stats) append_store_gauges(answer.body, *stats);
    if (due) append_queue_depths(answer.body, parts.catalog, *due);
    append_webhook_health(answer.body, parts);
    append_process_metrics(answer.body);
    co_return answer;
}

awaitable<Answer> get_stats(const Call& call) {
    auto read = [](StoreReader& reader) { return reader.stats(); };
    auto stats = co_await call.api.parts.readers.run(std::move(read));
    if (!stats) co_return refuse(std::move(stats.error()));
    const Dispatcher& dispatcher = call.api.parts.dispatcher;
    std::string out = "{\"events\":" + std::to_string(stats->events);
    out += ",\"pending\":" + std::to_string(stats->pending);
    out += ",\"segments\":" + std::to_string(stats->segments);
    out += ",\"bytes\":" + std::to_string(stats->bytes);
    out += ",\"oldest_event\":";
    append_text_or_null(out, stats->oldest_event ? to_rfc3339(*stats->oldest_event) : "");
    out += ",\"open\":" + std::to_string(dispatcher.open());
    out += ",\"in_flight\":" + std::to_string(dispatcher.flying()) + "}";
    co_return json_answer(std::move(out));
}

awaitable<Answer> get_openapi(const Call&) {
    co_return json_answer(std::string(assets::openapi_json));
}

awaitable<Answer> get_event_schema(const Call&) {
    ServerAnswer answer;
    answer.content_type = "application/schema+json";
    answer.body = assets::event_schema_json;
    co_return answer;
}

}  // namespace herald
