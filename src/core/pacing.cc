#include "core/pacing.h"

#include <algorithm>
#include <charconv>

namespace herald {

namespace {

constexpr std::uint32_t most_a_period = 1'000'000;
constexpr std::uint32_t no_node = 1;

}  // namespace

std::optional<RateLimit> parse_rate_limit(std::string_view text) {
    RateLimit limit;
    const char* end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, limit.count);
    if (error != std::errc{} || limit.count == 0 || limit.count > most_a_period) {
        return std::nullopt;
    }
    const std::string_view unit(behind, end);
    if (unit == "/m") {
        limit.period = std::chrono::minutes{1};
    } else if (unit != "/s") {
        return std::nullopt;
    }
    return limit;
}

std::string to_text(const RateLimit& limit) {
    return std::to_string(limit.count) + (limit.period == std::chrono::minutes{1} ? "/m" : "/s");
}

std::string_view to_text(Ordering ordering) {
    switch (ordering) {
        case Ordering::none: return "none";
        case Ordering::webhook: return "webhook";
        case Ordering::node: return "node";
    }
    return "";
}

std::optional<Ordering> parse_ordering(std::string_view text) {
    for (const Ordering one : {Ordering::none, Ordering::webhook, Ordering::node}) {
        if (to_text(one) == text) return one;
    }
    return std::nullopt;
}

std::string_view to_text(Backlog backlog) {
    return backlog == Backlog::oldest ? "oldest" : "newest";
}

std::optional<Backlog> parse_backlog(std::string_view text) {
    for (const Backlog one : {Backlog::oldest, Backlog::newest}) {
        if (to_text(one) == text) return one;
    }
    return std::nullopt;
}

Pacing read_pacing(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/pacing", stored, wrong);
    Pacing pacing;
    if (const std::string rate = reader.text("rate_limit"); !rate.empty()) {
        pacing.rate_limit = parse_rate_limit(rate);
        if (!pacing.rate_limit) {
            reader.wrong("rate_limit",
                         "must be attempts a second or a minute, such as \"10/s\" or \"600/m\", at"
                         " most 1000000");
        }
    }
    pacing.max_in_flight = static_cast<std::uint32_t>(
        reader.number("max_in_flight", pacing.max_in_flight, 1, limits::lane_in_flight));
    pacing.ordering =
        reader.choice("ordering", pacing.ordering, parse_ordering, "none, webhook or node");
    pacing.set_aside_after = static_cast<std::uint32_t>(
        reader.number("set_aside_after", pacing.set_aside_after, 1, limits::retry_delays));
    pacing.backlog = reader.choice("backlog", pacing.backlog, parse_backlog, "oldest or newest");
    if (pacing.ordering != Ordering::none && pacing.backlog == Backlog::newest) {
        reader.wrong("backlog", "must be oldest where there is an ordering");
    }
    reader.finish();
    return pacing;
}

void append_pacing(std::string& out, const Pacing& pacing, SecretForm form) {
    OptionWriter writer(out, form);
    writer.text_or_null("rate_limit", pacing.rate_limit ? to_text(*pacing.rate_limit) : "");
    writer.number("max_in_flight", pacing.max_in_flight);
    writer.text("ordering", to_text(pacing.ordering));
    writer.number("set_aside_after", pacing.set_aside_after);
    writer.text("backlog", to_text(pacing.backlog));
    writer.finish();
}

std::uint32_t order_key(Ordering ordering, std::string_view node_id) {
    if (ordering != Ordering::node || node_id.empty()) return no_node;
    std::uint32_t hash = 2'166'136'261U;  // FNV-1a
    for (const char letter : node_id) {
        hash = (hash ^ static_cast<std::uint8_t>(letter)) * 16'777'619U;
    }
    return std::max(hash, no_node + 1);
}

void Pacer::set(std::optional<RateLimit> limit) {
    interval_ = limit ? std::chrono::nanoseconds(limit->period) / limit->count
                      : std::chrono::nanoseconds{0};
    if (!limit) next_ = {};
}

void Pacer::take(Moment now) {
    if (limited()) next_ = std::max(next_, now - slack) + interval_;
}

std::size_t Pacer::within(Duration time) const {
    if (!limited()) return SIZE_MAX;
    return static_cast<std::size_t>(std::max<std::int64_t>(1, time / interval_));
}

}  // namespace herald
