#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// As EventType::fixed_branch: whatever the default branch is called.
inline constexpr std::string_view the_default_branch = "-default-";

/// What a catalogue knows of an event type.
struct EventType {
    std::string_view name;
    bool carries_kind;  ///< events of this type may be filtered by node kind (contract 1.5)
    /// The branch label that its events always carry (contract 2.7): "" unknown or any,
    /// "-global-", or the_default_branch.
    std::string_view fixed_branch;
    /// The node kind that its events always have, whatever they are about: "" unknown or any.
    std::string_view fixed_kind = {};
    bool says_changes = false;  ///< its body says which attributes and relationships changed
    bool says_target = false;   ///< its body names the kind of what it was made for (artifacts)
};

/// Where the body of an event says more than the Event does: dotted paths from the body's top,
/// and names within. Data, given by the dialect; what is empty is nowhere.
struct BodyPlaces {
    std::string_view data;           ///< what expressions call `data`
    std::string_view attributes;  ///< an object: changed attributes by name, each an object with
    std::string_view value;  ///< the value it has now, and
    std::string_view previous;  ///< the value it had
    std::string_view relationships;  ///< an object: changed relationships by name, each with
    std::string_view peer;  ///< the id of the node at its other end now, and
    std::string_view previous_peer;  ///< before; or with
    std::string_view peers;  ///< a list of added and removed ones, each with `peer` and
    std::string_view peer_status;  ///< which says when it was removed
    std::string_view removed;  ///< by this word
    std::string_view changed_names;  ///< a list: names only, for events that say no more
    std::string_view target_kind;
};

/// The event types that a source is known to emit, and the prefix that a webhook's `all` stands
/// for. Data, given by the dialect of the source; unknown types are fine everywhere.
class EventTypes {
public:
    EventTypes() = default;
    /// `types` must outlive this (a constexpr table).
    EventTypes(std::string_view prefix, std::span<const EventType> types,
               const BodyPlaces& places = {})
        : prefix_(prefix), types_(types), places_(places) {}

    [[nodiscard]] std::string_view prefix() const { return prefix_; }
    [[nodiscard]] std::span<const EventType> all() const { return types_; }
    [[nodiscard]] const BodyPlaces& places() const { return places_; }
    [[nodiscard]] const EventType* find(std::string_view name) const;
    /// Whether any known type that `pattern` (a name or a glob) matches carries a node kind.
    /// `all` is no pattern here: see Filter.
    [[nodiscard]] bool carries_kind(std::string_view pattern) const;

private:
    std::string_view prefix_;
    std::span<const EventType> types_;
    BodyPlaces places_;
};

/// `*` any run of characters, `?` one character, the rest as it is. Linear time in practice
/// (one backtracking point), case-sensitive.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);
[[nodiscard]] bool is_glob(std::string_view pattern);

}  // namespace herald
