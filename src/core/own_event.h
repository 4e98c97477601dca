#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/event.h"

namespace herald {

/// Event::source of events that herald makes itself. No sender can use it.
inline constexpr std::string_view own_source = "herald";

/// What herald has to say of itself. A dialect makes an Event of it, with the body that receivers
/// of that dialect know.
struct OwnEvent {
    std::string type;
    std::string data;  ///< canonical JSON object
    Time at;
    std::optional<std::string> branch = std::string(global_branch);
    std::optional<std::string> account_id = {};
    NodeRef node = {};
    std::string origin = {};
};

/// Makes the event, with a fresh id.
using MakeEvent = std::function<Event(OwnEvent)>;

}  // namespace herald
