#include "async/slewed_clock.h"

#include <algorithm>

namespace herald {

namespace {

/// The wall clock is looked at this often at most: a tenth of less would be lost in rounding.
constexpr auto look_every = std::chrono::seconds{1};
constexpr int part = 10;

}  // namespace

SlewedClock::SlewedClock(const Clock& wall) : wall_(wall), said_(wall.now()), at_(wall.steady()) {}

Time SlewedClock::now() const {
    const auto steady = wall_.steady();
    const auto passed = std::chrono::floor<Duration>(steady - at_);
    if (passed < look_every) return said_ + passed;
    const Time expected = said_ + passed;
    const Duration most = passed / part;
    said_ = expected + std::clamp(wall_.now() - expected, -most, most);
    at_ = steady;
    return said_;
}

}  // namespace herald
