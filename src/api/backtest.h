#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

/// What a webhook, stored or not, would have sent for the events in the activity log.
boost::asio::awaitable<Answer> backtest_webhook(const Call& call);

}  // namespace herald
