#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "core/event.h"

namespace herald::infrahub {

/// Reads fields of an event and gathers what is wrong with them: every wrong field is named, not
/// the first only. `pointer` is a JSON pointer such as "/data".
class Fields {
public:
    void wrong(std::string pointer, std::string detail);
    [[nodiscard]] bool any_wrong() const { return !errors_.empty(); }
    [[nodiscard]] Error error() const;

    /// A name: printable ASCII without spaces, at most limits::event_type_bytes.
    std::string event_type(const std::string& pointer, std::optional<JsonView> value);
    /// A short text, or nothing for null; at most limits::label_bytes.
    std::optional<std::string> label(const std::string& pointer, JsonView value);
    std::optional<EventId> id(const std::string& pointer, JsonView value);
    std::optional<Time> time(const std::string& pointer, JsonView value);
    std::optional<std::uint32_t> level(const std::string& pointer, JsonView value);
    bool flag(const std::string& pointer, JsonView value);
    /// {"id", "kind"}; a bare text is an id.
    std::optional<NodeRef> node(const std::string& pointer, JsonView value);

private:
    std::vector<FieldError> errors_;
};

/// Adds a node unless it is there already, or is the primary one, or the bound is reached.
void add_related(Event& event, std::string id, std::string kind);

/// What the data of a known event type says about nodes: the primary node and related ones, where
/// the source did not say so itself (contract 2.1, 2.6).
void derive_nodes(Event& event, JsonView data);

/// The stored and streamed form (contract 2.6).
[[nodiscard]] Result<Event> decode_streamed(JsonView object, Event event);
/// The webhook body, and herald's own superset of it.
[[nodiscard]] Result<Event> decode_body(JsonView object, Event event);

}  // namespace herald::infrahub
