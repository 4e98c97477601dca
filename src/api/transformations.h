#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// Transformations: their version is the ETag; If-Match is honoured where it is given.

boost::asio::awaitable<Answer> create_transformation(const Call& call);
boost::asio::awaitable<Answer> list_transformations(const Call& call);
boost::asio::awaitable<Answer> get_transformation(const Call& call);
boost::asio::awaitable<Answer> replace_transformation(const Call& call);
boost::asio::awaitable<Answer> patch_transformation(const Call& call);
/// Refused while webhooks use it.
boost::asio::awaitable<Answer> delete_transformation(const Call& call);

}  // namespace herald
