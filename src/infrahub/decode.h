#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "core/event.h"

namespace herald::infrahub {

/// Makes an Event of one canonical JSON object in any of three shapes, told apart by their keys:
/// - the webhook body (contract 2.4): "event", "data", "occured_at", "id" ...
/// - the stored and streamed form (contract 2.6): "resource", "related", "payload", "occurred"
/// - herald's own (docs/api.md, event.schema.json): the first with "occurred_at" accepted too, and
///   parent, ancestors, level, has_children, node, related, labels, origin. `id` and the time may
///   be left out: then they are made here (random; `received_at`).
/// Every error names the field and the fix. Unknown top-level fields are refused in the first and
/// third shape (a typing error there would lose data silently) and kept in the second.
[[nodiscard]] Result<Event> decode_event(JsonView object, Time received_at,
                                         std::string_view source);

/// The exact bytes of contract 2.4: six keys in order. `data` is canonical JSON. The global branch
/// shows as null.
[[nodiscard]] std::string webhook_body(const Event& event, std::string_view data);

}  // namespace herald::infrahub
