#pragma once

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "async/worker.h"
#include "delivery/catalog.h"
#include "store/store.h"

namespace herald {

/// Keeps the store in shape, in small steps between commits: sealing, retention, and cancelling
/// what is pending for removed webhooks. Lives on the loop thread.
class Janitor {
public:
    Janitor(boost::asio::any_io_executor executor, Store& store, Worker& writer, Catalog& catalog,
            const Clock& clock, Retention retention);

    void start(TaskGroup& tasks);
    void set_retention(Retention retention) { retention_ = retention; }
    /// There may be something to do.
    void look() { work_.wake(); }

private:
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<bool> step();

    Store& store_;
    Worker& writer_;
    Catalog& catalog_;
    const Clock& clock_;
    Retention retention_;
    Signal work_;
};

}  // namespace herald
