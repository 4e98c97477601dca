#include "delivery/janitor.h"

#include "base/log.h"

namespace herald {

namespace {

constexpr auto rest = std::chrono::seconds{1};
/// Between steps, so many times as long as the last one took and waited: commits come first.
constexpr int rest_for_work = 2;
constexpr std::size_t cancel_at_most = 1'000;

}  // namespace

Janitor::Janitor(boost::asio::any_io_executor executor, Store& store, Worker& writer,
                 Catalog& catalog, const Clock& clock, Retention retention)
    : store_(store),
      writer_(writer),
      catalog_(catalog),
      clock_(clock),
      retention_(retention),
      work_(executor) {}

void Janitor::start(TaskGroup& tasks) { tasks.start(run()); }

boost::asio::awaitable<void> Janitor::run() {
    for (;;) {
        const auto began = clock_.steady();
        const bool more = co_await step();
        const auto ended = clock_.steady();
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        co_await work_.wait_until(ended + (more ? (ended - began) * rest_for_work : rest));
    }
}

/// One small step for the store, and one for each removed webhook that left something pending.
boost::asio::awaitable<bool> Janitor::step() {
    const Time now = clock_.now();
    co_await catalog_.forget_old_keys();
    auto tend = [&store = store_, retention = retention_, now] {
        return store.tend(retention, now);
    };
    auto more = co_await writer_.run(std::move(tend));
    if (!more) log::error("store.tend_failed", {{"error", more.error().message}});
    bool again = more && *more;

    auto ask = [&store = store_] { return store.due(); };
    auto due = co_await writer_.run(std::move(ask));
    if (!due) co_return again;
    for (const DueWebhook& one : *due) {
        const auto webhook = catalog_.find(one.webhook);
        if (webhook && !webhook->removed) continue;
        const WebhookId id = one.webhook;
        auto cancel = [&store = store_, id, now] {
            return store.cancel_some(id, cancel_at_most, now);
        };
        auto cancelled = co_await writer_.run(std::move(cancel));
        if (cancelled && *cancelled == cancel_at_most) again = true;
    }
    co_return again;
}

}  // namespace herald
