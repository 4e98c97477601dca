#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "core/event.h"
#include "core/webhook.h"

namespace herald {

/// What a transformation made: canonical JSON (base/json.h).
struct Body {
    std::string text;
};

/// Turns an event into the body that a webhook's receiver needs. The third of the five doors.
/// Called once a delivery on the loop thread; what it returns is sent by every attempt.
/// An Error is recorded as an attempt of class CONFIG with the Error's message.
class Transform {
public:
    virtual ~Transform() = default;
    virtual boost::asio::awaitable<Result<Body>> apply(const Event& event,
                                                       const Webhook& webhook) = 0;
};

}  // namespace herald
