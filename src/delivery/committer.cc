#include "delivery/committer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "core/limits.h"

namespace herald {

/// One call that waits for its part of a commit. Lives in the caller's coroutine frame.
struct Committer::Waiter {
    explicit Waiter(const boost::asio::any_io_executor& executor) : done(executor) {}

    std::vector<NewEvent> events;
    std::optional<Redelivery> redelivery;
    JobPage page;  ///< settlements of other callers too

    std::vector<StoredEvent> stored;
    StoredRedelivery redelivered;
    StoredJobPage stored_page;
    std::optional<Error> error;
    bool finished = false;
    Signal done;
};

Committer::Committer(boost::asio::any_io_executor executor, Store& store, Worker& writer,
                     const Clock& clock, Metrics& metrics)
    : executor_(executor),
      store_(store),
      writer_(writer),
      clock_(clock),
      commits_(metrics.counter("herald_store_commits_total", "Transactions of the store.")),
      commit_seconds_(metrics.histogram("herald_store_write_seconds",
                                        "Time of one transaction with its sync to disk.")),
      work_(executor),
      drained_(executor) {}

void Committer::start(TaskGroup& tasks) { tasks.start(run()); }

boost::asio::awaitable<void> Committer::drain() {
    draining_ = true;
    work_.wake();
    while (!ended_) co_await drained_.wait();
}

boost::asio::awaitable<Result<std::vector<StoredEvent>>> Committer::append(
    std::vector<NewEvent> events) {
    const std::size_t n = events.size();
    if (draining_ || waiting_events_ + n > limits::ingest_queue_events) {
        co_return fail(Errc::busy, "too many events wait to be stored: try again in a second");
    }
    Waiter waiter(executor_);
    waiter.events = std::move(events);
    waiting_events_ += n;
    co_await wait(waiter);
    waiting_events_ -= n;
    if (waiter.error) co_return fail(std::move(*waiter.error));
    co_return std::move(waiter.stored);
}

boost::asio::awaitable<Result<StoredRedelivery>> Committer::redeliver(Redelivery redelivery) {
    Waiter waiter(executor_);
    waiter.redelivery = redelivery;
    co_await wait(waiter);
    if (waiter.error) co_return fail(std::move(*waiter.error));
    co_return std::move(waiter.redelivered);
}

boost::asio::awaitable<Result<StoredJobPage>> Committer::advance(JobPage page) {
    Waiter waiter(executor_);
    waiter.page = std::move(page);
    co_await wait(waiter);
    if (waiter.error) co_return fail(std::move(*waiter.error));
    co_return std::move(waiter.stored_page);
}

boost::asio::awaitable<Result<bool>> Committer::settle_now(Settlement settlement) {
    JobPage page;
    page.settlements.push_back(std::move(settlement));
    auto stored = co_await advance(std::move(page));
    if (!stored) co_return fail(std::move(stored.error()));
    co_return stored->settled.at(0);
}

boost::asio::awaitable<Result<DeliveryId>> Committer::merge(Merge merge) {
    Waiter waiter(executor_);
    if (merge.event) waiter.events.push_back(std::move(*merge.event));
    waiter.redelivery = merge.redelivery;
    waiter.page.settlements = std::move(merge.members);
    co_await wait(waiter);
    if (waiter.error) co_return fail(std::move(*waiter.error));
    if (merge.redelivery && waiter.redelivered.id) co_return *waiter.redelivered.id;
    if (!merge.redelivery && !waiter.stored[0].duplicate) co_return waiter.stored[0].deliveries[0];
    co_return fail(Errc::internal, "what many deliveries were merged into was not created");
}

boost::asio::awaitable<void> Committer::wait(Waiter& waiter) {
    if (ended_) {
        waiter.error = Error{Errc::unavailable, "herald is stopping", {}};
        co_return;
    }
    waiters_.push_back(&waiter);
    work_.wake();
    // The waiter is on this frame: the commit's answer must come before it goes, so a cancelled
    // caller waits on. A commit takes milliseconds.
    while (!waiter.finished) co_await waiter.done.wait();
}

void Committer::settle(Settlement settlement) {
    if (settlements_.empty()) settle_by_ = clock_.steady() + limits::settle_linger;
    settlements_.push_back(std::move(settlement));
    if (settlements_.size() == 1 || settlements_.size() >= limits::settle_batch) work_.wake();
}

boost::asio::awaitable<void> Committer::run() {
    for (;;) {
        const bool full = settlements_.size() >= limits::settle_batch && !recovering_;
        const bool lingering = waiters_.empty() && !settlements_.empty() && !draining_ && !full;
        if (lingering && clock_.steady() < settle_by_) {
            co_await work_.wait_until(settle_by_);
            continue;
        }
        if (waiters_.empty() && settlements_.empty()) {
            if (draining_) break;
            co_await work_.wait();
            continue;
        }
        co_await commit_once();
    }
    ended_ = true;
    drained_.wake();
}

boost::asio::awaitable<void> Committer::commit_once() {
    Batch batch;
    batch.now = clock_.now();
    batch.lease_until = batch.now + limits::lease;
    std::vector<Waiter*> served;
    while (!waiters_.empty() && batch.events.size() < limits::commit_events) {
        Waiter* waiter = waiters_.front();
        waiters_.pop_front();
        served.push_back(waiter);
        std::ranges::move(waiter->events, std::back_inserter(batch.events));
        if (waiter->redelivery) batch.redeliveries.push_back(*waiter->redelivery);
        JobPage& page = waiter->page;
        // Kept here: how many there are says which answers are this waiter's.
        batch.replays.insert(batch.replays.end(), page.replays.begin(), page.replays.end());
        batch.settlements.insert(batch.settlements.end(), page.settlements.begin(),
                                 page.settlements.end());
        std::ranges::move(page.jobs, std::back_inserter(batch.jobs));
        std::ranges::move(page.forgotten_jobs, std::back_inserter(batch.forgotten_jobs));
    }
    std::ranges::move(settlements_, std::back_inserter(batch.settlements));
    settlements_.clear();

    const auto began = clock_.steady();
    auto job = [&store = store_, &batch] { return store.commit(batch); };
    auto committed = co_await writer_.run(std::move(job));
    commit_seconds_.observe(std::chrono::duration<double>(clock_.steady() - began).count());
    commits_.add();

    if (committed) {
        tell_pending(batch);
    } else {
        recover(batch, served, committed.error());
    }
    recovering_ = !committed;
    answer(served, committed);
}

void Committer::tell_pending(const Batch& batch) const {
    Time due_at = Time::max();
    for (const Settlement& settlement : batch.settlements) {
        if (settlement.state == DeliveryState::pending)
            due_at = std::min(due_at, settlement.due_at);
    }
    if (due_at != Time::max() && listener_) listener_(due_at);
}

void Committer::recover(Batch& batch, const std::vector<Waiter*>& served, const Error& error) {
    log::error("store.commit_failed", {{"error", error.message}});
    // What a failed sync left on disk is unknown: stop, and let a restart read it.
    if (error.code == Errc::internal) std::abort();
    // Callers are told. Outcomes have no caller: they are kept, and tried again in a while, at the
    // end of a drain too, but then once only.
    if (draining_) return;
    std::ptrdiff_t called = 0;
    for (const Waiter* waiter : served) called += std::ssize(waiter->page.settlements);
    auto kept = std::move(batch.settlements);
    kept.erase(kept.begin(), kept.begin() + called);
    std::ranges::move(settlements_, std::back_inserter(kept));
    settlements_ = std::move(kept);
    settle_by_ = clock_.steady() + std::chrono::seconds{1};
}

void Committer::answer(const std::vector<Waiter*>& served, Result<Committed>& committed) {
    std::size_t event = 0;
    std::size_t redelivery = 0;
    std::size_t replay = 0;
    std::size_t settlement = 0;
    for (Waiter* waiter : served) {
        if (!committed) {
            waiter->error = committed.error();
        } else {
            for (std::size_t i = 0; i < waiter->events.size(); ++i) {
                waiter->stored.push_back(std::move(committed->events[event++]));
            }
            if (waiter->redelivery) {
                waiter->redelivered = std::move(committed->redeliveries[redelivery++]);
            }
            StoredJobPage& page = waiter->stored_page;
            for (std::size_t i = 0; i < waiter->page.replays.size(); ++i) {
                page.replays.push_back(committed->replays[replay++]);
            }
            for (std::size_t i = 0; i < waiter->page.settlements.size(); ++i) {
                page.settled.push_back(committed->settled[settlement++]);
            }
        }
        waiter->finished = true;
        waiter->done.wake();
    }
}

}  // namespace herald
