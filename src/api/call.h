#pragma once

#include <set>
#include <string>

#include "api/api.h"
#include "api/auth.h"
#include "api/problem.h"

namespace herald {

/// What all handlers share. Lives on the loop thread.
struct ApiContext {
    ApiParts parts;
    Auth auth;
    bool ready = false;
    std::set<std::string> keys_in_progress = {};  ///< Idempotency-Keys of requests in hand
};

/// One request on its way through a handler. Lives in the frame of Api::handle, so handlers borrow
/// it.
struct Call {
    ApiContext& api;
    const ServerRequest& request;
    std::string parameter = {};  ///< what stands for "{}" in the route's path, decoded
};

}  // namespace herald
