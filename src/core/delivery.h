#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "core/attempt.h"

namespace herald {

/// In flight is not a state but a lease in the future. The numbers are stored.
enum class DeliveryState : std::uint8_t {
    pending,
    delivered,
    failed,
    cancelled,
    merged,  ///< another delivery brings its event too (docs/gathering.md)
};

[[nodiscard]] std::string_view to_text(DeliveryState state);
[[nodiscard]] std::optional<DeliveryState> parse_delivery_state(std::string_view text);
[[nodiscard]] inline bool is_final(DeliveryState state) { return state != DeliveryState::pending; }

/// Why a delivery exists. The automatic retries of one are attempts, not another cause. The numbers
/// are stored.
enum class Cause : std::uint8_t {
    event,  ///< an event came in that the webhook wanted
    retry,  ///< a person or a job repeats an earlier delivery
    test,  ///< a webhook test
    replay,  ///< a job brings an event of the activity log to a webhook
};
[[nodiscard]] std::string_view to_text(Cause cause);

/// The duty to bring one event to one webhook. Changes by settlements only.
struct Delivery {
    DeliveryId id;
    WebhookId webhook{};
    EventSeq event_seq{};
    EventId event;
    std::string event_type;
    Time created_at;
    Cause cause = Cause::event;
    std::optional<DeliveryId> redelivers;  ///< the delivery that this one repeats
    DeliveryState state = DeliveryState::pending;
    std::uint32_t attempts = 0;  ///< made so far
    Time due_at;  ///< of the next attempt; meaningless when final
    FailureClass last_failure = FailureClass::none;
    Time updated_at;

    bool operator==(const Delivery&) const = default;
};

}  // namespace herald
