#include "delivery/dispatcher.h"

#include <algorithm>
#include <utility>

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

}  // namespace

/// The queue of one webhook.
struct Dispatcher::Lane {
    WebhookId webhook{};
    std::deque<Held> queue;
    std::size_t reserved = 0;
    std::size_t flying = 0;
    bool turning = false;  ///< stands in ready_
    bool spilled = false;  ///< more is due in the store than there was room for

    [[nodiscard]] std::size_t load() const { return queue.size() + reserved + flying; }
    [[nodiscard]] std::size_t room() const {
        return load() < limits::lane_queue ? limits::lane_queue - load() : 0;
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
    return true;
}

void Dispatcher::unreserve(WebhookId webhook) {
    --lane(webhook).reserved;
    --open_;
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
        finish(lane);
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
        Attempt attempt = co_await sender_.attempt(held.id, held.attempts + 1, held.event, webhook);
        settlement = conclude(*webhook, held, std::move(attempt));
    }
    committer_.settle(std::move(settlement));
    held_.erase(held.id);
    flying_.erase(held.id);
    finish(lane);
}

/// What an attempt means for its delivery.
Settlement Dispatcher::conclude(const Webhook& webhook, const Held& held, Attempt attempt) {
    Settlement settlement;
    settlement.delivery = held.id;
    const Time now = clock_.now();
    if (attempt.outcome.ok()) {
        settlement.state = DeliveryState::delivered;
    } else {
        std::uniform_real_distribution<double> within_jitter(0.0, 1.0);
        const auto next = next_attempt(webhook.retry, attempt.number, now, within_jitter(random_));
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
    settlement.attempt = std::move(attempt);
    count(webhook, settlement);
    return settlement;
}

void Dispatcher::finish(Lane& lane) {
    --lane.flying;
    --open_;
    in_flight_gauge_.set(static_cast<std::int64_t>(flying_.size()));
    begin(lane);
    pump();
    // Overflow waits in the store: fetch the next when half of the lane is free again.
    if (lane.load() * 2 <= limits::lane_queue && lane.spilled) look();
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
        mine.queue.push_back(
            {one.delivery.id, one.delivery.webhook, one.delivery.attempts, std::move(one.event)});
        ++open_;
        begin(mine);
    }
    pump();
}

boost::asio::awaitable<void> Dispatcher::drain(std::chrono::steady_clock::duration grace) {
    draining_ = true;
    claims_.wake();
    const auto until = clock_.steady() + grace;
    while (!flying_.empty() && clock_.steady() < until) co_await idle_.wait_until(until);
    // What was queued keeps its place in the store: the next open voids our leases.
}

void Dispatcher::count(const Webhook& webhook, const Settlement& settlement) {
    const std::string by = Metrics::label("webhook", webhook.name);
    const Attempt& attempt = *settlement.attempt;
    const std::string_view failure = attempt.outcome.ok() ? "ok" : to_text(attempt.outcome.failure);
    metrics_
        .counter("herald_delivery_attempts_total", "Attempts by how they ended.",
                 by + "," + Metrics::label("class", failure))
        .add();
    metrics_.histogram("herald_delivery_request_duration_seconds", "Time of one attempt.", by)
        .observe(std::chrono::duration<double>(attempt.took).count());
    if (!is_final(settlement.state)) return;
    const bool ok = settlement.state == DeliveryState::delivered;
    metrics_
        .counter("herald_deliveries_total", "Deliveries by how they ended.",
                 by + "," + Metrics::label("outcome", ok ? "success" : "failed"))
        .add();
}

}  // namespace herald
