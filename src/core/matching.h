#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/conditions.h"
#include "core/health.h"
#include "core/webhook.h"

namespace herald {

/// Whether the webhook's filter and conditions let the event through. Whether it is active is not
/// asked.
[[nodiscard]] bool wants(const Webhook& webhook, EventFacts& facts, const EventTypes& types,
                         std::string_view default_branch);

/// Every rule by which this webhook, as it is now, decides about the event, in the order in which
/// they are asked: active, event_type, branch_scope, node_kind, its conditions, and that the event
/// does not tell of the webhook itself. All of them
/// hold exactly when the webhook is active and wants the event. The reason of `active` says also
/// when its health has stopped it.
[[nodiscard]] std::vector<ConditionCheck> explain(const Webhook& webhook, const Health& health,
                                                  const Event& event, const EventTypes& types,
                                                  std::string_view default_branch);

/// How a webhook is stopped, why, and how it goes on: "it is gone: ...". For health.stopped().
[[nodiscard]] std::string why_stopped(const Health& health);

}  // namespace herald
