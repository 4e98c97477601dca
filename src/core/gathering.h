#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/event.h"
#include "core/options.h"

namespace herald {

enum class GatherMode : std::uint8_t {
    none,      ///< each event goes by itself, at once
    debounce,  ///< one delivery when nothing more came for the key
    settle,    ///< one when a root event and all that it caused has been quiet, wanted or not
};
enum class GatherKey : std::uint8_t { webhook, node, root };
enum class GatherSend : std::uint8_t {
    list,  ///< a new event whose data holds all of them
    last,  ///< the last one as it is
};
[[nodiscard]] std::string_view to_text(GatherMode mode);
[[nodiscard]] std::string_view to_text(GatherKey key);
[[nodiscard]] std::string_view to_text(GatherSend send);

/// How a webhook makes one delivery of many events (docs/gathering.md). The option group
/// `gathering`. Infrahub #4012: 24 changed interfaces of a device are one call.
struct Gathering {
    GatherMode mode = GatherMode::none;
    std::optional<GatherKey> key = {};  ///< what belongs together; nullopt: the webhook, the root
    Duration quiet = std::chrono::seconds{10};  ///< without another event of the key
    std::optional<Duration> at_most = {};  ///< from a key's first event on; nullopt: 10 x quiet
    std::uint32_t most = 100;  ///< events in one delivery
    GatherSend send = GatherSend::list;

    [[nodiscard]] bool on() const { return mode != GatherMode::none; }
    [[nodiscard]] GatherKey by() const {
        return key.value_or(mode == GatherMode::settle ? GatherKey::root : GatherKey::webhook);
    }
    [[nodiscard]] Duration longest() const { return at_most.value_or(10 * quiet); }
    bool operator==(const Gathering&) const = default;
};

[[nodiscard]] Gathering read_gathering(JsonView value, JsonView stored,
                                       std::vector<FieldError>& wrong);
void append_gathering(std::string& out, const Gathering& gathering, SecretForm form);

/// The event that all of a tree go back to: the farthest known ancestor, or the event itself.
[[nodiscard]] EventId root_of(const Event& event);
/// What the events that go together have in common, as a text: "" for the whole webhook; the node's
/// id with its branch; the root event's id. An event without a node shares its key with no other.
[[nodiscard]] std::string gather_key(GatherKey key, const Event& event);
/// The key of a root event, as gather_key() gives it for an event of its tree.
[[nodiscard]] std::string root_key(EventId root);

/// Events of one key that wait together, as the rules see them. By the steady clock.
struct Gathered {
    using Steady = std::chrono::steady_clock::time_point;
    Steady first{};
    Steady last{};
    std::size_t events = 0;
    std::size_t bytes = 0;  ///< of their bodies
};

/// When they are to be sent: quiet for long enough, or too long on the way.
[[nodiscard]] Gathered::Steady due_at(const Gathering& gathering, const Gathered& gathered);
/// Whether one more with a body of `bytes` would be too much for one delivery.
[[nodiscard]] bool is_full(const Gathering& gathering, const Gathered& gathered, std::size_t bytes);
/// When an event that is `age` old began to wait, so that at_most holds over restarts. At least one
/// quiet period is left, in which what the store gives out can come together.
[[nodiscard]] Gathered::Steady began(const Gathering& gathering, Duration age,
                                     Gathered::Steady now);

/// The type of the event that `list` makes.
inline constexpr std::string_view gathered_type = "herald.events.gathered";

/// The data of that event, a canonical JSON object: key, how many, from when to when, and the
/// bodies in the order of the activity log.
[[nodiscard]] std::string gathered_data(const Gathering& gathering,
                                        const std::vector<const Event*>& events);

}  // namespace herald
