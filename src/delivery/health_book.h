#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/signal.h"
#include "async/task_group.h"
#include "async/worker.h"
#include "store/store.h"

namespace herald {

/// The health of a webhook, and whether the store knows it yet.
struct HealthRecord : WebhookHealth {
    bool unwritten = false;
};

/// Writes the health of webhooks down: a change of state at once, other news every few seconds and
/// all together, so that deliveries cost no writes. Lives on the loop thread.
class HealthBook {
public:
    HealthBook(const boost::asio::any_io_executor& executor, Store& store, Worker& writer);

    void start(TaskGroup& tasks) { tasks.start(run()); }
    /// There is news in the record, which must outlive the book.
    void note(HealthRecord& record, bool at_once);
    /// Writes what is not written yet. For the end: nothing else writes then.
    boost::asio::awaitable<void> flush();

private:
    boost::asio::awaitable<void> run();

    Store& store_;
    Worker& writer_;
    Signal work_;
    std::vector<HealthRecord*> unwritten_;
    bool at_once_ = false;
};

}  // namespace herald
