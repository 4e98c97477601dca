#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace herald::infrahub {

/// The six values of a webhook body.
struct BodyParts {
    std::string_view data;  ///< canonical JSON
    const EventId& id;
    const std::optional<std::string>& branch;
    const std::optional<std::string>& account_id;
    Time occurred_at;
    std::string_view type;
};

/// The exact bytes of contract 2.4: six keys in this order, compact; the global branch is null.
[[nodiscard]] std::string webhook_body(const BodyParts& parts);

}  // namespace herald::infrahub
