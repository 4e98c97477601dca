#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/delivery.h"
#include "core/event.h"
#include "core/limits.h"

namespace herald {

enum class Order { newest_first, oldest_first };

/// What an activity-log page asks for (contract 7.1). Values of one filter are alternatives;
/// filters must all hold. Ordered by the sequence in which events were stored.
struct EventQuery {
    std::vector<EventId> ids;
    std::vector<std::string> branches;
    std::vector<std::string> types;     ///< names or globs
    std::vector<std::string> accounts;
    std::vector<std::string> nodes;     ///< primary node ids
    std::vector<std::string> related;   ///< related node ids; the primary node counts as related
    std::vector<EventId> parents;
    std::optional<bool> has_children;
    std::optional<std::uint32_t> level;
    std::optional<Time> since;  ///< occurred_at >= since
    std::optional<Time> until;  ///< occurred_at < until
    Order order = Order::newest_first;
    std::optional<EventSeq> after;  ///< the cursor: strictly behind it in the order asked for
    std::size_t limit = limits::page_default;
    bool whole = false;  ///< with body and extra, which lists leave out
};

struct DeliveryQuery {
    std::vector<WebhookId> webhooks;
    std::optional<EventId> event;
    std::vector<DeliveryState> states;
    std::vector<FailureClass> classes;  ///< of the last attempt
    std::vector<std::string> event_types;  ///< names or globs
    std::optional<Time> since;          ///< created_at >= since
    std::optional<Time> until;
    Order order = Order::newest_first;
    std::optional<std::uint64_t> after;  ///< DeliveryId::seq of the last one seen
    std::size_t limit = limits::page_default;
};

/// One page. `more`: another page follows (its cursor is the last item's place).
template <class T>
struct Page {
    std::vector<T> items;
    bool more = false;
};

/// A count that stops at limits::count_max.
struct Count {
    std::uint64_t value = 0;
    bool capped = false;  ///< there are at least that many
};

/// An opaque page cursor: says where the page ended and for which kind of list and order it was
/// made, with a check sum, so that a mangled or foreign one is refused.
[[nodiscard]] std::string make_cursor(char list, Order order, std::uint64_t place);
[[nodiscard]] Result<std::uint64_t> read_cursor(char list, Order order, std::string_view text);

}  // namespace herald
