#include "api/events.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "api/encode.h"
#include "api/request_body.h"
#include "core/limits.h"

namespace herald {

namespace {

using boost::asio::awaitable;

/// One event of a batch: decoded, or rejected.
struct Item {
    std::shared_ptr<const Event> event;
    std::optional<std::string> id;  ///< as given, of a rejected one
    std::vector<FieldError> errors;
};
using Items = std::expected<std::vector<Item>, Problem>;

std::unexpected<Problem> not_json(const JsonError& error) {
    std::string message = "the body is no JSON that is taken: " + error.message;
    Error wrong{Errc::invalid, std::move(message), {{"", error.message}}};
    if (error.kind == JsonError::Kind::broken) return refuse_request(std::move(wrong));
    return refuse(std::move(wrong));
}

std::unexpected<Problem> not_json(std::string message, std::size_t offset) {
    message += " at byte " + std::to_string(offset);
    return not_json(JsonError{JsonError::Kind::broken, offset, std::move(message)});
}

std::unexpected<Problem> too_many() {
    return refuse(Errc::too_large, "a batch may have at most " +
                                       std::to_string(limits::batch_events) +
                                       " events: send it in parts");
}

std::unexpected<Problem> no_events() {
    return refuse_request({Errc::invalid, "the batch is empty: send at least one event"});
}

Item rejected(std::size_t index, std::string detail) {
    Item item;
    item.errors.push_back({"/" + std::to_string(index), std::move(detail)});
    return item;
}

Item decode_item(const ApiParts& parts, std::string_view text, std::size_t index, Time now) {
    Item item;
    auto event = parts.decode(JsonView(text), now);
    if (event) {
        item.event = std::make_shared<const Event>(std::move(*event));
        return item;
    }
    item.id = JsonView(text).string("id");
    for (FieldError& field : event.error().fields) {
        field.pointer = "/" + std::to_string(index) + field.pointer;
        item.errors.push_back(std::move(field));
    }
    if (item.errors.empty()) return rejected(index, event.error().message);
    return item;
}

/// The elements of an array whose "[" was read. A broken array is refused as a whole; an element
/// that is only not taken is one rejected event.
Items read_array(const ApiParts& parts, JsonReader& reader, Time now) {
    if (reader.take(']')) return no_events();
    std::vector<Item> items;
    std::string text;
    for (;;) {
        if (items.size() == limits::batch_events) return too_many();
        text.clear();
        const auto error = reader.read(text);
        if (error && error->kind == JsonError::Kind::broken) return not_json(*error);
        items.push_back(error ? rejected(items.size(), error->message)
                              : decode_item(parts, text, items.size(), now));
        if (reader.take(']')) break;
        if (!reader.take(',')) return not_json("expected \",\" or \"]\"", reader.offset());
        if (reader.take(']')) {
            return not_json("a comma stands before the closing bracket: remove it",
                            reader.offset() - 1);
        }
    }
    if (!reader.at_end()) return not_json("something stands behind the array", reader.offset());
    return items;
}

/// One event a line; a line that is no JSON is one rejected event. Empty lines do not count.
Items read_lines(const ApiParts& parts, std::string_view body, Time now) {
    std::vector<Item> items;
    for (std::size_t number = 1; !body.empty(); ++number) {
        const std::string_view line = body.substr(0, body.find('\n'));
        body.remove_prefix(std::min(line.size() + 1, body.size()));
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        if (items.size() == limits::batch_events) return too_many();
        const auto text = canonical_json(line, {limits::json_depth});
        items.push_back(text ? decode_item(parts, *text, items.size(), now)
                             : rejected(items.size(), "line " + std::to_string(number) + ": " +
                                                          text.error().message));
    }
    if (items.empty()) return no_events();
    return items;
}

void append_rejected(std::string& out, const Item& item, std::size_t index) {
    out += R"({"status":"rejected","index":)" + std::to_string(index);
    if (item.id) {
        out += R"(,"id":)";
        append_json_string(out, *item.id);
    }
    out += R"(,"errors":[)";
    for (const FieldError& field : item.errors) {
        out += &field == item.errors.data() ? R"({"pointer":)" : R"(,{"pointer":)";
        append_json_string(out, field.pointer);
        out += R"(,"detail":)";
        append_json_string(out, field.detail);
        out += '}';
    }
    out += "]}";
}

/// `submitted` holds an entry for each item with an event, in order.
ServerAnswer batch_answer(const std::vector<Item>& items, const std::vector<Submitted>& submitted) {
    std::size_t duplicates = 0;
    for (const Submitted& one : submitted) duplicates += one.duplicate ? 1 : 0;
    const std::size_t accepted = submitted.size() - duplicates;
    const std::size_t rejected = items.size() - submitted.size();
    ServerAnswer answer;
    answer.status = 202;
    if (duplicates == items.size()) answer.status = 200;
    if (rejected == items.size()) answer.status = 422;
    std::string& out = answer.body;
    out.reserve(64 + items.size() * 192);
    out += R"({"accepted":)" + std::to_string(accepted) + R"(,"duplicates":)" +
           std::to_string(duplicates) + R"(,"rejected":)" + std::to_string(rejected) +
           R"(,"results":[)";
    std::size_t next = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        if (items[i].event) {
            append_submitted(out, items[i].event->id, submitted[next++]);
        } else {
            append_rejected(out, items[i], i);
        }
    }
    out += "]}";
    return answer;
}

awaitable<Answer> submit_batch(const Call& call, std::vector<Item> items) {
    std::vector<std::shared_ptr<const Event>> events;
    events.reserve(items.size());
    for (const Item& item : items) {
        if (item.event) events.push_back(item.event);
    }
    if (events.empty()) co_return batch_answer(items, {});
    auto submitted = co_await call.api.parts.ingest.submit(std::move(events));
    if (!submitted) co_return refuse(std::move(submitted.error()));
    co_return batch_answer(items, *submitted);
}

/// The hot path: no DOM, one copy of the text, one answer string.
awaitable<Answer> submit_one(const Call& call, std::string text) {
    const ApiParts& parts = call.api.parts;
    auto decoded = parts.decode(JsonView(text), parts.clock.now());
    if (!decoded) co_return refuse(std::move(decoded.error()));
    const EventId id = decoded->id;
    std::vector<std::shared_ptr<const Event>> events;
    events.push_back(std::make_shared<const Event>(std::move(*decoded)));
    auto submitted = co_await parts.ingest.submit(std::move(events));
    if (!submitted) co_return refuse(std::move(submitted.error()));
    ServerAnswer answer;
    answer.status = submitted->front().duplicate ? 200 : 202;
    answer.body.reserve(128 + submitted->front().deliveries.size() * 40);
    append_submitted(answer.body, id, submitted->front());
    co_return answer;
}

}  // namespace

awaitable<Answer> post_events(const Call& call) {
    const ServerRequest& request = call.request;
    const auto type = media_type(request);
    if (!type) co_return refuse(type.error());
    const ApiParts& parts = call.api.parts;
    const Time now = parts.clock.now();
    if (*type == "application/x-ndjson") {
        Items items = read_lines(parts, request.body, now);
        if (!items) co_return std::unexpected(std::move(items.error()));
        co_return co_await submit_batch(call, std::move(*items));
    }
    if (*type != "application/json") {
        co_return refuse(Errc::unsupported, "events are sent as application/json or ndjson");
    }
    JsonReader reader(request.body, {limits::json_depth});
    if (reader.take('[')) {
        Items items = read_array(parts, reader, now);
        if (!items) co_return std::unexpected(std::move(items.error()));
        co_return co_await submit_batch(call, std::move(*items));
    }
    std::string text;
    text.reserve(request.body.size());
    if (const auto error = reader.read(text)) co_return not_json(*error);
    if (!reader.at_end()) {
        co_return not_json("something stands behind the event (one a line is application/x-ndjson)",
                           reader.offset());
    }
    co_return co_await submit_one(call, std::move(text));
}

}  // namespace herald
