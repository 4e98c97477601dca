#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/query.h"
#include "store/sqlite/segment.h"
#include "store/sqlite/segment_list.h"

namespace herald::sqlite {

/// Whether the segment can hold what the query asks for, by its times and numbers.
[[nodiscard]] bool may_hold(const DeliveryQuery& query, const SegmentInfo& segment);

/// Whether the row is what the query asks for (all filters but the event).
[[nodiscard]] bool holds(const DeliveryQuery& query, const DeliveryRow& row);

/// Whether a delivery comes behind the query's cursor.
[[nodiscard]] bool is_behind(const DeliveryQuery& query, std::uint64_t seq);

/// Rows of one segment in the query's order, at most `limit`, behind `after`: those that hold, and
/// those that may once the caller has looked what became of them (rows that say "pending").
[[nodiscard]] std::vector<DeliveryRow> select_deliveries(const Database& segment,
                                                         const DeliveryQuery& query,
                                                         std::optional<std::uint64_t> after,
                                                         std::size_t limit);

/// Adds what the segment holds of an event's deliveries, until `found` are `limit`.
void add_deliveries_of(const Database& segment, const EventRow& event, std::size_t limit,
                       std::vector<DeliveryRow>& found);

}  // namespace herald::sqlite
