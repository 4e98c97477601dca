#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/query.h"
#include "store/sqlite/code_match.h"
#include "store/sqlite/event_columns.h"

namespace herald {

/// Earliest and latest time that hold, both inclusive.
struct TimeTest {
    std::int64_t earliest = 0;
    std::int64_t latest = 0;

    [[nodiscard]] bool holds(std::int64_t time) const { return earliest <= time && time <= latest; }
};

/// A query in the terms of one index: names became codes, ids became rows. Filters that every row
/// passes are left out; when some filter lets no row pass, the scan is over before it begins.
///
/// Rows are then found in one of two ways. If ids name few rows, these are tested one by one.
/// Otherwise blocks of rows are tested together, each filter clearing bytes of the block's mask.
class EventScan {
public:
    EventScan(const EventColumns& columns, const EventQuery& query);

    /// At most `limit` rows of [begin, end), in that order.
    [[nodiscard]] std::vector<std::uint32_t> rows(std::uint32_t begin, std::uint32_t end,
                                                  Order order, std::size_t limit) const;
    /// How many rows hold, at most `cap`.
    [[nodiscard]] std::uint64_t count(std::uint64_t cap) const;

private:
    using RowList = std::vector<std::uint32_t>;
    struct alignas(64) Mask {
        std::array<std::uint8_t, block_rows> rows{};
        [[nodiscard]] bool any() const;
    };

    void take_time(const EventQuery& query);
    void take_names(const EventColumns& columns, const EventQuery& query);
    void take_codes(const EventColumns& columns, Field field, RowList codes);
    void take_ids(const EventColumns& columns, const EventQuery& query);
    void take_rows(std::vector<RowList> sets);

    [[nodiscard]] bool row_holds(std::uint32_t row) const;
    /// Tests the rows of [begin, end) that lie in the block; false when none holds.
    bool test_block(std::size_t block, std::uint32_t begin, std::uint32_t end, Mask& mask) const;
    bool test_times(std::size_t block, Mask& mask) const;
    [[nodiscard]] RowList listed(std::uint32_t begin, std::uint32_t end, Order order,
                                 std::size_t limit) const;

    ColumnArrays arrays_;
    bool nothing_ = false;
    std::optional<TimeTest> time_;
    std::vector<CodeTest> codes_;
    std::optional<RowList> list_;        // ids name these rows, in ascending order
    std::vector<std::uint8_t> members_;  // or, padded to blocks: how many id filters name each
    std::uint8_t member_of_all_ = 0;     // row, of that many
};

}  // namespace herald
