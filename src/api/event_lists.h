#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// The activity log and the catalogue of event types.

boost::asio::awaitable<Answer> list_events(const Call& call);
boost::asio::awaitable<Answer> get_event(const Call& call);
boost::asio::awaitable<Answer> list_event_types(const Call& call);
boost::asio::awaitable<Answer> get_event_sample(const Call& call);

}  // namespace herald
