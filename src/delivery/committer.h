#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "async/worker.h"
#include "base/metrics.h"
#include "base/result.h"
#include "store/store.h"

namespace herald {

/// What one page of a job brings: all of it in one transaction, or nothing.
struct JobPage {
    std::vector<Job> jobs;
    std::vector<Uuid> forgotten_jobs;
    std::vector<Replay> replays;
    std::vector<Settlement> settlements;
};

/// What became of a page, item by item.
struct StoredJobPage {
    std::vector<std::optional<DeliveryId>> replays;
    std::vector<bool> settled;
};

/// One delivery instead of many.
struct Merge {
    std::optional<NewEvent> event;  ///< with one delivery; or
    std::optional<Redelivery> redelivery;
    std::vector<Settlement> members;
};

/// Group commit: gathers what ingest, the dispatcher and the API bring while the last transaction
/// syncs, and commits all of it in one. New events start a commit at once; settlements ride along,
/// or go alone after limits::settle_linger. Lives on the loop thread; the store works on `writer`.
class Committer {
public:
    Committer(boost::asio::any_io_executor executor, Store& store, Worker& writer,
              const Clock& clock, Metrics& metrics);

    /// Begins to commit, as a task of the group.
    void start(TaskGroup& tasks);
    /// Commits what is gathered, then ends. No call may follow.
    boost::asio::awaitable<void> drain();

    /// Stores events; ends when they are on disk. Errc::busy when too many wait: nothing of it is
    /// stored then.
    boost::asio::awaitable<Result<std::vector<StoredEvent>>> append(std::vector<NewEvent> events);
    /// Creates deliveries that repeat others; ends when they are on disk.
    boost::asio::awaitable<Result<StoredRedelivery>> redeliver(Redelivery redelivery);
    /// Stores a page of a job; ends when it is on disk.
    boost::asio::awaitable<Result<StoredJobPage>> advance(JobPage page);
    /// Settles and waits until it is on disk; whether the delivery was still pending.
    boost::asio::awaitable<Result<bool>> settle_now(Settlement settlement);
    /// Creates a delivery, by an event or by a redelivery, and settles those that are merged into
    /// it: all of it, or nothing. Ends when it is on disk, with the new delivery's id.
    boost::asio::awaitable<Result<DeliveryId>> merge(Merge merge);
    /// Settles with the next commit. If that fails, the delivery is repeated later with the same
    /// id: at least once.
    void settle(Settlement settlement);

    /// What to call on the loop thread when settlements that leave deliveries pending are on disk,
    /// with the earliest of their due times: only then can they be claimed.
    void on_pending(std::function<void(Time due_at)> listener) { listener_ = std::move(listener); }

    [[nodiscard]] std::size_t waiting_events() const { return waiting_events_; }

private:
    struct Waiter;
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> commit_once();
    void recover(Batch& batch, const std::vector<Waiter*>& served, const Error& error);
    void tell_pending(const Batch& batch) const;
    static void answer(const std::vector<Waiter*>& served, Result<Committed>& committed);
    boost::asio::awaitable<void> wait(Waiter& waiter);

    const boost::asio::any_io_executor executor_;
    Store& store_;
    Worker& writer_;
    const Clock& clock_;
    Counter& commits_;
    Histogram& commit_seconds_;
    Signal work_;
    Signal drained_;
    std::function<void(Time)> listener_;
    std::deque<Waiter*> waiters_;
    std::vector<Settlement> settlements_;
    std::chrono::steady_clock::time_point settle_by_{};
    std::size_t waiting_events_ = 0;
    bool recovering_ = false;  ///< the last commit failed
    bool draining_ = false;
    bool ended_ = false;
};

}  // namespace herald
