#pragma once

#include <string_view>
#include <vector>

#include "core/conditions.h"
#include "core/webhook.h"

namespace herald {

/// Whether the webhook's filter and conditions let the event through. Whether it is active is not
/// asked.
[[nodiscard]] bool wants(const Webhook& webhook, EventFacts& facts, const EventTypes& types,
                         std::string_view default_branch);

/// Every rule by which this webhook, as it is now, decides about the event, in the order in which
/// they are asked: active, event_type, branch_scope, node_kind, its conditions, and that the event
/// does not tell of the webhook itself. All of them
/// hold exactly when the webhook is active and wants the event.
[[nodiscard]] std::vector<ConditionCheck> explain(const Webhook& webhook, const Event& event,
                                                  const EventTypes& types,
                                                  std::string_view default_branch);

}  // namespace herald
