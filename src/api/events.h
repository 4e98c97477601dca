#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

/// POST /api/v1/events: one object, an array, or one object a line (application/x-ndjson).
boost::asio::awaitable<Answer> post_events(const Call& call);

}  // namespace herald
