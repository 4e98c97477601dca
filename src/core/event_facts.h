#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/event.h"
#include "core/event_types.h"

namespace herald {

/// What an event says about one changed attribute, or about one peer of a changed relationship.
struct Change {
    std::string name;
    std::optional<JsonView> value;     ///< now; of a relationship the peer's id
    std::optional<JsonView> previous;  ///< before
};

/// An event with what its body says, for conditions. The body is looked into when somebody asks,
/// and once for all who ask. Borrows both; made for one event at a time.
class EventFacts {
public:
    EventFacts(const Event& event, const EventTypes& types)
        : event_(event), places_(types.places()) {}

    [[nodiscard]] const Event& event() const { return event_; }
    /// What expressions call `data`; null where there is none.
    [[nodiscard]] JsonView data();
    /// In the order of the body; empty: the event does not say what changed. A relationship to
    /// many stands here once for each peer added or removed.
    [[nodiscard]] const std::vector<Change>& changes();
    /// The kind of the node that an artifact was made for; empty: the event says none.
    [[nodiscard]] const std::string& target_kind();

private:
    void read_changes();
    void read_attributes();
    void read_relationships();

    const Event& event_;
    const BodyPlaces& places_;
    std::optional<JsonView> data_;
    std::optional<std::vector<Change>> changes_;
    std::optional<std::string> target_kind_;
};

}  // namespace herald
