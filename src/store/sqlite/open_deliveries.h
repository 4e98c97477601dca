#pragma once

#include <cstdint>
#include <functional>
#include <set>
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
    std::uint32_t key = 0;  ///< order_key() of its node; 0: not read yet
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
    /// The order in which due() gives out a webhook's from now on. `read_key` gives the key of one
    /// for this event, where it is not known yet.
    using ReadKey = std::function<std::uint32_t(EventSeq event)>;
    void arrange(WebhookId webhook, const LaneOrder& order, const ReadKey& read_key);
    /// The first `room` of a webhook whose `next` has come, in its order. They stay as they are:
    /// put() leases them.
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
    /// A delivery among those of its key.
    struct Place {
        std::uint32_t key = 0;
        std::uint64_t seq = 0;
        auto operator<=>(const Place&) const = default;
    };
    using Line = std::set<Place>;
    struct Lane {
        std::vector<Turn> turns;  ///< a heap, the earliest on top
        std::vector<Turn> ripe;  ///< newest first only: a heap of those due, the newest on top
        /// With an ordering: all that are not set aside. Of each key only the first has a turn.
        Line line;
        LaneOrder order;
        std::size_t pending = 0;
    };

    [[nodiscard]] bool holds(const Turn& turn) const;
    void drop_void(Lane& lane) const;
    static void push(Lane& lane, Turn turn);
    static void pop(Lane& lane);
    static void ripen(Lane& lane, Time now);
    void compact(Lane& lane) const;

    static bool is_first(const Line& line, Line::const_iterator at);
    static Place place(const Lane& lane, std::uint64_t seq, const OpenDelivery& delivery);
    static bool has_turn(Lane& lane, std::uint64_t seq, const OpenDelivery& delivery);
    void leave_line(Lane& lane, const Place& left) const;
    void add_run(const Lane& lane, std::uint64_t seq, Time now, std::size_t room,
                 std::vector<std::uint64_t>& found) const;
    [[nodiscard]] std::vector<std::uint64_t> all_of(const Lane& lane) const;
    void take_oldest(Lane& lane, Time now, std::size_t room, std::vector<std::uint64_t>& found);
    void take_newest(Lane& lane, Time now, std::size_t room, std::vector<std::uint64_t>& found);

    std::unordered_map<std::uint64_t, OpenDelivery> open_;
    std::unordered_map<WebhookId, Lane> lanes_;
};

}  // namespace herald::sqlite
