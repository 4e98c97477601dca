#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "store/sqlite/event_columns.h"

namespace herald {

/// Which codes of one field hold, made to be asked for blocks of rows.
class CodeTest {
public:
    /// `codes` ascending, each once, none above `names`.
    CodeTest(const CodeColumn& column, std::uint32_t names,
             const std::vector<std::uint32_t>& codes);

    [[nodiscard]] bool holds(std::uint32_t row) const;
    /// Clears the bytes of the rows in a block (block_rows of them) that do not hold.
    void keep(std::size_t block, std::uint8_t* mask) const;

private:
    struct Range {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };

    void find_ranges(const std::vector<std::uint32_t>& codes);
    template <class T>
    void keep_as(const T* codes, std::uint8_t* mask) const;

    CodeColumn column_;
    std::vector<Range> ranges_;
    std::vector<std::uint8_t> table_;  ///< by code, 0 or 1; as long as the column's codes can be
                                       ///< great; empty when the ranges are few and decide
    /// The table of a one-byte column as bits: byte 16 * (code >> 7) + (code & 15) has in bit
    /// (code >> 4) & 7 whether the code holds. Sixteen rows are looked up by one instruction.
    std::array<std::uint8_t, 32> bits_{};
};

}  // namespace herald
