#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "core/attempt.h"

namespace herald {

/// When a failed delivery is tried again.
struct RetryPolicy {
    /// delays[n] is the wait before attempt n + 1; the first is 0. So their number is the number of
    /// attempts.
    std::vector<Duration> delays;
    /// Each wait is drawn evenly from [delay * (1 - jitter), delay * (1 + jitter)]; 0 to 1.
    double jitter = 0.1;

    bool operator==(const RetryPolicy&) const = default;

    [[nodiscard]] std::uint32_t attempts() const {
        return static_cast<std::uint32_t>(delays.size());
    }
};

/// "standard": 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks
/// 1.0.0). "infrahub": 4 attempts, 120 s apart, no jitter (contract 5.1). "none": one attempt.
[[nodiscard]] std::optional<RetryPolicy> retry_preset(std::string_view name);
/// The name of the preset that equals the policy, or empty.
[[nodiscard]] std::string_view preset_name(const RetryPolicy& policy);
[[nodiscard]] RetryPolicy default_retry();

/// When to make the next attempt after `made` attempts, the last of which ended at `now`;
/// nullopt: none is left. `random` in [0, 1) chooses within the jitter.
[[nodiscard]] std::optional<Time> next_attempt(const RetryPolicy& policy, std::uint32_t made,
                                               Time now, double random);

/// Whether a failure of this class is tried again.
[[nodiscard]] bool retries(const std::vector<FailureClass>& retry_on, FailureClass failure);
/// Whether this status says "later", whatever the classes: 429 (too many requests) and 410 (the
/// webhook is paused, and what is pending waits for a person).
[[nodiscard]] constexpr bool means_later(int status) { return status == 429 || status == 410; }
/// Every class of failure.
[[nodiscard]] std::vector<FailureClass> all_failures();
/// "retry_on" of a webhook: an array of class names; null: every class. Wrong ones are added to
/// `wrong` under `pointer`.
[[nodiscard]] std::vector<FailureClass> read_retry_classes(JsonView value,
                                                           const std::string& pointer,
                                                           std::vector<FieldError>& wrong);
void append_retry_classes(std::string& out, const std::vector<FailureClass>& retry_on);

/// The error names every field that is wrong: "/retry/delays/3", "/retry/jitter".
[[nodiscard]] Result<> validate(const RetryPolicy& policy);

}  // namespace herald
