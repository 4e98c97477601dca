#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"
#include "api/routes.h"

namespace herald {

/// Serves a request through its route's handler; with an Idempotency-Key at most once: the same
/// key with the same request gets the stored answer (Idempotency-Replayed: true), with another
/// request 422, and 409 while the first one is in hand. Only answers of success are kept, for
/// limits::idempotency_keeps, so what was refused can be corrected and sent again.
boost::asio::awaitable<Answer> serve_keyed(const Route& route, const Call& call);

}  // namespace herald
