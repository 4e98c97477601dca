#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// 16 bytes, compared as bytes. Text form: lower case, dashed.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Uuid&) const = default;

    /// The dashed form or 32 bare digits, any case.
    [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
    /// Random (version 4).
    [[nodiscard]] static Uuid random();
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
};

/// The id that its source gave an event.
struct EventId : Uuid {
    auto operator<=>(const EventId&) const = default;
};

/// An event's place in the activity log: grows by one with each event stored, from 1, without
/// gaps a reader could see. Pages of the log are ordered by it.
enum class EventSeq : std::uint64_t {};

/// A webhook's number within its store, from 1, never reused. The id that people see is
/// Webhook::uuid.
enum class WebhookId : std::uint32_t {};

/// A delivery's id. `seq` is its place in the store; `salt` makes it unique among all stores
/// and hard to guess. In text "msg_" and 32 hex digits, which is the webhook-id header of
/// every attempt (contract 4).
struct DeliveryId {
    std::uint64_t seq = 0;
    std::uint64_t salt = 0;

    auto operator<=>(const DeliveryId&) const = default;

    [[nodiscard]] static std::optional<DeliveryId> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
};

}  // namespace herald

template <>
struct std::hash<herald::Uuid> {
    std::size_t operator()(const herald::Uuid& id) const noexcept {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, id.bytes.data(), 8);
        std::memcpy(&b, id.bytes.data() + 8, 8);
        return static_cast<std::size_t>((a ^ (b * 0x9E3779B97F4A7C15ULL)) * 0xFF51AFD7ED558CCDULL);
    }
};
template <>
struct std::hash<herald::EventId> : std::hash<herald::Uuid> {};
template <>
struct std::hash<herald::DeliveryId> {
    std::size_t operator()(const herald::DeliveryId& id) const noexcept {
        return static_cast<std::size_t>(id.seq * 0x9E3779B97F4A7C15ULL);
    }
};
