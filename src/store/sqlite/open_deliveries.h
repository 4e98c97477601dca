#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/store.h"

namespace herald::sqlite {

/// What is kept in memory of a delivery that is not final.
struct OpenDelivery {
    EventSeq event{};
    Time next;  ///< when it may be taken in hand: it is due, or its lease ends
    WebhookId webhook{};
    std::uint16_t attempts = 0;
    FailureClass last_failure = FailureClass::none;
    bool leased = false;
};

/// Every pending delivery of the store, and which of them is due next for each webhook. About 100
/// bytes for each: a million fit into 100 MB. Derived data: rebuilt when the store is opened.
class OpenDeliveries {
public:
    /// Adds or changes one.
    void put(std::uint64_t seq, const OpenDelivery& delivery);
    void erase(std::uint64_t seq);
    [[nodiscard]] const OpenDelivery* find(std::uint64_t seq) const;
    [[nodiscard]] std::size_t size() const { return open_.size(); }

    [[nodiscard]] std::vector<DueWebhook> due();
    /// The first `room` of a webhook whose `next` has come, those due first first. They stay as
    /// they are: put() leases them.
    [[nodiscard]] std::vector<std::uint64_t> due(WebhookId webhook, Time now, std::size_t room);
    /// At most `limit` of a webhook that nobody has in hand.
    [[nodiscard]] std::vector<std::uint64_t> idle(WebhookId webhook, Time now, std::size_t limit);
    /// Whether one lies in [first, last], or is for an event in [first_event, last_event].
    [[nodiscard]] bool any_in(std::uint64_t first, std::uint64_t last, std::uint64_t first_event,
                              std::uint64_t last_event) const;

private:
    /// When a delivery's turn comes. Void when the delivery is gone or has another `next` by now;
    /// such entries go when they come up, or when they are too many.
    struct Turn {
        Time next;
        std::uint64_t seq = 0;
        auto operator<=>(const Turn&) const = default;
    };
    struct Lane {
        std::vector<Turn> turns;  ///< a heap, the earliest on top
        std::size_t pending = 0;
    };

    [[nodiscard]] bool holds(const Turn& turn) const;
    void drop_void(Lane& lane) const;
    static void push(Lane& lane, Turn turn);
    static void pop(Lane& lane);

    std::unordered_map<std::uint64_t, OpenDelivery> open_;
    std::unordered_map<WebhookId, Lane> lanes_;
};

}  // namespace herald::sqlite
