#pragma once

#include "transform/transform.h"

namespace herald {

/// The transform of a webhook that has none: the event's body as it was made at ingest.
class EventBody final : public Transform {
public:
    boost::asio::awaitable<Result<Body>> apply(const Event& event, const Webhook& webhook) override;
};

}  // namespace herald
