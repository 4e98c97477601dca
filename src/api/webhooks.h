#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// Webhooks: their version is the ETag; If-Match is honoured where it is given.

boost::asio::awaitable<Answer> create_webhook(const Call& call);
boost::asio::awaitable<Answer> list_webhooks(const Call& call);
boost::asio::awaitable<Answer> get_webhook(const Call& call);
boost::asio::awaitable<Answer> replace_webhook(const Call& call);
boost::asio::awaitable<Answer> patch_webhook(const Call& call);
boost::asio::awaitable<Answer> delete_webhook(const Call& call);
/// Sends a sample event to this webhook only.
boost::asio::awaitable<Answer> test_webhook(const Call& call);

}  // namespace herald
