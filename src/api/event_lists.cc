#include "api/event_lists.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/deliveries.h"
#include "api/encode.h"
#include "api/query_params.h"
#include "api/target.h"
#include "core/suggest.h"

namespace herald {

namespace {

using boost::asio::awaitable;

struct ListedEvents {
    Result<Page<LoggedEvent>> page;
    std::optional<Result<Count>> count;
};

struct FoundEvent {
    Result<std::optional<EventDetail>> detail;
    Result<Page<LoggedEvent>> children;
};

void append_events(std::string& out, const std::vector<LoggedEvent>& events) {
    out += '[';
    for (const LoggedEvent& logged : events) {
        if (&logged != events.data()) out += ',';
        append_event(out, logged.seq, logged.event);
    }
    out += ']';
}

std::uint64_t place(EventSeq seq) { return static_cast<std::uint64_t>(seq); }

/// Where the page ended, in its own order, or where it was to begin.
std::string last_cursor(const EventQuery& query, const std::vector<LoggedEvent>& items) {
    if (!items.empty()) return make_cursor(event_list, query.order, place(items.back().seq));
    return query.after ? make_cursor(event_list, query.order, place(*query.after)) : "";
}

/// From where an oldest-first list shows what is stored after this page.
std::string tail_cursor(const EventQuery& query, const std::vector<LoggedEvent>& items) {
    const bool newest_first = query.order == Order::newest_first;
    EventSeq newest = query.after.value_or(EventSeq{0});
    if (!items.empty()) newest = newest_first ? items.front().seq : items.back().seq;
    return make_cursor(event_list, Order::oldest_first, place(newest));
}

ServerAnswer list_answer(const ServerRequest& request, const EventQuery& query,
                         const Page<LoggedEvent>& page, const std::optional<Count>& count) {
    ServerAnswer answer;
    std::string& out = answer.body;
    const std::string last = last_cursor(query, page.items);
    out += "{\"items\":";
    append_events(out, page.items);
    out += ",\"next_cursor\":";
    append_text_or_null(out, page.more ? last : "");
    out += ",\"last_cursor\":";
    append_text_or_null(out, last);
    out += ",\"tail_cursor\":";
    append_text_or_null(out, tail_cursor(query, page.items));
    if (count) {
        out += ",\"count\":";
        append_count_or_null(out, count);
    }
    out += '}';
    if (page.more) {
        const std::string target = next_target(raw_path(request.target), request.query, last);
        answer.headers.emplace_back("Link", "<" + target + ">; rel=\"next\"");
    }
    return answer;
}

ServerAnswer event_answer(const ApiContext& api, const EventDetail& detail,
                          const std::vector<LoggedEvent>& children) {
    ServerAnswer answer;
    std::string& out = answer.body;
    const Event& event = detail.event;
    append_open_event(out, detail.seq, event);
    out += ",\"body\":" + (event.body.empty() ? "null" : event.body);
    out += ",\"extra\":" + (event.extra.empty() ? "{}" : event.extra);
    out += ",\"children\":";
    append_events(out, children);
    out += ",\"deliveries\":[";
    for (const Delivery& delivery : detail.deliveries) {
        if (&delivery != detail.deliveries.data()) out += ',';
        append_known_delivery(out, api, delivery);
    }
    out += "],\"changes\":";
    append_changes(out, event);
    out += '}';
    return answer;
}

}  // namespace

awaitable<Answer> list_events(const Call& call) {
    auto list = read_event_query(call.request.query);
    if (!list) co_return refuse_request(std::move(list.error()));
    auto job = [list = *list](StoreReader& reader) {
        ListedEvents found{reader.events(list.query), std::nullopt};
        if (list.count) found.count = reader.count_events(list.query);
        return found;
    };
    auto found = co_await call.api.parts.readers.run(std::move(job));
    if (!found.page) co_return refuse(std::move(found.page.error()));
    if (found.count && !*found.count) co_return refuse(std::move(found.count->error()));
    std::optional<Count> count;
    if (found.count) count = **found.count;
    co_return list_answer(call.request, list->query, *found.page, count);
}

awaitable<Answer> get_event(const Call& call) {
    const auto uuid = Uuid::parse(call.parameter);
    if (!uuid) co_return refuse(Errc::not_found, "event ids are UUIDs: this is none");
    const EventId id{*uuid};
    EventQuery of_parent;
    of_parent.parents.push_back(id);
    of_parent.order = Order::oldest_first;
    of_parent.limit = limits::page_max;
    auto job = [id, of_parent = std::move(of_parent)](StoreReader& reader) {
        FoundEvent found{reader.event(id), Page<LoggedEvent>{}};
        const bool any = found.detail && *found.detail && !(*found.detail)->children.empty();
        if (any) found.children = reader.events(of_parent);
        return found;
    };
    auto found = co_await call.api.parts.readers.run(std::move(job));
    if (!found.detail) co_return refuse(std::move(found.detail.error()));
    if (!found.children) co_return refuse(std::move(found.children.error()));
    if (!*found.detail) co_return refuse(Errc::not_found, "there is no event " + id.text());
    co_return event_answer(call.api, **found.detail, found.children->items);
}

awaitable<Answer> list_event_types(const Call& call) {
    const Catalog& catalog = call.api.parts.catalog;
    ServerAnswer answer;
    std::string& out = answer.body;
    out += "{\"items\":[";
    for (const EventType& type : catalog.types().all()) {
        if (out.back() != '[') out += ',';
        out += "{\"event\":";
        append_json_string(out, type.name);
        out += ",\"carries_node_kind\":";
        out += type.carries_kind ? "true" : "false";
        out += ",\"fixed_branch\":";
        const bool is_default = type.fixed_branch == the_default_branch;
        append_text_or_null(out, is_default ? catalog.default_branch() : type.fixed_branch);
        out += '}';
    }
    out += "]}";
    co_return answer;
}

awaitable<Answer> get_event_sample(const Call& call) {
    const ApiParts& parts = call.api.parts;
    auto sample = parts.sample(call.parameter, parts.clock.now());
    if (!sample) {
        std::vector<std::string_view> names;
        for (const EventType& type : parts.catalog.types().all()) names.push_back(type.name);
        co_return refuse(Errc::not_found, "there is no sample of " + call.parameter +
                                              did_you_mean(call.parameter, names));
    }
    ServerAnswer answer;
    answer.body = std::move(*sample);
    co_return answer;
}

}  // namespace herald
