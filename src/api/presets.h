#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

// Presets: how well-known receivers are served. They are part of the program.

/// All of them by name, without their samples and what they become.
boost::asio::awaitable<Answer> list_presets(const Call& call);
/// One, with all of it.
boost::asio::awaitable<Answer> get_preset(const Call& call);

}  // namespace herald
