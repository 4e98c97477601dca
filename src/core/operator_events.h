#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/attempt.h"
#include "core/event.h"
#include "core/health.h"
#include "core/own_event.h"
#include "core/webhook.h"

namespace herald {

// What herald tells its operators, as events like all others (docs/operator-events.md).

inline constexpr std::string_view webhook_failing_type = "herald.webhook.failing";
inline constexpr std::string_view webhook_disabled_type = "herald.webhook.disabled";
inline constexpr std::string_view webhook_recovered_type = "herald.webhook.recovered";
inline constexpr std::string_view webhook_exhausted_type = "herald.webhook.exhausted";
inline constexpr std::string_view source_lost_type = "herald.source.lost";

/// Event::origin of these, and of an event that gathers nothing else.
inline constexpr std::string_view operator_origin = "operator";

[[nodiscard]] bool is_operator_event(const Event& event);
/// Whether it is an operator event about this webhook, which it is then never sent to: its failure
/// would cause the next one.
[[nodiscard]] bool is_about(const Event& event, const Webhook& webhook);

/// What a change of health has to say; nothing when the state stayed or a person resumed it.
[[nodiscard]] std::optional<OwnEvent> tell_health(const Webhook& webhook, const Health& before,
                                                  const Health& after, Time now);

/// A delivery failed for good. Nothing for one of an operator event: that would never end.
/// `untold`: how many more of this webhook failed since the last one that was told.
struct Exhaustion {
    DeliveryId delivery;
    EventId event;
    std::string event_type;
    std::uint32_t attempts = 0;
    FailureClass failure = FailureClass::none;
    int status = 0;
    std::string message;
};
[[nodiscard]] OwnEvent tell_exhausted(const Webhook& webhook, const Exhaustion& exhaustion,
                                      std::uint64_t untold, Time now);

/// A source cannot be read. `reason`: one sentence without secrets.
[[nodiscard]] OwnEvent tell_source_lost(std::string_view source, std::string_view reason, Time now);

/// How many exhaustions of one webhook are told: the first ones of a window each by itself, of the
/// rest the last one when the window ends, with the number of those between. Time is a parameter.
class ExhaustionWindow {
public:
    using Steady = std::chrono::steady_clock::time_point;
    static constexpr std::uint32_t each = 10;  ///< told by themselves in one window
    static constexpr std::chrono::minutes length{1};

    /// One more: it is given back when it is to be told now, and kept otherwise.
    std::optional<Exhaustion> add(Exhaustion exhaustion, Steady now);
    /// When take() gives something; nullopt: nothing is kept.
    [[nodiscard]] std::optional<Steady> due_at() const;
    /// The one that was kept last, and sets `untold`. Begins a new window.
    std::optional<Exhaustion> take(std::uint64_t& untold, Steady now);
    /// Nothing is known of any time now: it can go.
    [[nodiscard]] bool is_over(Steady now) const { return !kept_ && now >= ends_at_; }

private:
    Steady ends_at_{};
    std::uint32_t told_ = 0;
    std::uint64_t untold_ = 0;
    std::optional<Exhaustion> kept_;
};

}  // namespace herald
