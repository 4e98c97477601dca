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
/// A receiver that says nothing for so long does not keep up.
constexpr auto doubt_after = std::chrono::milliseconds{100};

}  // namespace

Dispatcher::Dispatcher(boost::asio::any_io_executor executor, Store& store, Worker& writer,
                       Catalog& catalog, Committer& committer, Gatherer& gatherer, Sender& sender,
                       const Clock& clock, Metrics& metrics)
    : executor_(executor),
      store_(store),
      writer_(writer),
      catalog_(catalog),
      committer_(committer),
      gatherer_(gatherer),
      sender_(sender),
      clock_(clock),
      tally_(metrics),
      health_book_(executor, store, writer),
      in_flight_gauge_(metrics.gauge("herald_deliveries_in_flight", "Requests on their way.")),
      claims_(executor),
      idle_(executor),
      waits_(executor),
      room_(executor),
      random_(std::random_device{}()) {
    committer_.on_pending([this](Time due_at) { look_at(due_at); });
}

Dispatcher::~Dispatcher() = default;

boost::asio::awaitable<Result<>> Dispatcher::load() {
    auto ask = [&store = store_] { return store.health(); };
    auto stored = co_await writer_.run(std::move(ask));
    if (!stored) co_return fail(stored.error());
    for (WebhookHealth& one : *stored) {
        lane(one.webhook).restore(std::move(one.health), clock_.now(), clock_.steady());
    }
    co_return Result<>{};
}

void Dispatcher::start(TaskGroup& tasks) {
    tasks_ = &tasks;
    tasks.start(run_claims());
    tasks.start(run_waits());
    health_book_.start(tasks);
}

Lane& Dispatcher::lane(WebhookId webhook) {
    auto& lane = lanes_[webhook];
    if (!lane) {
        lane = std::make_unique<Lane>(webhook);
        if (const auto entry = catalog_.find(webhook)) lane->configure(*entry);
    }
    return *lane;
}

bool Dispatcher::reserve(WebhookId webhook) {
    Lane& mine = lane(webhook);
    // When many lanes are full, a lane that holds nothing still gets its first one through.
    const bool crowded = open_ >= limits::open_in_memory && mine.load() > 0;
    const bool shut = mine.gated() && mine.shut(clock_.steady());
    if (draining_ || crowded || shut || !mine.has_room()) {
        mine.spilled = true;
        return false;
    }
    ++mine.reserved;
    ++open_;
    courtesy_.fresh_came();
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
            room_.expires_after(doubt_after);
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
        if (now - lane->answered_at > doubt_after) set_brisk(*lane, false);
    }
}

void Dispatcher::note_pace(Lane& lane, const Attempt& attempt) {
    lane.pace += (attempt.took - lane.pace) / 8;
    lane.answered_at = clock_.steady();
    set_brisk(lane, attempt.outcome.ok() && lane.keeps_up(lane.pace));
}

Health Dispatcher::health(WebhookId webhook) const {
    const auto found = lanes_.find(webhook);
    return found == lanes_.end() ? Health{} : as_of(found->second->health(), clock_.now());
}

/// What an attempt says of its receiver. Returns how long that asks to be left alone.
Duration Dispatcher::judge(Lane& lane, const Webhook& webhook, const Attempt& attempt) {
    const Health before = lane.health();
    std::uniform_real_distribution<double> earlier(0.0, 1.0);
    const auto steady = clock_.steady();
    const Duration wait = lane.judge(attempt, clock_.now(), steady, earlier(random_));
    health_book_.note(lane.record, is_news(before, lane.health()));
    tell_health(webhook, lane, before);
    if (lane.gated() && lane.shut(steady)) {
        // It would only stand in the way of others: the store keeps it.
        release_all(lane, lane.take_all());
        put_off(lane);
    }
    return wait;
}

void Dispatcher::tell_health(const Webhook& webhook, Lane& lane, const Health& before) {
    const Health& after = lane.health();
    if (after.state == before.state) return;
    log::info(
        "webhook.health_changed",
        {{"webhook", webhook.name}, {"state", to_text(after.state)}, {"reason", after.reason}});
    if (health_listener_) health_listener_(webhook, before, after);
}

void Dispatcher::changed(const Webhook& webhook) {
    if (const auto found = lanes_.find(webhook.id); found != lanes_.end()) {
        Lane& mine = *found->second;
        const LaneOrder order = mine.order();
        const Health before = mine.health();
        mine.configure(webhook);
        if (webhook.active) {
            mine.give_chance(clock_.now(), clock_.steady());
            health_book_.note(mine.record, mine.health().state != before.state);
            tell_health(webhook, mine, before);
        }
        const bool paused = !webhook.active && !webhook.removed;
        if (paused || mine.order() != order) release_all(mine, mine.take_all());
        begin(mine);
        pump();
    }
    look();
}

void Dispatcher::offer(Held held) {
    Lane& mine = lane(held.webhook);
    --mine.reserved;
    held_.insert(held.id);
    if (mine.gated() && mine.shut(clock_.steady())) {  // it was not yet when there was room
        release_all(mine, {std::move(held)});
        return;
    }
    mine.push(std::move(held));
    begin(mine);
    pump();
}

boost::asio::awaitable<Result<bool>> Dispatcher::cancel(DeliveryId id) {
    Settlement settlement;
    settlement.delivery = id;
    settlement.state = DeliveryState::cancelled;
    settlement.due_at = clock_.now();
    auto settled = co_await committer_.settle_now(std::move(settlement));
    if (settled && *settled) {
        drop(id);
        look();  // others may have waited behind it
    }
    co_return settled;
}

void Dispatcher::drop(DeliveryId id) {
    // What waits in a lane goes when its turn comes; a request on its way is not called back.
    if (!flying_.contains(id)) held_.erase(id);
    gatherer_.forget(id);
}

void Dispatcher::overflowed(WebhookId webhook) {
    Lane& mine = lane(webhook);
    mine.spilled = true;
    if (mine.gated() && mine.shut(clock_.steady())) {
        put_off(mine);
    } else if (mine.ordered() || mine.load() <= mine.claim_room(courtesy_.gives_way())) {
        look();
    }  // otherwise finish() looks when there is room
}

void Dispatcher::look() { look_at(Time{}); }

void Dispatcher::look_at(Time due_at) {
    wake_at_ = std::min(wake_at_.value_or(Time::max()), due_at);
    claims_.wake();
}

void Dispatcher::begin(Lane& lane) {
    if (lane.turning || !lane.can_send()) return;
    if (lane.gated() && put_off(lane)) return;
    lane.turning = true;
    ready_.push_back(&lane);
}

/// Whether the lane has to wait for its time. It is woken then.
bool Dispatcher::put_off(Lane& lane) {
    const Lane::Moment at = lane.opens_at();
    if (at <= clock_.steady()) return false;
    if (at == Lane::Moment::max() || lane.wakes_at == at) return true;
    if (lane.wakes_at) waiting_.erase({*lane.wakes_at, &lane});
    lane.wakes_at = at;
    waiting_.emplace(at, &lane);
    waits_.wake();
    return true;
}

boost::asio::awaitable<void> Dispatcher::run_waits() {
    while (!draining_) {
        wake_lanes();
        if (waiting_.empty()) {
            co_await waits_.wait();
            continue;
        }
        const auto until =
            std::chrono::steady_clock::now() + (waiting_.begin()->first - clock_.steady());
        co_await waits_.wait_until(until);
    }
}

/// Those whose time has come.
void Dispatcher::wake_lanes() {
    const Lane::Moment now = clock_.steady();
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        Lane& mine = *waiting_.begin()->second;
        waiting_.erase(waiting_.begin());
        mine.wakes_at.reset();
        begin(mine);
        if (mine.spilled && mine.load() == 0) look();
    }
    pump();
}

/// Lets deliveries go, one of each lane in turn.
void Dispatcher::pump() {
    while (!draining_ && tasks_ != nullptr && !ready_.empty() &&
           flying_.size() < limits::connections) {
        Lane& mine = *ready_.front();
        ready_.pop_front();
        mine.turning = false;
        if (!mine.can_send() || (mine.gated() && put_off(mine))) continue;
        Held held = mine.take(mine.gated() ? clock_.steady() : Lane::Moment{});
        flying_.insert(held.id);
        in_flight_gauge_.set(static_cast<std::int64_t>(flying_.size()));
        tasks_->start(run_delivery(mine, std::move(held)));
        begin(mine);
    }
}

/// Gives what was not sent back to the store.
void Dispatcher::release_all(Lane& lane, const std::vector<Held>& released) {
    for (const Held& held : released) {
        --open_;
        if (held.fresh) owe(lane, -1);
        if (held_.erase(held.id) == 0) continue;  // cancelled while it waited
        Settlement settlement;
        settlement.delivery = held.id;
        settlement.due_at = clock_.now();
        committer_.settle(std::move(settlement));
        lane.spilled = true;
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
        Sender::Tried tried = co_await sender_.attempt(held, webhook);
        settlement = conclude(lane, *webhook, held, std::move(tried.attempt));
        settlement.made = std::move(tried.made);
    }
    // Before it is on disk: from then on a claim may give it out again.
    held_.erase(held.id);
    co_await settle(lane, held, std::move(settlement));
    flying_.erase(held.id);
    finish(lane, held);
}

boost::asio::awaitable<void> Dispatcher::settle(Lane& lane, const Held& held,
                                                Settlement settlement) {
    if (held.key == 0 || lane.queues_key(held.key)) {
        committer_.settle(std::move(settlement));
        co_return;
    }
    // The next of its key is in the store, and waits for this to be written.
    Settlement copy = settlement;
    const auto settled = co_await committer_.settle_now(std::move(copy));
    if (!settled) committer_.settle(std::move(settlement));
    look();
}

/// What an attempt means for its delivery.
Settlement Dispatcher::conclude(Lane& lane, const Webhook& webhook, const Held& held,
                                Attempt attempt) {
    note_pace(lane, attempt);
    const Duration wait = judge(lane, webhook, attempt);
    Settlement settlement;
    settlement.delivery = held.id;
    const Time now = clock_.now();
    if (attempt.outcome.ok()) {
        settlement.state = DeliveryState::delivered;
    } else {
        std::uniform_real_distribution<double> within_jitter(0.0, 1.0);
        auto next = next_attempt(webhook.retry, attempt.number, now, within_jitter(random_));
        const bool listed = retries(webhook.retry_on, attempt.outcome.failure);
        if (!listed && wait == Duration{0} && !means_later(attempt.status)) next.reset();
        settlement.state = next ? DeliveryState::pending : DeliveryState::failed;
        settlement.due_at = std::max(next.value_or(now), now + wait);
        if (next && lane.holds_up(held, attempt)) release_all(lane, lane.take_key(held.key));
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
    tally_.count(lane.series, webhook, settlement);
    return settlement;
}

void Dispatcher::finish(Lane& lane, const Held& held) {
    lane.landed(held);
    --open_;
    if (held.fresh) owe(lane, -1);
    in_flight_gauge_.set(static_cast<std::int64_t>(flying_.size()));
    begin(lane);
    pump();
    // Overflow waits in the store: fetch the next when half of the lane is free again.
    if (lane.spilled && lane.load() <= lane.claim_room(courtesy_.gives_way())) look();
    if (draining_) idle_.wake();
}

boost::asio::awaitable<void> Dispatcher::run_claims() {
    while (!draining_) {
        boost::asio::steady_timer rest(executor_, courtesy_.rest(clock_.steady()));
        co_await rest.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        auto next = co_await claim_round();
        const Time now = clock_.now();
        const Time wake = std::min(wake_at_.value_or(Time::max()), next.value_or(Time::max()));
        const auto wait = std::clamp<Duration>(wake == Time::max() ? slow_poll : wake - now,
                                               Duration{0}, slow_poll);
        // A steady wait: a jump of the wall clock shifts it by one slow poll at most.
        const auto until = std::chrono::steady_clock::now() + wait;
        if (wait > Duration{0}) co_await claims_.wait_until(until);
    }
}

/// Claims what is due for lanes with room; when to look again.
boost::asio::awaitable<std::optional<Time>> Dispatcher::claim_round() {
    wake_lanes();
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
        const std::size_t room = claim_room(mine, left);
        mine.spilled = room == 0;  // finish() or wake_lanes() looks again when there is room
        if (room == 0) continue;
        rooms.push_back({one.webhook, room, mine.order()});
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

std::size_t Dispatcher::claim_room(Lane& lane, std::size_t left) {
    if (lane.gated() && lane.shut(clock_.steady())) {
        put_off(lane);
        return 0;
    }
    // As in reserve(): when many lanes are full, an empty one still gets its first one through.
    if (lane.load() == 0) left = std::max<std::size_t>(left, 1);
    const std::size_t room = lane.claim_room(courtesy_.gives_way());
    return std::min({room, claim_at_most, left, gatherer_.room(lane.webhook())});
}

void Dispatcher::take(std::vector<Claimed>& claimed) {
    for (Claimed& one : claimed) {
        // Held here already: its lease ran out while it waited, and the claim has renewed it.
        const Delivery& due = one.delivery;
        if (held_.contains(due.id) || gatherer_.holds(due.id)) continue;
        Held held{due.id, due.webhook, due.attempts, due.cause, std::move(one.event)};
        held.made = std::move(one.made);
        if (!due.redelivers && gatherer_.wants(held)) {
            const Duration age = clock_.now() - held.event->received_at;
            gatherer_.add(std::move(held), age);
            continue;
        }
        held_.insert(held.id);
        Lane& mine = lane(held.webhook);
        mine.push(std::move(held));
        ++open_;
        begin(mine);
    }
    pump();
}

boost::asio::awaitable<void> Dispatcher::drain(std::chrono::steady_clock::duration grace) {
    draining_ = true;
    room_.cancel();
    claims_.wake();
    waits_.wake();
    const auto until = clock_.steady() + grace;
    while (!flying_.empty() && clock_.steady() < until) co_await idle_.wait_until(until);
    // What was queued keeps its place in the store: the next open voids our leases.
    co_await health_book_.flush();
}

}  // namespace herald
