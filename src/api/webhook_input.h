#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "core/event_types.h"
#include "core/webhook.h"

namespace herald {

// A webhook as a caller writes it. A member that is null counts as left out, but for shared_key,
// where it means "none". The error names every wrong member by its pointer (Errc::invalid).

/// A new webhook; what is left out has its default.
[[nodiscard]] Result<Webhook> read_new_webhook(JsonView input, const EventTypes& types);

/// PUT: all but the key is as `input` says; what is left out has its default. A secret that the
/// API masked may come back masked and stays as it is: header values, the URL, and the shared key
/// by leaving it out. Read-only members must be as in `shown`, the stored webhook's answer.
[[nodiscard]] Result<Webhook> read_replacement(JsonView input, const Webhook& stored,
                                               JsonView shown, const EventTypes& types);

/// PATCH (RFC 7396): what is left out stays, what is null gets its default. Masks as in PUT; no
/// read-only members. `retry` is one value and replaced as a whole, but for `jitter`.
[[nodiscard]] Result<Webhook> read_patch(JsonView input, const Webhook& stored,
                                         const EventTypes& types);

}  // namespace herald
