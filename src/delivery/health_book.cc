#include "delivery/health_book.h"

#include <chrono>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/log.h"

namespace herald {

namespace {

constexpr auto pause = std::chrono::seconds{5};

}  // namespace

HealthBook::HealthBook(const boost::asio::any_io_executor& executor, Store& store, Worker& writer)
    : store_(store), writer_(writer), work_(executor) {}

void HealthBook::note(HealthRecord& record, bool at_once) {
    if (!record.unwritten) {
        record.unwritten = true;
        unwritten_.push_back(&record);
    }
    if (!at_once) return;
    at_once_ = true;
    work_.wake();
}

boost::asio::awaitable<void> HealthBook::run() {
    for (;;) {
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        if (!at_once_) co_await work_.wait_until(std::chrono::steady_clock::now() + pause);
        co_await flush();
    }
}

boost::asio::awaitable<void> HealthBook::flush() {
    at_once_ = false;
    const std::vector<HealthRecord*> records = std::exchange(unwritten_, {});
    if (records.empty()) co_return;
    std::vector<WebhookHealth> news;
    news.reserve(records.size());
    for (HealthRecord* record : records) {
        record->unwritten = false;
        news.push_back(*record);
    }
    auto job = [&store = store_, &news] { return store.put_health(news); };
    const auto written = co_await writer_.run(std::move(job));
    if (written) co_return;
    log::warn("store.health_not_written", {{"error", written.error().message}});
    for (HealthRecord* record : records) note(*record, false);
}

}  // namespace herald
