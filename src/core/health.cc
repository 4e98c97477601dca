#include "core/health.h"

#include <algorithm>
#include <utility>

namespace herald {

namespace {

constexpr int gone_status = 410;
constexpr Duration longest_step = std::chrono::hours{24};

void enter(Health& health, HealthState state, Time now, std::string reason) {
    if (health.state != state) {
        health.state = state;
        health.since = now;
    }
    health.reason = std::move(reason);
}

std::string in_hours(Duration time) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(time).count();
    if (hours >= 1) return std::to_string(hours) + " h";
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

void note_failure(Health& health, const BreakerPolicy& policy, const Attempt& attempt, Time now) {
    const Duration step =
        health.failure_streak > 0 ? now - health.last_failure.value_or(now) : Duration{0};
    health.failing_for += std::clamp(step, Duration{0}, longest_step);
    ++health.failure_streak;
    health.last_failure = now;
    health.last_class = attempt.outcome.failure;
    if (health.stopped()) return;
    if (attempt.status == gone_status) {
        enter(health, HealthState::gone, now,
              "the receiver answered 410 Gone: it wants no more of these");
        return;
    }
    const std::string last = ": " + attempt.outcome.message;
    const bool many = health.failure_streak >= policy.failures;
    const bool long_enough = health.failing_for >= policy.disable_after;
    if (policy.disable_after > Duration{0} && many && long_enough) {
        enter(health, HealthState::disabled, now,
              "nothing has succeeded in " + in_hours(health.failing_for) + last);
        return;
    }
    const bool opens = policy.failures > 0 && many;
    if (!opens && health.state == HealthState::healthy) return;
    const std::string streak = health.failure_streak == 1 ? "the last attempt has failed"
                                                          : std::to_string(health.failure_streak) +
                                                                " attempts in a row have failed";
    enter(health, HealthState::failing, now, streak + last);
}

}  // namespace

std::string_view to_text(HealthState state) {
    switch (state) {
        case HealthState::healthy: return "healthy";
        case HealthState::failing: return "failing";
        case HealthState::disabled: return "disabled";
        case HealthState::gone: return "gone";
    }
    return "";
}

void note_attempt(Health& health, const BreakerPolicy& policy, const Attempt& attempt, Time now) {
    const FailureClass failure = attempt.outcome.failure;
    if (failure == FailureClass::transform || failure == FailureClass::config) return;
    if (!attempt.outcome.ok()) {
        note_failure(health, policy, attempt, now);
        return;
    }
    health.last_success = now;
    health.failure_streak = 0;
    health.failing_for = Duration{0};
    // A success that was on its way when the receiver said 410 does not undo that.
    if (health.state == HealthState::failing) enter(health, HealthState::healthy, now, {});
}

Health as_of(Health health, Time now) {
    if (health.held_until && *health.held_until <= now) health.held_until.reset();
    return health;
}

bool is_news(const Health& before, const Health& after) {
    return after.state != before.state || after.held_until != before.held_until;
}

void resume(Health& health, Time now) {
    if (!health.stopped()) return;
    health.failure_streak = 0;
    health.failing_for = Duration{0};
    enter(health, HealthState::failing, now, "resumed; not yet tried");
}

}  // namespace herald
