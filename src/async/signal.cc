#include "async/signal.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace herald {

Signal::Signal(const boost::asio::any_io_executor& executor) : timer_(executor) {}

void Signal::wake() {
    awake_ = true;
    timer_.cancel();
}

boost::asio::awaitable<void> Signal::wait() {
    return wait_until(std::chrono::steady_clock::time_point::max());
}

boost::asio::awaitable<void> Signal::wait_until(std::chrono::steady_clock::time_point until) {
    if (!awake_) {
        timer_.expires_at(until);
        co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    awake_ = false;
}

}  // namespace herald
