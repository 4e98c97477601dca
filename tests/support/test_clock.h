#pragma once

#include <atomic>

#include "async/clock.h"
#include "support/builders.h"

namespace herald::test {

/// The wall clock stands still until the test moves it. The steady one runs, because waits end by
/// the system's.
class TestClock final : public Clock {
public:
    [[nodiscard]] Time now() const override { return from_micros(micros_); }
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now();
    }
    void advance(Duration by) { micros_ += by.count(); }

private:
    std::atomic<std::int64_t> micros_ = to_micros(noon);
};

/// The same wall clock, and a steady one that can be moved too: for a part that never waits, or
/// that the test wakes.
class MovedClock final : public Clock {
public:
    explicit MovedClock(const Clock& clock) : clock_(clock) {}
    [[nodiscard]] Time now() const override { return clock_.now(); }
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
        return clock_.steady() + moved_;
    }
    void move(std::chrono::steady_clock::duration by) { moved_ += by; }

private:
    const Clock& clock_;
    std::chrono::steady_clock::duration moved_{0};
};

}  // namespace herald::test
