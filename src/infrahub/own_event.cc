#include "infrahub/own_event.h"

#include <utility>

#include "infrahub/body.h"

namespace herald::infrahub {

Event make_own_event(OwnEvent own) {
    Event event;
    event.id = EventId{Uuid::random()};
    event.type = std::move(own.type);
    event.occurred_at = own.at;
    event.received_at = own.at;
    event.source = own_source;
    event.branch = std::move(own.branch);
    event.account_id = std::move(own.account_id);
    event.node = std::move(own.node);
    event.origin = std::move(own.origin);
    const BodyParts parts{own.data,         event.id,          event.branch,
                          event.account_id, event.occurred_at, event.type};
    event.body = webhook_body(parts);
    return event;
}

}  // namespace herald::infrahub
