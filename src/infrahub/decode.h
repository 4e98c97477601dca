#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "core/event.h"

namespace herald::infrahub {

/// Makes an Event of one canonical JSON object in any of three shapes, told apart by their keys:
/// - the webhook body (contract 2.4): "event", "data", "occured_at", "id" ...
/// - the stored and streamed form (contract 2.6): "resource", "related", "payload", "occurred"
/// - herald's own (docs/api.md, event.schema.json): the first with "occurred_at" accepted too, and
///   parent, ancestors, level, has_children, node, related_nodes, labels, origin. `id` and the
///   time may be left out: then they are made here (random; `received_at`).
/// A branch of null is the global one (contract 8.5); without the key the event has no branch.
/// Every error names the field and the fix. Unknown top-level fields are refused in the first and
/// third shape (a typing error there would lose data silently) and ignored in the second.
[[nodiscard]] Result<Event> decode_event(JsonView object, Time received_at,
                                         std::string_view source);

}  // namespace herald::infrahub
