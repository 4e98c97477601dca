#include "api/explanations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/deliveries.h"
#include "api/encode.h"
#include "api/query_params.h"
#include "api/request_body.h"
#include "api/target.h"
#include "core/lint.h"
#include "core/matching.h"

namespace herald {

namespace {

using boost::asio::awaitable;

std::unexpected<Problem> no_such(const std::string& name) {
    return refuse(Errc::not_found, "there is no webhook with the name or id " + name);
}

void append_checks(std::string& out, const std::vector<ConditionCheck>& checks) {
    const auto failed = std::ranges::find(checks, false, &ConditionCheck::holds);
    out += failed == checks.end() ? "true" : "false";
    out += ",\"first_not_held\":";
    append_text_or_null(out, failed == checks.end() ? "" : failed->name);
    out += ",\"rules\":[";
    for (const ConditionCheck& check : checks) {
        if (&check != checks.data()) out += ',';
        out += "{\"rule\":";
        append_json_string(out, check.name);
        out += check.holds ? ",\"holds\":true,\"reason\":" : ",\"holds\":false,\"reason\":";
        append_json_string(out, check.reason);
        out += '}';
    }
    out += ']';
}

ServerAnswer explained(const ApiContext& api, const Webhook& webhook, const Event& event,
                       const std::vector<Delivery>& deliveries) {
    const Catalog& catalog = api.parts.catalog;
    ServerAnswer answer;
    std::string& out = answer.body;
    out += "{\"webhook\":";
    append_webhook_name(out, webhook);
    out += ",\"event_id\":";
    append_json_string(out, event.id.text());
    out += ",\"event\":";
    append_json_string(out, event.type);
    out += ",\"fires\":";
    append_checks(out, explain(webhook, api.parts.dispatcher.health(webhook.id), event,
                               catalog.types(), catalog.default_branch()));
    out += ",\"changed_since\":";
    out += webhook.updated_at > event.received_at ? "true" : "false";
    out += ",\"deliveries\":[";
    for (const Delivery& delivery : deliveries) {
        if (&delivery != deliveries.data()) out += ',';
        append_known_delivery(out, api, delivery);
    }
    out += "]}";
    return answer;
}

// Lint.

/// What the log says about whether a webhook ever fired.
struct Past {
    bool fired = false;
    Count events;  ///< that came since it was created
};

/// On a reader's thread.
Result<Past> look_back(StoreReader& reader, WebhookId id, Time created_at) {
    DeliveryQuery deliveries;
    deliveries.webhooks.push_back(id);
    deliveries.limit = limits::page_max;
    const auto page = reader.deliveries(deliveries);
    if (!page) return fail(page.error());
    Past past;
    past.fired = page->more || std::ranges::any_of(page->items, [](const Delivery& delivery) {
                     return delivery.cause != Cause::test;
                 });
    if (past.fired) return past;
    EventQuery events;
    events.since = created_at;
    const auto count = reader.count_events(events);
    if (!count) return fail(count.error());
    past.events = *count;
    return past;
}

void add_never_fired(std::vector<Finding>& findings, const Webhook& webhook, const Past& past) {
    if (past.fired || past.events.value == 0) return;
    const std::string many = past.events.capped ? " or more" : "";
    const std::string looked_at = std::to_string(past.events.value) + many;
    findings.push_back(
        {Finding::Kind::never_fired,
         "it has no delivery in the log: nothing that came since it was created on " +
             to_rfc3339(webhook.created_at) + " was for it (events looked at: " + looked_at + ")"});
}

void append_findings(std::string& out, const Webhook& webhook,
                     const std::vector<Finding>& findings) {
    if (out.back() != '[') out += ',';
    out += "{\"webhook\":";
    append_webhook_name(out, webhook);
    out += ",\"findings\":[";
    for (const Finding& finding : findings) {
        if (&finding != findings.data()) out += ',';
        out += "{\"kind\":";
        append_json_string(out, to_text(finding.kind));
        out += ",\"message\":";
        append_json_string(out, finding.message);
        out += '}';
    }
    out += "]}";
}

bool is_named(const Webhook& webhook, const std::vector<std::string>& names) {
    return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
               return glob_match(name, webhook.name);
           });
}

}  // namespace

awaitable<Answer> explain_event(const Call& call) {
    const auto id = read_explain_query(call.request.query);
    if (!id) co_return refuse_request(id.error());
    const ApiParts& parts = call.api.parts;
    const Catalog::Entry webhook = parts.catalog.find(call.parameter);
    if (!webhook) co_return no_such(call.parameter);
    auto read_event = [id = *id](StoreReader& reader) { return reader.event(id); };
    auto found = co_await parts.readers.run(std::move(read_event));
    if (!found) co_return refuse(std::move(found.error()));
    if (!*found) co_return refuse(Errc::not_found, "there is no event " + id->text());
    DeliveryQuery query;
    query.webhooks.push_back(webhook->id);
    query.event = *id;
    query.order = Order::oldest_first;
    auto read_deliveries = [query = std::move(query)](StoreReader& reader) {
        return reader.deliveries(query);
    };
    auto deliveries = co_await parts.readers.run(std::move(read_deliveries));
    if (!deliveries) co_return refuse(std::move(deliveries.error()));
    co_return explained(call.api, *webhook, (*found)->event, deliveries->items);
}

awaitable<Answer> explain_body(const Call& call) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    const ApiParts& parts = call.api.parts;
    const Catalog::Entry webhook = parts.catalog.find(call.parameter);
    if (!webhook) co_return no_such(call.parameter);
    const auto event = parts.decode(JsonView(*text), parts.clock.now());
    if (!event) co_return refuse(event.error());
    co_return explained(call.api, *webhook, *event, {});
}

awaitable<Answer> lint_webhooks(const Call& call) {
    const auto query = read_webhook_query(call.request.query);
    if (!query) co_return refuse_request(query.error());
    const ApiParts& parts = call.api.parts;
    const Catalog& catalog = parts.catalog;
    const auto began = parts.clock.steady();
    const Catalog::Entry last = query->after ? catalog.find(*query->after) : nullptr;
    ServerAnswer answer;
    std::string& out = answer.body;
    out += "{\"items\":[";
    std::size_t looked_at = 0;
    std::string cursor;
    Catalog::Entry end;
    const std::vector<Catalog::Entry> webhooks = catalog.all();
    for (const Catalog::Entry& webhook : webhooks) {
        if (last && webhook->name <= last->name) continue;
        if (!is_named(*webhook, query->names)) continue;
        const bool late = parts.clock.steady() - began >= limits::long_request;
        if (looked_at > 0 && (looked_at == query->limit || late)) {
            const auto place = static_cast<std::uint64_t>(end->id);
            cursor = make_cursor(webhook_list, Order::oldest_first, place);
            break;
        }
        ++looked_at;
        end = webhook;
        const Health health = parts.dispatcher.health(webhook->id);
        auto findings = lint(*webhook, health, catalog.types(), catalog.default_branch());
        const bool never = std::ranges::find(findings, Finding::Kind::never_fires,
                                             &Finding::kind) != findings.end();
        if (!never) {
            auto job = [id = webhook->id, created = webhook->created_at](StoreReader& reader) {
                return look_back(reader, id, created);
            };
            const auto past = co_await parts.readers.run(std::move(job));
            if (!past) co_return refuse(past.error());
            add_never_fired(findings, *webhook, *past);
        }
        if (!findings.empty()) append_findings(out, *webhook, findings);
    }
    out += "],\"looked_at\":" + std::to_string(looked_at) + ",\"next_cursor\":";
    append_text_or_null(out, cursor);
    out += '}';
    co_return answer;
}

}  // namespace herald
