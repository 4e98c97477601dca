#pragma once

#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "core/delivery.h"
#include "core/event.h"
#include "core/made_request.h"

namespace herald {

/// A delivery that this process holds a lease on.
struct Held {
    DeliveryId id;
    WebhookId webhook{};
    std::uint32_t attempts = 0;  ///< made so far
    Cause cause = Cause::event;
    std::shared_ptr<const Event> event;
    bool fresh = false;  ///< from ingest, not from a claim
    std::shared_ptr<const MadeRequest> made = nullptr;  ///< what every attempt sends, once known
    std::uint32_t key = 0;  ///< what it is in order with, given by its lane; 0: nothing
};

}  // namespace herald
