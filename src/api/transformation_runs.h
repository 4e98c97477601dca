#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// Dry runs: what a transformation makes of an event. Nothing is stored or sent.

/// Of a stored transformation.
boost::asio::awaitable<Answer> run_transformation(const Call& call);
/// Of one that comes with the request.
boost::asio::awaitable<Answer> run_unsaved(const Call& call);

}  // namespace herald
