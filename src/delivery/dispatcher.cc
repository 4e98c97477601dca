#include "delivery/dispatcher.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "core/limits.h"
#include "core/retry.h"

namespace herald {

namespace {

/// A claim gives a lane at most this many at once, so that one lane's backlog does not hold the
/// writer for long.
constexpr std::size_t claim_at_most = 256;
/// Even when nothing says so, the store is asked this often: the safety net.
constexpr auto slow_poll = std::chrono::seconds{5};
/// A receiver whose answers take less keeps up, and one that says nothing for so long does not.
constexpr auto brisk_pace = std::chrono::milliseconds{100};

}  // namespace

/// The queue of one webhook.
struct Dispatcher::Lane {
    WebhookId webhook{};
    std::deque<Held> queue;
    std::size_t reserved = 0;
    std::size_t flying = 0;
    std::size_t fresh = 0;  ///< of all these, the ones from ingest
    Health health;
    Duration pace{};        ///< what an attempt takes, smoothed
    std::chrono::steady_clock::time_point answered_at{};
    bool brisk = false;    ///< the receiver keeps up: ingest waits for it
    bool turning = false;  ///< stands in ready_
    bool spilled = false;  ///< more is due in the store than there was room for

    /// What counts the usual outcome, by the webhook's name. Looked up once.
    struct Series {
        std::string name;
        Counter* accepted = nullptr;
        Counter* delivered = nullptr;
        Histogram* seconds = nullptr;
    };
    Series series;

    [[nodiscard]] std::size_t load() const { return queue.size() + reserved + flying; }
    [[nodiscard]] std::size_t room() const {
        const std::size_t most = brisk ? limits::lane_queue : limits::lane_queue_slow;
        return load() < most ? most - load() : 0;
    }
    [[nodiscard]] bool can_send() const {
        return !queue.empty() && flying < limits::lane_in_flight;
    }
};

Dispatcher::Dispatcher(boost::asio::any_io_executor executor, Store& store, Worker& writer,
                       Catalog& catalog, Committer& committer, Sender& sender, const Clock& clock,
                       Metrics& metrics)
    : executor_(executor),
      store_(store),
      writer_(writer),
      catalog_(catalog),
      committer_(committer),
      sender_(sender),
      clock_(clock),
      metrics_(metrics),
      in_flight_gauge_(metrics.gauge("herald_deliveries_in_flight", "Requests on their way.")),
      claims_(executor),
      idle_(executor),
      room_(executor),
      random_(std::random_device{}()) {
    committer_.on_pending([this](Time due_at) { look_at(due_at); });
}

Dispatcher::~Dispatcher() = default;

void Dispatcher::start(TaskGroup& tasks) {
    tasks_ = &tasks;
    tasks.start(run_claims());
}

Dispatcher::Lane& Dispatcher::lane(WebhookId webhook) {
    auto& lane = lanes_[webhook];
    if (!lane) {
        lane = std::make_unique<Lane>();
        lane->webhook = webhook;
    }
    return *lane;
}

bool Dispatcher::reserve(WebhookId webhook) {
    Lane& mine = lane(webhook);
    // When many lanes are full, a lane that holds nothing still gets its first one through.
    const bool crowded = open_ >= limits::open_in_memory && mine.load() > 0;
    if (draining_ || crowded || mine.room() == 0) {
        mine.spilled = true;
        return false;
    }
    ++mine.reserved;
    ++open_;
    owe(mine, 1);
    return true;
}

void Dispatcher::unreserve(WebhookId webhook) {
    Lane& mine = lane(webhook);
    --mine.reserved;
    --open_;
    owe(mine, -1);
}

boost::asio::awaitable<void> Dispatcher::wait_for_room() {
    while (owes_too_much()) {
        in_debt_ = true;
        if (std::chrono::steady_clock::now() >= room_.expiry()) {
            doubt_lanes();
            room_.expires_after(brisk_pace);
            continue;
        }
        co_await room_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
}

void Dispatcher::owe(Lane& lane, std::ptrdiff_t more) {
    lane.fresh += static_cast<std::size_t>(more);
    if (lane.brisk) debt_ += static_cast<std::size_t>(more);
    if (!in_debt_ || (debt_ * 2 > limits::ingest_debt && !draining_)) return;
    in_debt_ = false;
    room_.cancel();
}

void Dispatcher::set_brisk(Lane& lane, bool brisk) {
    if (lane.brisk == brisk) return;
    lane.brisk = brisk;
    debt_ = brisk ? debt_ + lane.fresh : debt_ - lane.fresh;
}

/// Ingest has waited for some time: whoever answers nothing any more is not worth it.
void Dispatcher::doubt_lanes() {
    const auto now = clock_.steady();
    for (const auto& [webhook, lane] : lanes_) {
        if (now - lane->answered_at > brisk_pace) set_brisk(*lane, false);
    }
}

void Dispatcher::note_pace(Lane& lane, const Attempt& attempt) {
    lane.pace += (attempt.took - lane.pace) / 8;
    lane.answered_at = clock_.steady();
    set_brisk(lane, attempt.outcome.ok() && lane.pace < brisk_pace);
}

Health Dispatcher::health(WebhookId webhook) const {
    const auto found = lanes_.find(webhook);
    return found == lanes_.end() ? Health{} : found->second->health;
}

void Dispatcher::note_health(Lane& lane, const Webhook& webhook, const Attempt& attempt) {
    const HealthState before = lane.health.state;
    const Health former =
        attempt.outcome.ok() && before == HealthState::healthy ? Health{} : lane.health;
    note_attempt(lane.health, BreakerPolicy{}, attempt, clock_.now());
    if (lane.health.state == before || !health_listener_) return;
    health_listener_(webhook, former, lane.health);
}

void Dispatcher::offer(Held held) {
    Lane& mine = lane(held.webhook);
    --mine.reserved;
    held_.insert(held.id);
    mine.queue.push_back(std::move(held));
    begin(mine);
    pump();
}

boost::asio::awaitable<Result<bool>> Dispatcher::cancel(DeliveryId id) {
    Settlement settlement;
    settlement.delivery = id;
    settlement.state = DeliveryState::cancelled;
    settlement.due_at = clock_.now();
    auto settled = co_await committer_.settle_now(std::move(settlement));
    // What waits in a lane is dropped when its turn comes.
    if (settled && *settled && !flying_.contains(id)) held_.erase(id);
    co_return settled;
}

void Dispatcher::look() { look_at(Time{}); }

void Dispatcher::look_at(Time due_at) {
    wake_at_ = std::min(wake_at_.value_or(Time::max()), due_at);
    claims_.wake();
}

void Dispatcher::begin(Lane& lane) {
    if (lane.turning || !lane.can_send()) return;
    lane.turning = true;
    ready_.push_back(&lane);
}

/// Lets deliveries go, one of each lane in turn.
void Dispatcher::pump() {
    while (!draining_ && tasks_ != nullptr && !ready_.empty() &&
           flying_.size() < limits::connections) {
        Lane& mine = *ready_.front();
        ready_.pop_front();
        mine.turning = false;
        if (!mine.can_send()) continue;
        Held held = std::move(mine.queue.front());
        mine.queue.pop_front();
        ++mine.flying;
        flying_.insert(held.id);
        in_flight_gauge_.set(static_cast<std::int64_t>(flying_.size()));
        tasks_->start(run_delivery(mine, std::move(held)));
        begin(mine);
    }
}

boost::asio::awaitable<void> Dispatcher::run_delivery(Lane& lane, Held held) {
    if (!held_.contains(held.id)) {  // cancelled while it waited
        flying_.erase(held.id);
        finish(lane, held);
        co_return;
    }
    const auto webhook = catalog_.find(held.webhook);
    Settlement settlement;
    settlement.delivery = held.id;
    if (!webhook || webhook->removed) {
        settlement.state = DeliveryState::cancelled;
    } else if (!webhook->active) {
        settlement.due_at = clock_.now();  // released: waits in the store until it is resumed
    } else {
        Attempt attempt =
            co_await sender_.attempt(held.id, held.cause, held.attempts + 1, held.event, webhook);
        settlement = conclude(lane, *webhook, held, std::move(attempt));
    }
    committer_.settle(std::move(settlement));
    held_.erase(held.id);
    flying_.erase(held.id);
    finish(lane, held);
}

/// What an attempt means for its delivery.
Settlement Dispatcher::conclude(Lane& lane, const Webhook& webhook, const Held& held,
                                Attempt attempt) {
    note_pace(lane, attempt);
    note_health(lane, webhook, attempt);
    Settlement settlement;
    settlement.delivery = held.id;
    const Time now = clock_.now();
    if (attempt.outcome.ok()) {
        settlement.state = DeliveryState::delivered;
    } else {
        std::uniform_real_distribution<double> within_jitter(0.0, 1.0);
        auto next = next_attempt(webhook.retry, attempt.number, now, within_jitter(random_));
        if (!retries(webhook.retry_on, attempt.outcome.failure)) next.reset();
        settlement.state = next ? DeliveryState::pending : DeliveryState::failed;
        settlement.due_at = next.value_or(now);
        log::info("delivery.attempt_failed",
                  {{"webhook", webhook.name},
                   {"delivery", held.id.text()},
                   {"attempt", static_cast<std::int64_t>(attempt.number)},
                   {"class", to_text(attempt.outcome.failure)},
                   {"status", static_cast<std::int64_t>(attempt.status)},
                   {"final", !next.has_value()}});
    }
    if (settlement.state == DeliveryState::failed && exhausted_listener_) {
        exhausted_listener_(webhook, held.id, *held.event, attempt);
    }
    settlement.attempt = std::move(attempt);
    count(lane, webhook, settlement);
    return settlement;
}

void Dispatcher::finish(Lane& lane, const Held& held) {
    --lane.flying;
    --open_;
    if (held.fresh) owe(lane, -1);
    in_flight_gauge_.set(static_cast<std::int64_t>(flying_.size()));
    begin(lane);
    pump();
    // Overflow waits in the store: fetch the next when half of the lane is free again.
    if (lane.load() <= lane.room() && lane.spilled) look();
    if (draining_) idle_.wake();
}

boost::asio::awaitable<void> Dispatcher::run_claims() {
    while (!draining_) {
        auto next = co_await claim_round();
        const Time now = clock_.now();
        const Time wake = std::min(wake_at_.value_or(Time::max()), next.value_or(Time::max()));
        const auto wait = std::clamp<Duration>(wake == Time::max() ? slow_poll : wake - now,
                                               Duration{0}, slow_poll);
        // A steady wait: a jump of the wall clock shifts it by one slow poll at most.
        const auto until = clock_.steady() + wait;
        if (wait > Duration{0}) co_await claims_.wait_until(until);
    }
}

/// Claims what is due for lanes with room; when to look again.
boost::asio::awaitable<std::optional<Time>> Dispatcher::claim_round() {
    wake_at_.reset();
    auto ask = [&store = store_] { return store.due(); };
    auto due = co_await writer_.run(std::move(ask));
    if (!due) {
        log::error("store.due_failed", {{"error", due.error().message}});
        co_return clock_.now() + std::chrono::seconds{1};
    }
    const Time now = clock_.now();
    std::optional<Time> next;
    std::vector<LaneRoom> rooms;
    std::size_t left = limits::open_in_memory - std::min(open_, limits::open_in_memory);
    for (const DueWebhook& one : *due) {
        if (one.due_at > now) {
            next = std::min(next.value_or(Time::max()), one.due_at);
            continue;
        }
        const auto webhook = catalog_.find(one.webhook);
        if (!webhook || webhook->removed || !webhook->active) continue;
        Lane& mine = lane(one.webhook);
        // As in reserve(): when many lanes are full, an empty one still gets its first one through.
        const std::size_t most = mine.load() == 0 ? std::max<std::size_t>(left, 1) : left;
        const std::size_t room = std::min({mine.room(), claim_at_most, most});
        mine.spilled = room == 0;  // finish() looks again when there is room
        if (room == 0) continue;
        rooms.push_back({one.webhook, room});
        left -= std::min(room, left);
    }
    if (rooms.empty()) co_return next;
    // More may be due than was claimed now.
    next = now;
    const Time lease_until = now + limits::lease;
    auto claim = [&store = store_, now, lease_until, rooms = std::move(rooms)] {
        return store.claim(now, lease_until, rooms);
    };
    auto claimed = co_await writer_.run(std::move(claim));
    if (!claimed) {
        log::error("store.claim_failed", {{"error", claimed.error().message}});
        co_return clock_.now() + std::chrono::seconds{1};
    }
    take(*claimed);
    co_return next;
}

void Dispatcher::take(std::vector<Claimed>& claimed) {
    for (Claimed& one : claimed) {
        // Held here already: its lease ran out while it waited, and the claim has renewed it.
        if (!held_.insert(one.delivery.id).second) continue;
        Lane& mine = lane(one.delivery.webhook);
        const Delivery& due = one.delivery;
        mine.queue.push_back({due.id, due.webhook, due.attempts, due.cause, std::move(one.event)});
        ++open_;
        begin(mine);
    }
    pump();
}

boost::asio::awaitable<void> Dispatcher::drain(std::chrono::steady_clock::duration grace) {
    draining_ = true;
    room_.cancel();
    claims_.wake();
    const auto until = clock_.steady() + grace;
    while (!flying_.empty() && clock_.steady() < until) co_await idle_.wait_until(until);
    // What was queued keeps its place in the store: the next open voids our leases.
}

void Dispatcher::count(Lane& lane, const Webhook& webhook, const Settlement& settlement) {
    constexpr std::string_view attempts = "herald_delivery_attempts_total";
    constexpr std::string_view attempts_help = "Attempts by how they ended.";
    constexpr std::string_view deliveries = "herald_deliveries_total";
    constexpr std::string_view deliveries_help = "Deliveries by how they ended.";
    Lane::Series& series = lane.series;
    const Attempt& attempt = *settlement.attempt;
    const auto by = [&] { return Metrics::label("webhook", webhook.name) + ","; };
    if (series.name != webhook.name) {
        series.name = webhook.name;
        series.accepted =
            &metrics_.counter(attempts, attempts_help, by() + Metrics::label("class", "ok"));
        series.delivered = &metrics_.counter(deliveries, deliveries_help,
                                             by() + Metrics::label("outcome", "success"));
        series.seconds =
            &metrics_.histogram("herald_delivery_request_duration_seconds", "Time of one attempt.",
                                Metrics::label("webhook", webhook.name));
    }
    series.seconds->observe(std::chrono::duration<double>(attempt.took).count());
    if (attempt.outcome.ok()) {
        series.accepted->add();
        series.delivered->add();
        return;
    }
    const std::string failure = Metrics::label("class", to_text(attempt.outcome.failure));
    metrics_.counter(attempts, attempts_help, by() + failure).add();
    if (settlement.state != DeliveryState::failed) return;
    const std::string outcome = Metrics::label("outcome", "failed");
    metrics_.counter(deliveries, deliveries_help, by() + outcome).add();
}

}  // namespace herald
