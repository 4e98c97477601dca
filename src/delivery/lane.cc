#include "delivery/lane.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "core/retry_after.h"

namespace herald {

namespace {

/// What opens within this time is worth its place in memory.
constexpr auto patience = std::chrono::seconds{1};
/// A lane with a rate holds what goes within this time.
constexpr auto rate_ahead = std::chrono::seconds{5};
/// A receiver with all requests at once keeps up when its answers take less.
constexpr auto brisk_pace = std::chrono::milliseconds{100};

/// A bite: so many requests for each millisecond that one takes. A slow receiver costs little and
/// keeps its window filled.
constexpr std::size_t smallest_bite = 16;
constexpr Duration bite_time = std::chrono::milliseconds{1};

constexpr int too_many_requests = 429;
constexpr int bad_gateway = 502;
constexpr int unavailable = 503;
constexpr int gateway_timeout = 504;

bool is_unreachable(FailureClass failure) {
    return failure == FailureClass::connection || failure == FailureClass::tls ||
           failure == FailureClass::timeout;
}

}  // namespace

LaneOrder Lane::order() const {
    if (!ordered()) return {.backlog = pacing_.backlog};
    return {.ordering = pacing_.ordering, .set_aside_after = pacing_.set_aside_after};
}

void Lane::configure(const Webhook& webhook) {
    pacing_ = webhook.pacing;
    policy_ = webhook.breaker;
    pacer_.set(pacing_.rate_limit);
}

void Lane::restore(Health health, Time now, Moment steady) {
    record.health = std::move(health);
    if (record.health.state == HealthState::failing) open(steady, Duration{0});
    const Duration left = record.health.held_until.value_or(now) - now;
    if (left <= Duration{0}) return;
    held_until_ = steady + std::min<Duration>(left, retry_after_max);
    window_.shut();
}

void Lane::give_chance(Time now, Moment steady) {
    held_until_.reset();
    record.health.held_until.reset();
    resume(record.health, now);
    if (record.health.state != HealthState::failing) return;
    breaker_.close();
    open(steady, Duration{0});
}

void Lane::open(Moment now, Duration first_wait) {
    breaker_.open(now, first_wait);
    window_.shut();
}

std::size_t Lane::most() const {
    const std::size_t size = brisk ? limits::lane_queue : limits::lane_queue_slow;
    return std::min(size, pacer_.within(rate_ahead));
}

bool Lane::has_room() const {
    if (ordered() || breaker_.is_open() || record.health.stopped()) return false;
    return load() < most() || fresh < most() / 4;
}

std::size_t Lane::claim_room(bool in_bites) const {
    if (breaker_.is_open()) return load() == 0 ? 1 : 0;
    const std::size_t size = most();
    const std::size_t claimed = load() - std::min(load(), fresh);
    if (in_bites) {
        const auto paced = static_cast<std::size_t>(pace / bite_time) * smallest_bite;
        const std::size_t bite = std::min(std::max(paced, smallest_bite), size);
        return bite - std::min(bite, claimed);
    }
    const std::size_t left = size - std::min(size, load());
    return std::max(left, size / 4 - std::min(size / 4, claimed));
}

void Lane::push(Held held) {
    const bool aside = held.attempts >= pacing_.set_aside_after;
    held.key = ordered() && !aside ? order_key(pacing_.ordering, held.event->node.id) : 0;
    const bool again = !ordered() && held.attempts > 0;
    (again ? again_ : new_).push_back(std::move(held));
}

std::size_t Lane::most_at_once() const {
    return breaker_.is_open() ? 1 : std::min<std::size_t>(window_.size(), pacing_.max_in_flight);
}

bool Lane::can_send() const {
    if (flying >= most_at_once()) return false;
    if (busy_keys_.empty()) return queued() > 0;
    return !again_.empty() || next_in_order() != new_.end();
}

/// The first that waits for none of those on their way.
std::deque<Held>::const_iterator Lane::next_in_order() const {
    return std::ranges::find_if(new_, [this](const Held& held) {
        return held.key == 0 || std::ranges::find(busy_keys_, held.key) == busy_keys_.end();
    });
}

Held Lane::take(Moment now) {
    pacer_.take(now);
    ++flying;
    const bool again = !again_.empty() && (again_next_ || new_.empty());
    again_next_ = !again;
    std::deque<Held>& from = again ? again_ : new_;
    const auto next = again || busy_keys_.empty() ? from.cbegin() : next_in_order();
    const auto at = from.begin() + (next - from.cbegin());
    Held held = std::move(*at);
    if (at == from.begin()) {
        from.pop_front();
    } else {
        from.erase(at);
    }
    if (held.key != 0) busy_keys_.push_back(held.key);
    return held;
}

void Lane::landed(const Held& held) {
    --flying;
    const auto at = std::ranges::find(busy_keys_, held.key);
    if (held.key != 0 && at != busy_keys_.end()) busy_keys_.erase(at);
}

std::vector<Held> Lane::take_all() {
    std::vector<Held> all;
    for (std::deque<Held>* queue : {&new_, &again_}) {
        std::ranges::move(*queue, std::back_inserter(all));
        queue->clear();
    }
    return all;
}

std::vector<Held> Lane::take_key(std::uint32_t key) {
    std::vector<Held> taken;
    for (Held& held : new_) {
        if (held.key == key) taken.push_back(held);
    }
    std::erase_if(new_, [key](const Held& held) { return held.key == key; });
    return taken;
}

bool Lane::queues_key(std::uint32_t key) const {
    return std::ranges::find(new_, key, &Held::key) != new_.end();
}

bool Lane::gated() const {
    return pacer_.limited() || breaker_.is_open() || held_until_ || record.health.stopped();
}

Lane::Moment Lane::opens_at() const {
    if (record.health.stopped()) return Moment::max();
    Moment at = std::max(pacer_.next(), held_until_.value_or(Moment{}));
    if (breaker_.is_open()) at = std::max(at, breaker_.probe_at());
    return at;
}

bool Lane::shut(Moment now) const {
    const Moment at = opens_at();
    return at > now + patience || (breaker_.is_open() && at > now);
}

bool Lane::keeps_up(Duration attempt) const {
    if (ordered() || pacer_.limited()) return false;
    return attempt * limits::lane_in_flight < Duration{brisk_pace} * pacing_.max_in_flight;
}

Duration Lane::judge(const Attempt& attempt, Time now, Moment steady, double random) {
    Duration wait{0};
    if (attempt.status == too_many_requests || attempt.status == unavailable) {
        wait = retry_after(attempt.response_headers, now).value_or(Duration{0});
    }
    if (held_until_ && *held_until_ <= steady) {
        held_until_.reset();
        record.health.held_until.reset();
    }
    if (wait > Duration{0} && held_until_.value_or(Moment{}) < steady + wait) {
        held_until_ = steady + wait;
        record.health.held_until = now + wait;
    }
    note_window(attempt, wait > Duration{0});
    note_attempt(record.health, policy_, attempt, now);
    if (record.health.state == HealthState::healthy) {
        breaker_.close();
    } else if (!breaker_.is_open()) {
        open(steady, Breaker::shortest_wait);
    } else if (!attempt.outcome.ok()) {
        breaker_.probe_failed(steady, random);
    }
    return wait;
}

void Lane::note_window(const Attempt& attempt, bool asked_to_wait) {
    const int status = attempt.status;
    if (attempt.outcome.ok()) {
        window_.succeeded(pacing_.max_in_flight);
    } else if (asked_to_wait) {
        window_.shut();
    } else if (is_unreachable(attempt.outcome.failure)) {
        window_.failed();
    } else if (status == bad_gateway || status == gateway_timeout || status == too_many_requests ||
               status == unavailable) {
        window_.pushed_back(flying);
    }
}

bool Lane::holds_up(const Held& held, const Attempt& attempt) const {
    return held.key != 0 && attempt.number < pacing_.set_aside_after;
}

}  // namespace herald
