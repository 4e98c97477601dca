#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/attempt.h"
#include "core/breaker.h"

namespace herald {

/// What herald thinks of a webhook's receiver. The numbers are stored.
enum class HealthState : std::uint8_t {
    healthy,
    failing,  ///< too many failures in a row: one probe at a time
    disabled,  ///< failed for too long: nothing is sent until a person resumes it
    gone,  ///< the receiver answered 410: nothing is sent until a person resumes it
};
[[nodiscard]] std::string_view to_text(HealthState state);

/// How a webhook does, by the attempts it made. Durable.
struct Health {
    HealthState state = HealthState::healthy;
    std::optional<Time> since;  ///< of the state; nullopt: never was another
    std::optional<Time> last_success;
    std::optional<Time> last_failure;
    std::uint32_t failure_streak = 0;  ///< failed attempts since the last success
    FailureClass last_class = FailureClass::none;  ///< of the last failure
    /// The time that the streak has lasted, as the failures tell it: a pause between two counts for
    /// a day at most, so that a jump of the clock disables nothing.
    Duration failing_for{0};
    std::string reason;  ///< why it is not healthy, for people; empty when it is
    std::optional<Time> held_until;  ///< the receiver has asked to be left alone until then

    bool operator==(const Health&) const = default;

    /// Nothing is sent until a person resumes the webhook.
    [[nodiscard]] bool stopped() const {
        return state == HealthState::disabled || state == HealthState::gone;
    }
};

/// An attempt has ended at `now`: what that means for the health of its webhook. Nothing, when no
/// request could be made (TRANSFORM, CONFIG): that says nothing of the receiver, and events that
/// fail by themselves must not hold up the others.
void note_attempt(Health& health, const BreakerPolicy& policy, const Attempt& attempt, Time now);

/// The health as it is at `now`: a hold may be over.
[[nodiscard]] Health as_of(Health health, Time now);
/// Whether what has changed has to survive a crash.
[[nodiscard]] bool is_news(const Health& before, const Health& after);

/// A person resumes a webhook that was stopped: it is probed, and has all its time again.
void resume(Health& health, Time now);

}  // namespace herald
