#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace herald {

/// The branch label of events that belong to no branch (contract 2.1).
inline constexpr std::string_view global_branch = "-global-";

/// An object that an event is about or touches.
struct NodeRef {
    std::string id;
    std::string kind;  ///< may be empty when the source does not say

    bool operator==(const NodeRef&) const = default;
};

/// An event that led to this one, nearest first.
struct Ancestor {
    EventId id;
    std::string type;

    bool operator==(const Ancestor&) const = default;
};

/// Something that happened. Immutable once stored. Made by the decoder of a dialect, which
/// has checked every bound of core/limits.h.
struct Event {
    EventId id;
    std::string type;  ///< such as "shop.order.paid"
    Time occurred_at;
    Time received_at;
    std::string source;                 ///< "api", or the name of a configured source
    std::optional<std::string> branch;  ///< the branch label; nullopt: the event has none
    std::optional<std::string> account_id;
    NodeRef node;  ///< the primary node; empty id: none
    std::vector<NodeRef> related;
    std::optional<EventId> parent;
    std::vector<Ancestor> ancestors;
    std::uint32_t level = 0;
    bool has_children = false;
    std::string origin;  ///< "live", "merge" ..., or empty

    /// The exact bytes that a standard webhook sends (contract 2.4). Made once, here, so that
    /// every delivery signs and sends the same.
    std::string body;
    /// Canonical JSON object of what the source said beyond the above ("labels", "context" ...);
    /// empty when there is nothing.
    std::string extra;

    bool operator==(const Event&) const = default;
};

}  // namespace herald
