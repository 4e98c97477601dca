#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace herald {

/// "Something changed": one coroutine waits, any number of events wake it. Lives on one loop
/// thread. A wake before the wait is not lost.
class Signal {
public:
    explicit Signal(const boost::asio::any_io_executor& executor);

    void wake();
    /// Ends at the next wake (or at once when one came since the last wait), at `until`, or when
    /// cancelled.
    boost::asio::awaitable<void> wait();
    boost::asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point until);

private:
    boost::asio::steady_timer timer_;
    bool awake_ = false;
};

}  // namespace herald
