#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/attempt.h"
#include "core/event.h"
#include "core/made_request.h"
#include "core/webhook.h"

namespace herald {

/// Why a transformation made nothing.
struct TransformFault {
    FailureClass failure = FailureClass::transform;  ///< or config
    std::string message;
    std::optional<std::uint32_t> line = {};    ///< of the code, from 1
    std::optional<std::uint32_t> column = {};  ///< from 1
    std::string traceback = {};  ///< the last lines of it

    bool operator==(const TransformFault&) const = default;
};
/// All of it, as an attempt's message says it.
[[nodiscard]] std::string to_text(const TransformFault& fault);

/// Turns an event into the request that a webhook's receiver needs. The third of the five doors.
/// Asked for webhooks that name a transformation, on the loop thread.
class Transform {
public:
    using Made = std::expected<MadeRequest, TransformFault>;

    virtual ~Transform() = default;
    /// Called until it made something once; that is what every attempt sends. A JSON body is
    /// canonical (base/json.h).
    virtual boost::asio::awaitable<Made> apply(const Event& event, const Webhook& webhook) = 0;
    /// What the transformation of a webhook is given as secrets: may be nowhere in what is
    /// recorded.
    [[nodiscard]] virtual std::vector<std::string> secrets(const Webhook& webhook) const = 0;
};

}  // namespace herald
