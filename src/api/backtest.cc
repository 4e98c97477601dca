#include "api/backtest.h"

#include <memory>
#include <utility>
#include <vector>

#include "api/encode.h"
#include "api/query_params.h"
#include "api/request_body.h"
#include "api/webhook_input.h"
#include "core/options.h"
#include "delivery/backtest.h"

namespace herald {

namespace {

using boost::asio::awaitable;

struct Request {
    std::shared_ptr<const Webhook> webhook;
    BacktestRange range;
};

void add_errors(std::vector<FieldError>& wrong, const Error& error, const std::string& below) {
    for (const FieldError& field : error.fields) {
        wrong.push_back({below + field.pointer, field.detail});
    }
}

std::optional<Time> read_time(OptionReader& in, std::string_view name) {
    const std::string text = in.text(name);
    if (text.empty()) return std::nullopt;
    const auto time = parse_time(text);
    if (!time) in.wrong(name, "must be a time with its offset, such as 2025-03-13T16:44:32Z");
    return time;
}

/// The name of a stored webhook, perhaps with changes, or a whole one.
std::shared_ptr<const Webhook> read_webhook(OptionReader& in, const Catalog& catalog,
                                            std::vector<FieldError>& wrong) {
    const auto given = in.member("webhook");
    const auto changes = in.member("changes");
    if (!given || (!given->is_string() && !given->is_object())) {
        in.wrong("webhook", "is required: the name or id of a webhook, or a whole one as for POST");
        return nullptr;
    }
    if (given->is_object()) {
        if (changes) in.wrong("changes", "are for stored webhooks: put them into the webhook");
        auto read = read_new_webhook(*given, catalog.types());
        if (read) return std::make_shared<const Webhook>(std::move(*read));
        add_errors(wrong, read.error(), "/webhook");
        return nullptr;
    }
    const std::string name = *given->string();
    Catalog::Entry stored = catalog.find(name);
    if (!stored) in.wrong("webhook", "there is no webhook with the name or id " + name);
    if (!stored || !changes) return stored;
    if (!changes->is_object()) {
        in.wrong("changes", "must be an object as for PATCH");
        return nullptr;
    }
    auto changed = read_patch(*changes, *stored, catalog.types());
    if (changed) return std::make_shared<const Webhook>(std::move(*changed));
    add_errors(wrong, changed.error(), "/changes");
    return nullptr;
}

Result<Request> read_request(JsonView body, const Catalog& catalog) {
    std::vector<FieldError> wrong;
    OptionReader in(body, "", JsonView{}, wrong);
    Request request;
    request.webhook = read_webhook(in, catalog, wrong);
    request.range.since = read_time(in, "since");
    request.range.until = read_time(in, "until");
    request.range.limit = static_cast<std::size_t>(
        in.number("limit", limits::page_default, 0, static_cast<std::int64_t>(limits::page_max)));
    if (const std::string cursor = in.text("cursor"); !cursor.empty()) {
        const auto place = read_cursor(backtest_list, Order::newest_first, cursor);
        if (place) request.range.after = EventSeq{*place};
        if (!place) in.wrong("cursor", "is not one of a backtest: start without it");
    }
    in.finish();
    if (wrong.empty()) return request;
    return fail_fields("the backtest is wrong", std::move(wrong));
}

void append_request(std::string& out, const Result<Sender::Preview>& request) {
    if (!request) {
        out += ",\"request\":null,\"problem\":";
        append_json_string(out, request.error().message);
        return;
    }
    out += ",\"request\":{\"headers\":{";
    for (const auto& header : request->headers) {
        if (&header != request->headers.data()) out += ',';
        append_json_string(out, header.first);
        out += ':';
        append_json_string(out, header.second);
    }
    out += "},\"body\":";
    append_json_string(out, request->body);
    out += "},\"problem\":null";
}

ServerAnswer show(const BacktestPage& page, const std::optional<Count>& events) {
    ServerAnswer answer;
    std::string& out = answer.body;
    out += "{\"events\":";
    append_count_or_null(out, events);
    out += ",\"examined\":" + std::to_string(page.examined);
    out += ",\"matched\":" + std::to_string(page.matched);
    out += ",\"items\":[";
    for (const BacktestMatch& match : page.items) {
        if (&match != page.items.data()) out += ',';
        append_open_event(out, match.seq, match.event);
        append_request(out, match.request);
        out += '}';
    }
    out += "],\"next_cursor\":";
    append_text_or_null(out, page.next ? make_cursor(backtest_list, Order::newest_first,
                                                     static_cast<std::uint64_t>(*page.next))
                                       : std::string());
    out += '}';
    return answer;
}

}  // namespace

awaitable<Answer> backtest_webhook(const Call& call) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    const ApiParts& parts = call.api.parts;
    auto request = read_request(JsonView(*text), parts.catalog);
    if (!request) co_return refuse(std::move(request.error()));
    std::optional<Count> events;
    if (!request->range.after) {
        EventQuery all;
        all.since = request->range.since;
        all.until = request->range.until;
        auto job = [all = std::move(all)](StoreReader& reader) { return reader.count_events(all); };
        auto counted = co_await parts.readers.run(std::move(job));
        if (!counted) co_return refuse(std::move(counted.error()));
        events = *counted;
    }
    const Backtest backtest(parts.readers, parts.sender, parts.catalog, parts.clock);
    auto page = co_await backtest.run(request->webhook, request->range);
    if (!page) co_return refuse(std::move(page.error()));
    co_return show(*page, events);
}

}  // namespace herald
