#include "core/breaker.h"

#include <algorithm>

namespace herald {

namespace {

constexpr std::int64_t most_failures = 1'000;
constexpr std::chrono::days longest_failure{365};

}  // namespace

BreakerPolicy read_breaker(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/breaker", stored, wrong);
    BreakerPolicy policy;
    policy.failures =
        static_cast<std::uint32_t>(reader.number("failures", policy.failures, 0, most_failures));
    policy.disable_after =
        reader.duration("disable_after", policy.disable_after, Duration{0}, longest_failure);
    reader.finish();
    return policy;
}

void append_breaker(std::string& out, const BreakerPolicy& policy, SecretForm form) {
    OptionWriter writer(out, form);
    writer.number("failures", policy.failures);
    writer.duration("disable_after", policy.disable_after);
    writer.finish();
}

void Breaker::open(Moment now, Duration first_wait) {
    if (open_) return;
    open_ = true;
    wait_ = shortest_wait;
    probe_at_ = now + first_wait;
}

void Breaker::probe_failed(Moment now, double random) {
    // Requests that were on their way when it opened are no probes.
    if (now < probe_at_) return;
    wait_ = std::min<Duration>(2 * wait_, longest_wait);
    probe_at_ = now + std::chrono::duration_cast<Duration>(wait_ * (1.0 - random / 10.0));
}

}  // namespace herald
