#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// How the process is, and what the API is.

boost::asio::awaitable<Answer> get_livez(const Call& call);
boost::asio::awaitable<Answer> get_readyz(const Call& call);
boost::asio::awaitable<Answer> get_metrics(const Call& call);
boost::asio::awaitable<Answer> get_stats(const Call& call);
boost::asio::awaitable<Answer> get_openapi(const Call& call);
boost::asio::awaitable<Answer> get_event_schema(const Call& call);

}  // namespace herald
