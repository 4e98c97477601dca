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
