#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/health.h"
#include "core/webhook.h"

namespace herald {

/// Something about a webhook that its owner should know.
struct Finding {
    enum class Kind {
        never_fires,  ///< no event can pass its filter and conditions
        never_fired,  ///< no delivery is in the log
        paused,
        disabled,  ///< by its health, as is the next
        gone,
        suspicious,  ///< a part of it has no effect, or hardly the one that was meant
    };
    Kind kind = Kind::suspicious;
    std::string message;  ///< in one sentence

    bool operator==(const Finding&) const = default;
};
[[nodiscard]] std::string_view to_text(Finding::Kind kind);

/// Whether it tells of how the webhook does now, not of how it is set.
[[nodiscard]] bool is_state(Finding::Kind kind);

/// What can be said of a webhook without looking at events.
[[nodiscard]] std::vector<Finding> lint(const Webhook& webhook, const Health& health,
                                        const EventTypes& types, std::string_view default_branch);

}  // namespace herald
