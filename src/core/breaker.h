#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/options.h"

namespace herald {

/// When a failing receiver is left alone. A group of options of a webhook.
struct BreakerPolicy {
    /// Failed attempts in a row after which the webhook opens; 0: never. At most 1,000.
    std::uint32_t failures = 10;
    /// Time of failure without a success after which it is disabled; 0: never. At most a year.
    Duration disable_after = std::chrono::hours{120};

    bool operator==(const BreakerPolicy&) const = default;
};

/// The group "breaker" of a webhook's options, from and to JSON.
[[nodiscard]] BreakerPolicy read_breaker(JsonView value, JsonView stored,
                                         std::vector<FieldError>& wrong);
void append_breaker(std::string& out, const BreakerPolicy& policy, SecretForm form);

/// Open: one probe at a time, each after a longer wait. Time is a parameter, and steady, so that a
/// jump of the wall clock neither fires nor freezes probes.
class Breaker {
public:
    using Moment = std::chrono::steady_clock::time_point;

    [[nodiscard]] bool is_open() const { return open_; }
    /// From when on the next probe may go; meaningless when closed.
    [[nodiscard]] Moment probe_at() const { return probe_at_; }

    /// Opens, with the first probe after `first_wait`. One that is open stays as it is.
    void open(Moment now, Duration first_wait);
    /// An attempt has failed while it is open: the wait doubles, from 1 s to 5 min. `random` in
    /// [0, 1) shortens it by up to a tenth, so that many webhooks do not probe together.
    void probe_failed(Moment now, double random);
    void close() { *this = {}; }

    static constexpr std::chrono::seconds shortest_wait{1};
    static constexpr std::chrono::minutes longest_wait{5};

private:
    bool open_ = false;
    Duration wait_{};
    Moment probe_at_{};
};

}  // namespace herald
