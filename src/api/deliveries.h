#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

boost::asio::awaitable<Answer> list_deliveries(const Call& call);
boost::asio::awaitable<Answer> get_delivery(const Call& call);
/// A new delivery of the same event to the same webhook, as that is now.
boost::asio::awaitable<Answer> retry_delivery(const Call& call);
boost::asio::awaitable<Answer> cancel_delivery(const Call& call);

/// A delivery in JSON, with what the catalogue and the dispatcher know of it.
void append_known_delivery(std::string& out, const ApiContext& api, const Delivery& delivery);

}  // namespace herald
