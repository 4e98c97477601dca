#pragma once

#include "async/clock.h"

namespace herald {

/// A clock for schedules: it follows the wall clock and never jumps. It runs with the steady clock,
/// and a difference to the wall clock is made up by a tenth of the time that passes. So a wall
/// clock that is set, forwards or backwards, makes nothing due at once and holds nothing up.
/// A start begins at the wall clock. Of one thread.
class SlewedClock final : public Clock {
public:
    /// `wall` is borrowed.
    explicit SlewedClock(const Clock& wall);

    [[nodiscard]] Time now() const override;
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
        return wall_.steady();
    }

private:
    const Clock& wall_;
    // What it said last when it looked at the wall clock, and when that was.
    mutable Time said_;
    mutable std::chrono::steady_clock::time_point at_;
};

}  // namespace herald
