#include "api/query_params.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "api/target.h"
#include "core/suggest.h"

namespace herald {

namespace {

/// Reads the parameters of one query by name and gathers what is wrong with them. A name that
/// nobody asked for is unknown.
class QueryReader {
public:
    explicit QueryReader(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}

    void wrong(std::string_view name, std::string detail) {
        if (wrong_.size() >= limits::field_errors) return;
        wrong_.push_back({"/" + std::string(name), std::move(detail)});
    }

    [[nodiscard]] bool is_wrong(std::string_view name) const {
        return std::ranges::any_of(
            wrong_, [&](const FieldError& field) { return field.pointer.substr(1) == name; });
    }

    std::vector<std::string> texts(std::string_view name) {
        known_.push_back(name);
        std::vector<std::string> found;
        for (const Parameter& parameter : parameters_) {
            if (parameter.name != name) continue;
            if (parameter.value.empty()) wrong(name, "must not be empty: leave it out");
            found.push_back(parameter.value);
        }
        if (found.size() > limits::query_values) {
            wrong(name, "may be given at most " + std::to_string(limits::query_values) + " times");
        }
        return found;
    }

    std::optional<std::string> text(std::string_view name) {
        auto found = texts(name);
        if (found.empty()) return std::nullopt;
        if (found.size() > 1) wrong(name, "is given twice: keep one");
        return std::move(found.front());
    }

    std::vector<EventId> event_ids(std::string_view name) {
        std::vector<EventId> ids;
        for (const std::string& one : texts(name)) {
            if (const auto id = Uuid::parse(one)) {
                ids.push_back(EventId{*id});
            } else {
                wrong(name, "must be an event id, such as 2ece726f-8574-488c-92f7-ee9a56485b46");
            }
        }
        return ids;
    }

    std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least,
                                        std::uint64_t most) {
        const auto given = text(name);
        if (!given) return std::nullopt;
        std::uint64_t value = 0;
        const char* end = given->data() + given->size();
        const auto read = std::from_chars(given->data(), end, value);
        if (read.ec == std::errc{} && read.ptr == end && value >= least && value <= most) {
            return value;
        }
        wrong(name, "must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
        return std::nullopt;
    }

    std::optional<bool> flag(std::string_view name) {
        const auto given = text(name);
        if (!given) return std::nullopt;
        if (*given != "true" && *given != "false") wrong(name, "must be true or false");
        return *given == "true";
    }

    std::optional<Time> time(std::string_view name) {
        auto given = text(name);
        if (!given) return std::nullopt;
        auto time = parse_time(*given);
        // A bare "+" of an offset arrives as a space.
        const std::size_t space = given->rfind(' ');
        if (!time && space != given->npos) time = parse_time(given->replace(space, 1, "+"));
        if (!time) {
            wrong(name, "must be a time with its offset, such as 2025-03-13T16:44:32Z");
        }
        return time;
    }

    Order order(Order otherwise) {
        const auto given = text("order");
        if (!given) return otherwise;
        if (*given != "asc" && *given != "desc") wrong("order", "must be asc or desc");
        return *given == "asc" ? Order::oldest_first : Order::newest_first;
    }

    std::size_t limit() {
        return number("limit", 1, limits::page_max).value_or(limits::page_default);
    }

    std::optional<std::uint64_t> cursor(char list, Order order) {
        const auto given = text("cursor");
        if (!given) return std::nullopt;
        auto place = read_cursor(list, order, *given);
        if (place) return *place;
        std::ranges::copy(place.error().fields, std::back_inserter(wrong_));
        return std::nullopt;
    }

    /// All that is wrong, or nothing. After everything was read.
    Result<> finish() {
        for (const Parameter& parameter : parameters_) {
            if (std::ranges::find(known_, parameter.name) != known_.end()) continue;
            wrong(parameter.name, "is no parameter here" + did_you_mean(parameter.name, known_));
        }
        if (wrong_.empty()) return {};
        std::string message = "the query is wrong";
        for (const FieldError& field : wrong_) {
            message += (&field == wrong_.data() ? ": " : "; ") + field.pointer.substr(1) + " " +
                       field.detail;
        }
        return fail(Error{Errc::invalid, std::move(message), std::move(wrong_)});
    }

private:
    std::vector<Parameter> parameters_;
    std::vector<std::string_view> known_;  ///< literals
    std::vector<FieldError> wrong_;
};

std::optional<std::string> decode(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return percent_decode(spaced);
}

}  // namespace

Result<std::vector<Parameter>> parse_query(std::string_view query) {
    std::vector<Parameter> parameters;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        auto name = decode(pair.substr(0, equals));
        auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value) {
            return fail(Errc::invalid,
                        "the query has a broken percent-escape in \"" + std::string(pair) + "\"");
        }
        parameters.push_back({std::move(*name), std::move(*value)});
    }
    return parameters;
}

Result<EventListQuery> read_event_query(std::string_view query) {
    auto parameters = parse_query(query);
    if (!parameters) return fail(parameters.error());
    QueryReader in(std::move(*parameters));
    EventListQuery list;
    EventQuery& events = list.query;
    events.branches = in.texts("branch");
    events.types = in.texts("event");
    events.accounts = in.texts("account");
    events.nodes = in.texts("node");
    events.related = in.texts("related");
    events.parents = in.event_ids("parent");
    events.has_children = in.flag("has_children");
    if (const auto level = in.number("level", 0, 1'000'000)) {
        events.level = static_cast<std::uint32_t>(*level);
    }
    events.ids = in.event_ids("id");
    events.since = in.time("since");
    events.until = in.time("until");
    events.order = in.order(Order::newest_first);
    events.limit = in.limit();
    if (const auto place = in.cursor(event_list, events.order)) events.after = EventSeq{*place};
    list.count = in.flag("count").value_or(false);
    if (auto read = in.finish(); !read) return fail(read.error());
    return list;
}

Result<DeliveryQuery> read_delivery_query(std::string_view query, const FindWebhook& find) {
    auto parameters = parse_query(query);
    if (!parameters) return fail(parameters.error());
    QueryReader in(std::move(*parameters));
    DeliveryQuery deliveries;
    for (const std::string& name : in.texts("webhook")) {
        const auto id = find(name);
        if (id) deliveries.webhooks.push_back(*id);
        if (!id) in.wrong("webhook", "there is no webhook with the name or id " + name);
    }
    const auto events = in.event_ids("event");
    if (events.size() > 1) in.wrong("event", "is given twice: keep one");
    if (!events.empty()) deliveries.event = events.front();
    for (const std::string& text : in.texts("state")) {
        const auto state = parse_delivery_state(text);
        if (state) deliveries.states.push_back(*state);
        if (!state) in.wrong("state", "must be pending, delivered, failed, cancelled or merged");
    }
    for (const std::string& text : in.texts("class")) {
        const auto failure = parse_failure_class(text);
        if (failure && *failure != FailureClass::none) {
            deliveries.classes.push_back(*failure);
        } else {
            in.wrong("class",
                     "must be CONFIG, CONNECTION, TLS, TIMEOUT, HTTP_CLIENT_ERROR, "
                     "HTTP_SERVER_ERROR, UNKNOWN or TRANSFORM");
        }
    }
    deliveries.since = in.time("since");
    deliveries.until = in.time("until");
    deliveries.order = in.order(Order::newest_first);
    deliveries.limit = in.limit();
    deliveries.after = in.cursor(delivery_list, deliveries.order);
    if (auto read = in.finish(); !read) return fail(read.error());
    return deliveries;
}

Result<WebhookListQuery> read_webhook_query(std::string_view query) {
    auto parameters = parse_query(query);
    if (!parameters) return fail(parameters.error());
    QueryReader in(std::move(*parameters));
    WebhookListQuery webhooks;
    webhooks.names = in.texts("name");
    webhooks.limit = in.limit();
    if (const auto place = in.cursor(webhook_list, Order::oldest_first)) {
        webhooks.after = WebhookId{static_cast<std::uint32_t>(*place)};
    }
    if (auto read = in.finish(); !read) return fail(read.error());
    return webhooks;
}

Result<EventId> read_explain_query(std::string_view query) {
    auto parameters = parse_query(query);
    if (!parameters) return fail(parameters.error());
    QueryReader in(std::move(*parameters));
    const auto ids = in.event_ids("event");
    if (ids.size() != 1 && !in.is_wrong("event")) {
        in.wrong("event", "is required once: the id of a stored event");
    }
    if (auto read = in.finish(); !read) return fail(read.error());
    return ids.front();
}

Result<> read_no_query(std::string_view query) {
    auto parameters = parse_query(query);
    if (!parameters) return fail(parameters.error());
    return QueryReader(std::move(*parameters)).finish();
}

std::string next_target(std::string_view path, std::string_view query, std::string_view cursor) {
    std::string target(path);
    target += '?';
    const auto parameters = parse_query(query);
    for (const Parameter& parameter : parameters.value_or(std::vector<Parameter>{})) {
        if (parameter.name == "cursor") continue;
        append_percent_encoded(target, parameter.name);
        target += '=';
        append_percent_encoded(target, parameter.value);
        target += '&';
    }
    target += "cursor=";
    append_percent_encoded(target, cursor);
    return target;
}

}  // namespace herald
