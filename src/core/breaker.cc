#include "core/breaker.h"

#include <algorithm>

namespace herald {

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
