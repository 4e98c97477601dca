#include "delivery/announcer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "core/limits.h"

namespace herald {

namespace {

constexpr auto try_again = std::chrono::seconds{1};

}  // namespace

Announcer::Announcer(boost::asio::any_io_executor executor, Ingest& ingest, const Clock& clock,
                     MakeEvent make_event)
    : ingest_(ingest), clock_(clock), make_event_(std::move(make_event)), work_(executor) {}

void Announcer::start(TaskGroup& tasks) { tasks.start(run()); }

boost::asio::awaitable<void> Announcer::drain() {
    end_windows(std::chrono::steady_clock::time_point::max());
    co_await store_all();
}

void Announcer::health_changed(const Webhook& webhook, const Health& before, const Health& after) {
    if (auto told = tell_health(webhook, before, after, clock_.now())) tell(std::move(*told));
}

void Announcer::exhausted(const Webhook& webhook, DeliveryId delivery, const Event& event,
                          const Attempt& last) {
    if (is_operator_event(event)) return;
    const auto [at, is_new] = untold_.try_emplace(webhook.id);
    Untold& untold = at->second;
    untold.about.id = webhook.id;
    untold.about.uuid = webhook.uuid;
    untold.about.name = webhook.name;
    Exhaustion exhaustion{delivery,
                          event.id,
                          event.type,
                          last.number,
                          last.outcome.failure,
                          last.status,
                          last.outcome.message};
    auto now = untold.window.add(std::move(exhaustion), clock_.steady());
    if (now) tell(tell_exhausted(webhook, *now, 0, clock_.now()));
    work_.wake();
}

void Announcer::source_lost(std::string_view source, std::string_view reason) {
    tell(tell_source_lost(source, reason, clock_.now()));
}

void Announcer::tell(OwnEvent own) {
    if (queue_.size() >= limits::announcements) {
        log::warn("operator_event.dropped", {{"event", queue_.front()->type}});
        queue_.pop_front();
    }
    queue_.push_back(std::make_shared<const Event>(make_event_(std::move(own))));
    work_.wake();
}

/// Tells what the windows that end by then have kept.
void Announcer::end_windows(std::chrono::steady_clock::time_point by) {
    const auto now = clock_.steady();
    for (auto& [id, untold] : untold_) {
        const auto due = untold.window.due_at();
        if (!due || *due > by) continue;
        std::uint64_t others = 0;
        const auto last = untold.window.take(others, now);
        tell(tell_exhausted(untold.about, *last, others, clock_.now()));
    }
    std::erase_if(untold_, [&](const auto& one) { return one.second.window.is_over(now); });
}

boost::asio::awaitable<void> Announcer::run() {
    for (;;) {
        end_windows(clock_.steady());
        const bool stored = co_await store_all();
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        auto until =
            stored ? std::chrono::steady_clock::time_point::max() : clock_.steady() + try_again;
        for (const auto& [id, untold] : untold_) {
            until = std::min(until, untold.window.due_at().value_or(until));
        }
        co_await work_.wait_until(until);
    }
}

/// False: the store takes nothing now.
boost::asio::awaitable<bool> Announcer::store_all() {
    while (!queue_.empty()) {
        const auto batch = std::exchange(queue_, {});
        std::vector<std::shared_ptr<const Event>> events{batch.begin(), batch.end()};
        auto stored = co_await ingest_.submit(std::move(events));
        if (stored) continue;
        log::warn("operator_event.not_stored", {{"error", stored.error().message}});
        queue_.insert(queue_.begin(), batch.begin(), batch.end());
        co_return false;
    }
    co_return true;
}

}  // namespace herald
