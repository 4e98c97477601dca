#include "core/delivery.h"

#include <algorithm>
#include <array>

namespace herald {

namespace {

constexpr std::array all_states{DeliveryState::pending, DeliveryState::delivered,
                                DeliveryState::failed, DeliveryState::cancelled,
                                DeliveryState::merged};

}  // namespace

std::string_view to_text(DeliveryState state) {
    switch (state) {
        case DeliveryState::pending: return "pending";
        case DeliveryState::delivered: return "delivered";
        case DeliveryState::failed: return "failed";
        case DeliveryState::cancelled: return "cancelled";
        case DeliveryState::merged: return "merged";
    }
    return "";
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
    const auto found =
        std::ranges::find(all_states, text, [](DeliveryState s) { return to_text(s); });
    if (found == all_states.end()) return std::nullopt;
    return *found;
}

std::string_view to_text(Cause cause) {
    switch (cause) {
        case Cause::event: return "event";
        case Cause::retry: return "retry";
        case Cause::test: return "test";
        case Cause::replay: return "replay";
    }
    return "";
}

}  // namespace herald
