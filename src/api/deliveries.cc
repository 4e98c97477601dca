#include "api/deliveries.h"

#include <optional>
#include <utility>

#include "api/encode.h"
#include "api/query_params.h"
#include "api/request_body.h"
#include "api/target.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using Found = std::expected<DeliveryDetail, Problem>;

std::unexpected<Problem> no_such(const std::string& id) {
    return refuse(Errc::not_found, "there is no delivery " + id);
}

awaitable<Found> find_delivery(const ApiContext& api, const std::string& text) {
    const auto id = DeliveryId::parse(text);
    if (!id) co_return refuse(Errc::not_found, "delivery ids are msg_ and 32 hex digits");
    auto job = [id = *id](StoreReader& reader) { return reader.delivery(id); };
    auto found = co_await api.parts.readers.run(std::move(job));
    if (!found) co_return refuse(std::move(found.error()));
    if (!*found) co_return no_such(text);
    co_return std::move(**found);
}

ServerAnswer list_answer(const Call& call, const DeliveryQuery& query, const Page<Delivery>& page) {
    ServerAnswer answer;
    std::string& out = answer.body;
    std::optional<std::uint64_t> place = query.after;
    if (!page.items.empty()) place = page.items.back().id.seq;
    const std::string last = place ? make_cursor(delivery_list, query.order, *place) : "";
    out += "{\"items\":[";
    for (const Delivery& delivery : page.items) {
        if (&delivery != page.items.data()) out += ',';
        append_known_delivery(out, call.api, delivery);
    }
    const bool newest_first = query.order == Order::newest_first;
    if (newest_first && !page.items.empty()) place = page.items.front().id.seq;
    out += "],\"tail_cursor\":";
    append_text_or_null(out, make_cursor(delivery_list, Order::oldest_first, place.value_or(0)));
    out += ",\"next_cursor\":";
    append_text_or_null(out, page.more ? last : "");
    out += ",\"last_cursor\":";
    append_text_or_null(out, last);
    out += '}';
    if (page.more) {
        const ServerRequest& request = call.request;
        const std::string target = next_target(raw_path(request.target), request.query, last);
        answer.headers.emplace_back("Link", "<" + target + ">; rel=\"next\"");
    }
    return answer;
}

/// For a request that takes no members: nothing, or an empty object.
std::optional<Problem> check_no_members(const ServerRequest& request) {
    auto object = read_optional_object(request);
    if (!object) return std::move(object.error());
    auto items = JsonView(*object).items();
    if (!items.next()) return std::nullopt;
    const std::string pointer = "/" + items.key();
    return refuse(fail_field(pointer, "this takes no members: send {}").error()).error();
}

/// The answer that shows a delivery as it is stored now.
awaitable<Answer> show(const Call& call, std::string id, int status) {
    const Found found = co_await find_delivery(call.api, id);
    if (!found) co_return std::unexpected(found.error());
    ServerAnswer answer;
    answer.status = status;
    append_known_delivery(answer.body, call.api, found->delivery);
    if (status == 202) answer.headers.emplace_back("Location", "/api/v1/deliveries/" + id);
    co_return answer;
}

}  // namespace

void append_known_delivery(std::string& out, const ApiContext& api, const Delivery& delivery) {
    const Catalog::Entry webhook = api.parts.catalog.find(delivery.webhook);
    append_delivery(out, {delivery, webhook.get(), api.parts.dispatcher.in_flight(delivery.id)});
}

awaitable<Answer> list_deliveries(const Call& call) {
    const Catalog& catalog = call.api.parts.catalog;
    const FindWebhook find = [&catalog](const std::string& name) -> std::optional<WebhookId> {
        const Catalog::Entry webhook = catalog.find(name);
        if (!webhook) return std::nullopt;
        return webhook->id;
    };
    auto query = read_delivery_query(call.request.query, find);
    if (!query) co_return refuse_request(std::move(query.error()));
    auto job = [query = *query](StoreReader& reader) { return reader.deliveries(query); };
    auto page = co_await call.api.parts.readers.run(std::move(job));
    if (!page) co_return refuse(std::move(page.error()));
    co_return list_answer(call, *query, *page);
}

awaitable<Answer> get_delivery(const Call& call) {
    const Found found = co_await find_delivery(call.api, call.parameter);
    if (!found) co_return std::unexpected(found.error());
    const Delivery& delivery = found->delivery;
    const Catalog::Entry webhook = call.api.parts.catalog.find(delivery.webhook);
    const bool in_flight = call.api.parts.dispatcher.in_flight(delivery.id);
    ServerAnswer answer;
    append_open_delivery(answer.body, {delivery, webhook.get(), in_flight});
    answer.body += ",\"attempt_list\":[";
    for (const Attempt& attempt : found->attempts) {
        if (&attempt != found->attempts.data()) answer.body += ',';
        append_attempt(answer.body, attempt);
    }
    answer.body += "]}";
    co_return answer;
}

awaitable<Answer> retry_delivery(const Call& call) {
    if (auto wrong = check_no_members(call.request)) co_return std::unexpected(std::move(*wrong));
    const Found found = co_await find_delivery(call.api, call.parameter);
    if (!found) co_return std::unexpected(found.error());
    if (!is_final(found->delivery.state)) {
        co_return refuse(Errc::conflict, "the delivery is still in progress: wait for its outcome");
    }
    const ApiParts& parts = call.api.parts;
    const Catalog::Entry webhook = parts.catalog.find(found->delivery.webhook);
    if (!webhook || webhook->removed) {
        co_return refuse(Errc::conflict, "the delivery's webhook was deleted");
    }
    Redelivery redelivery;
    redelivery.of = found->delivery.id;
    auto repeated = co_await parts.committer.redeliver(redelivery);
    if (!repeated) co_return refuse(std::move(repeated.error()));
    if (!repeated->id) co_return no_such(call.parameter);
    parts.dispatcher.look();
    std::string id = repeated->id->text();
    co_return co_await show(call, std::move(id), 202);
}

awaitable<Answer> cancel_delivery(const Call& call) {
    if (auto wrong = check_no_members(call.request)) co_return std::unexpected(std::move(*wrong));
    const Found found = co_await find_delivery(call.api, call.parameter);
    if (!found) co_return std::unexpected(found.error());
    bool cancelled = false;
    if (!is_final(found->delivery.state)) {
        auto settled = co_await call.api.parts.dispatcher.cancel(found->delivery.id);
        if (!settled) co_return refuse(std::move(settled.error()));
        cancelled = *settled;
    }
    if (!cancelled) co_return refuse(Errc::conflict, "the delivery is settled already");
    co_return co_await show(call, call.parameter, 200);
}

}  // namespace herald
