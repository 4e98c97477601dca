#include "api/job_input.h"

#include <array>
#include <utility>

#include "core/limits.h"
#include "core/options.h"

namespace herald {

namespace {

constexpr std::string_view kinds = "redeliver, recover, replay or cancel";

std::optional<Order> parse_order(std::string_view text) {
    if (text == "oldest") return Order::oldest_first;
    if (text == "newest") return Order::newest_first;
    return std::nullopt;
}

std::optional<Time> read_time(OptionReader& in, std::string_view name, Time now) {
    const std::string text = in.text(name);
    if (text.empty()) return std::nullopt;
    if (const auto before = parse_duration(text)) return now - *before;
    const auto time = parse_time(text);
    if (!time) {
        in.wrong(name,
                 "must be a time with offset such as 2026-01-31T12:00:00Z, or how long ago, such "
                 "as 2h");
    }
    return time;
}

/// Words of a list, each known to `parse`.
template <class T>
std::vector<T> read_words(OptionReader& in, std::string_view name, std::string_view words,
                          std::optional<T> (*parse)(std::string_view)) {
    std::vector<T> values;
    for (const std::string& text : in.texts(name, limits::query_values)) {
        const auto value = parse(text);
        if (value) values.push_back(*value);
        if (!value) in.wrong(name, "must be " + std::string(words));
    }
    return values;
}

std::optional<FailureClass> parse_failed_class(std::string_view text) {
    const auto found = parse_failure_class(text);
    if (found && *found == FailureClass::none) return std::nullopt;
    return found;
}

JobScope read_scope(OptionReader& in, Time now, const FindJobWebhook& find) {
    JobScope scope;
    for (const std::string& name : in.texts("webhooks", limits::query_values)) {
        const auto id = find(name);
        if (id) scope.webhooks.push_back(*id);
        if (!id) in.wrong("webhooks", "there is no webhook with the name or id " + name);
    }
    scope.states = read_words(in, "states", "delivered, failed or cancelled", parse_delivery_state);
    scope.classes = read_words(in, "classes",
                               "CONFIG, CONNECTION, TLS, TIMEOUT, HTTP_CLIENT_ERROR, "
                               "HTTP_SERVER_ERROR, UNKNOWN or TRANSFORM",
                               parse_failed_class);
    scope.event_types = in.texts("event_types", limits::query_values);
    scope.branches = in.texts("branches", limits::query_values);
    scope.accounts = in.texts("accounts", limits::query_values);
    scope.nodes = in.texts("nodes", limits::query_values);
    scope.related = in.texts("related", limits::query_values);
    scope.since = read_time(in, "since", now);
    scope.until = read_time(in, "until", now);
    scope.all = in.flag("all", false);
    return scope;
}

}  // namespace

Result<JobInput> read_job(JsonView input, Time now, const FindJobWebhook& find) {
    std::vector<FieldError> wrong;
    OptionReader in(input, {}, JsonView{}, wrong);
    JobInput read;
    Job& job = read.job;
    job.kind = in.choice<JobKind>("kind", JobKind::redeliver, parse_job_kind, kinds);
    if (!in.member("kind")) in.wrong("kind", "is required: " + std::string(kinds));
    job.scope = read_scope(in, now, find);
    job.order = in.choice<Order>("order", Order::oldest_first, parse_order, "oldest or newest");
    const bool sends = job.kind != JobKind::cancel;
    job.rate = static_cast<std::uint32_t>(
        in.number("rate", sends ? limits::job_rate_default : 0, 1, limits::job_rate));
    read.dry_run = in.flag("dry_run", false);
    in.finish();
    if (job.kind == JobKind::redeliver && job.scope.states.empty()) {
        job.scope.states = {DeliveryState::failed};
    }
    if (!wrong.empty()) return fail_fields("", std::move(wrong));
    return read;
}

}  // namespace herald
