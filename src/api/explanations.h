#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

/// Why a webhook fires for a stored event (`?event=ID`), or which rule keeps it from that.
boost::asio::awaitable<Answer> explain_event(const Call& call);
/// The same for an event in the request's body, which is not stored.
boost::asio::awaitable<Answer> explain_body(const Call& call);
/// Webhooks that can never fire, or never have.
boost::asio::awaitable<Answer> lint_webhooks(const Call& call);

}  // namespace herald
