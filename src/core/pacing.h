#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/event.h"
#include "core/limits.h"
#include "core/options.h"

namespace herald {

/// At most `count` attempts in `period` (a second or a minute).
struct RateLimit {
    std::uint32_t count = 1;  ///< 1 to 1,000,000
    Duration period = std::chrono::seconds{1};

    bool operator==(const RateLimit&) const = default;
};
/// "10/s", "600/m".
[[nodiscard]] std::optional<RateLimit> parse_rate_limit(std::string_view text);
[[nodiscard]] std::string to_text(const RateLimit& limit);

/// Within what deliveries are made strictly one after the other, as their events came in.
enum class Ordering : std::uint8_t {
    none,
    webhook,  ///< all of the webhook
    node,  ///< all for one node; events without one are together
};
[[nodiscard]] std::string_view to_text(Ordering ordering);
[[nodiscard]] std::optional<Ordering> parse_ordering(std::string_view text);

/// What of a backlog goes first.
enum class Backlog : std::uint8_t { oldest, newest };
[[nodiscard]] std::string_view to_text(Backlog backlog);
[[nodiscard]] std::optional<Backlog> parse_backlog(std::string_view text);

/// How fast and in what order a webhook is served. A group of options of a webhook.
struct Pacing {
    std::optional<RateLimit> rate_limit;
    std::uint32_t max_in_flight = limits::lane_in_flight;  ///< 1 to limits::lane_in_flight
    Ordering ordering = Ordering::none;
    /// With an ordering: failed attempts after which a delivery no longer holds up those behind it;
    /// 1 to limits::retry_delays.
    std::uint32_t set_aside_after = 5;
    Backlog backlog = Backlog::oldest;  ///< without an ordering

    bool operator==(const Pacing&) const = default;
};

/// The group "pacing" of a webhook's options, from and to JSON.
[[nodiscard]] Pacing read_pacing(JsonView value, JsonView stored, std::vector<FieldError>& wrong);
void append_pacing(std::string& out, const Pacing& pacing, SecretForm form);

/// What an event is in order with, for an ordering other than none: equal for those that are.
/// Never 0. Different nodes may share a number, and are then in order with each other too.
[[nodiscard]] std::uint32_t order_key(Ordering ordering, std::string_view node_id);

/// Spaces attempts evenly, so that there is no burst after a pause. By a steady clock: a jump of
/// the wall clock does nothing to it.
class Pacer {
public:
    using Moment = std::chrono::steady_clock::time_point;

    /// nullopt: no limit.
    void set(std::optional<RateLimit> limit);
    [[nodiscard]] bool limited() const { return interval_.count() > 0; }
    /// From when on the next attempt may go.
    [[nodiscard]] Moment next() const { return next_; }
    /// An attempt goes now.
    void take(Moment now);
    /// How many attempts may go within `time`.
    [[nodiscard]] std::size_t within(Duration time) const;

    /// What a timer that fires late may catch up.
    static constexpr std::chrono::milliseconds slack{20};

private:
    std::chrono::nanoseconds interval_{0};
    Moment next_{};
};

}  // namespace herald
