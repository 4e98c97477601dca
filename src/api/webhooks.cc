#include "api/webhooks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "api/encode.h"
#include "api/entity_tag.h"
#include "api/query_params.h"
#include "api/request_body.h"
#include "api/sample_event.h"
#include "api/target.h"
#include "api/webhook_input.h"
#include "core/event_types.h"
#include "core/lint.h"
#include "core/proxy.h"
#include "core/suggest.h"
#include "core/url.h"

namespace herald {

namespace {

using boost::asio::awaitable;

constexpr int change_attempts = 3;
constexpr std::string_view test_event = "infrahub.node.updated";

std::unexpected<Problem> no_such(const std::string& name) {
    return refuse(Errc::not_found, "there is no webhook with the name or id " + name);
}

std::string to_json(const ApiParts& parts, const Webhook& webhook) {
    const Catalog& catalog = parts.catalog;
    std::string out;
    std::vector<std::string> warnings;
    const Health health = parts.dispatcher.health(webhook.id);
    for (Finding& finding : lint(webhook, health, catalog.types(), catalog.default_branch())) {
        if (!is_state(finding.kind)) warnings.push_back(std::move(finding.message));
    }
    append_webhook(out, webhook, health, warnings);
    return out;
}

ServerAnswer show(const ApiParts& parts, const Webhook& webhook, int status) {
    ServerAnswer answer;
    answer.status = status;
    answer.body = to_json(parts, webhook);
    answer.headers.emplace_back("ETag", entity_tag(webhook.version));
    if (status == 201) {
        answer.headers.emplace_back("Location", "/api/v1/webhooks/" + webhook.uuid.text());
    }
    return answer;
}

/// What the network policy can say of a URL without asking a name server. One that is stored
/// already is judged when it is called: whoever pauses such a webhook need not mend it first.
void check_places(const NetworkPolicy& network, const Webhook& webhook, const Webhook* stored,
                  std::vector<FieldError>& wrong) {
    const auto judge = [&](const char* pointer, const auto& place) {
        if (auto refusal = network.refuse(place.host, place.port)) {
            wrong.push_back({pointer, "the network policy refuses it: " + *refusal});
        }
    };
    const Webhook known = stored == nullptr ? Webhook{} : *stored;
    const std::string& token_url = webhook.authentication.token_url;
    if (const auto url = parse_url(webhook.url); url && webhook.url != known.url) {
        judge("/url", *url);
    }
    if (const auto url = parse_url(token_url); url && token_url != known.authentication.token_url) {
        judge("/authentication/token_url", *url);
    }
    if (const auto proxy = own_proxy(webhook.proxy);
        proxy && webhook.proxy.url != known.proxy.url) {
        judge("/proxy/url", *proxy);
    }
}

/// The transformation has to be there, unless it was named before: whoever pauses such a webhook
/// need not mend it first.
Result<> check_transformation(const ApiParts& parts, const Webhook& webhook,
                              const Webhook* stored) {
    const std::string& name = webhook.transformation;
    if (name.empty() || (stored != nullptr && stored->transformation == name)) return {};
    const auto found = parts.transformations.find(name);
    if (found && found->name == name) return {};
    const auto all = parts.transformations.all();
    std::vector<std::string_view> names;
    for (const auto& one : all) names.push_back(one->name);
    return fail_field("/transformation", "there is no transformation with the name " + name +
                                             did_you_mean(name, names));
}

Result<> check(const ApiParts& parts, const Webhook& webhook, const Webhook* stored) {
    std::vector<FieldError> wrong;
    check_places(parts.network, webhook, stored, wrong);
    if (!wrong.empty()) return fail_fields("", std::move(wrong));
    return check_transformation(parts, webhook, stored);
}

/// PUT and PATCH. A change in between is no reason to refuse one that names no version: it is made
/// again to what is stored then.
awaitable<Answer> change(const Call& call, bool patch) {
    const auto text = read_object(call.request, patch);
    if (!text) co_return std::unexpected(text.error());
    const JsonView input(*text);
    Catalog& catalog = call.api.parts.catalog;
    std::string name = call.parameter;
    for (int attempt = 0; attempt < change_attempts; ++attempt) {
        const Catalog::Entry stored = catalog.find(name);
        if (!stored) co_return no_such(name);
        name = stored->uuid.text();
        const auto version = expected_version(call.request, stored->version, "the webhook");
        if (!version) co_return std::unexpected(version.error());
        const std::string shown = to_json(call.api.parts, *stored);
        auto webhook = patch ? read_patch(input, *stored, catalog.types())
                             : read_replacement(input, *stored, JsonView(shown), catalog.types());
        if (!webhook) co_return refuse(std::move(webhook.error()));
        if (auto good = check(call.api.parts, *webhook, stored.get()); !good) {
            co_return refuse(std::move(good.error()));
        }
        auto changed = co_await catalog.update(std::move(*webhook), *version);
        if (changed) co_return show(call.api.parts, **changed, 200);
        const bool again = changed.error().code == Errc::precondition_failed && !*version;
        if (!again) co_return refuse(std::move(changed.error()));
    }
    co_return refuse(Errc::conflict, "the webhook is being changed by others: try again");
}

bool is_named(const Webhook& webhook, const std::vector<std::string>& names) {
    return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
               return glob_match(name, webhook.name);
           });
}

/// The event type that a test asks for.
Result<std::string> read_test(JsonView input) {
    std::string type(test_event);
    for (auto items = input.items(); items.next();) {
        const std::string key = items.key();
        constexpr std::array<std::string_view, 1> known{"event"};
        if (key != "event") {
            return fail_field("/" + key, "is not known here" + did_you_mean(key, known));
        }
        const auto given = items.value().string();
        if (!given && !items.value().is_null()) return fail_field("/event", "must be a text");
        type = given.value_or(type);
    }
    return type;
}

}  // namespace

awaitable<Answer> create_webhook(const Call& call) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    Catalog& catalog = call.api.parts.catalog;
    auto webhook = read_new_webhook(JsonView(*text), catalog.types());
    if (!webhook) co_return refuse(std::move(webhook.error()));
    if (auto good = check(call.api.parts, *webhook, nullptr); !good) {
        co_return refuse(std::move(good.error()));
    }
    auto created = co_await catalog.create(std::move(*webhook));
    if (!created) co_return refuse(std::move(created.error()));
    co_return show(call.api.parts, **created, 201);
}

awaitable<Answer> list_webhooks(const Call& call) {
    const auto query = read_webhook_query(call.request.query);
    if (!query) co_return refuse_request(query.error());
    const Catalog& catalog = call.api.parts.catalog;
    // Pages follow the names; a place is the webhook that was last, which is known for ever.
    const Catalog::Entry last = query->after ? catalog.find(*query->after) : nullptr;
    ServerAnswer answer;
    std::string& out = answer.body;
    std::size_t shown = 0;
    Catalog::Entry end;
    bool more = false;
    out += "{\"items\":[";
    for (const Catalog::Entry& webhook : catalog.all()) {
        if (last && webhook->name <= last->name) continue;
        if (!is_named(*webhook, query->names)) continue;
        more = shown == query->limit;
        if (more) break;
        if (shown++ > 0) out += ',';
        out += to_json(call.api.parts, *webhook);
        end = webhook;
    }
    std::string cursor;
    if (more) {
        const auto place = static_cast<std::uint64_t>(end->id);
        cursor = make_cursor(webhook_list, Order::oldest_first, place);
        const ServerRequest& request = call.request;
        const std::string target = next_target(raw_path(request.target), request.query, cursor);
        answer.headers.emplace_back("Link", "<" + target + ">; rel=\"next\"");
    }
    out += "],\"next_cursor\":";
    append_text_or_null(out, cursor);
    out += '}';
    co_return answer;
}

awaitable<Answer> get_webhook(const Call& call) {
    const Catalog& catalog = call.api.parts.catalog;
    const Catalog::Entry webhook = catalog.find(call.parameter);
    if (!webhook) co_return no_such(call.parameter);
    ServerAnswer answer = show(call.api.parts, *webhook, 200);
    if (names_tag(call.request.header("if-none-match"), entity_tag(webhook->version), true)) {
        answer.status = 304;
        answer.body.clear();
    }
    co_return answer;
}

awaitable<Answer> replace_webhook(const Call& call) { return change(call, false); }

awaitable<Answer> patch_webhook(const Call& call) { return change(call, true); }

awaitable<Answer> delete_webhook(const Call& call) {
    Catalog& catalog = call.api.parts.catalog;
    const Catalog::Entry webhook = catalog.find(call.parameter);
    if (!webhook) co_return no_such(call.parameter);
    const auto version = expected_version(call.request, webhook->version, "the webhook");
    if (!version) co_return std::unexpected(version.error());
    auto removed = co_await catalog.remove(webhook->id, *version);
    if (!removed) co_return refuse(std::move(removed.error()));
    ServerAnswer answer;
    answer.status = 204;
    co_return answer;
}

awaitable<Answer> test_webhook(const Call& call) {
    const auto text = read_optional_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    const auto type = read_test(JsonView(*text));
    if (!type) co_return refuse(type.error());
    const ApiParts& parts = call.api.parts;
    const Catalog::Entry webhook = parts.catalog.find(call.parameter);
    if (!webhook) co_return no_such(call.parameter);
    auto event = sample_event(parts, *type, "/event");
    if (!event) co_return refuse(std::move(event.error()));
    const EventId id = (*event)->id;
    auto submitted = co_await parts.ingest.submit_to(std::move(*event), webhook->id);
    if (!submitted) co_return refuse(std::move(submitted.error()));
    ServerAnswer answer;
    answer.status = 202;
    append_submitted(answer.body, id, *submitted);
    co_return answer;
}

}  // namespace herald
