#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace herald {

/// Columns are scanned in blocks of this many rows, and padded to whole blocks, so that the inner
/// loops have a fixed length and the compiler makes vector code of them.
inline constexpr std::size_t block_rows = 1024;

[[nodiscard]] constexpr std::size_t blocks_for(std::size_t rows) {
    return (rows + block_rows - 1) / block_rows;
}

/// The dictionary columns. `shape` is an event's level and whether it has children, as one name.
enum class Field : std::uint8_t { type, branch, account, shape };
inline constexpr std::size_t field_count = 4;
inline constexpr std::array<Field, field_count> all_fields = {Field::type, Field::branch,
                                                              Field::account, Field::shape};

/// What rows are looked up by, as 64-bit hashes.
enum class Key : std::uint8_t { id, node, parent };
inline constexpr std::size_t key_count = 3;
inline constexpr std::array<Key, key_count> all_keys = {Key::id, Key::node, Key::parent};

[[nodiscard]] constexpr std::size_t index_of(Field field) {
    return static_cast<std::size_t>(field);
}
[[nodiscard]] constexpr std::size_t index_of(Key key) { return static_cast<std::size_t>(key); }

/// The code of rows that have no value (an event without a branch). Names start at 1.
inline constexpr std::uint32_t no_code = 0;

/// Codes of one field, `width` (1, 2 or 4) bytes each.
struct CodeColumn {
    const void* data = nullptr;
    std::uint32_t width = 4;

    [[nodiscard]] std::uint32_t code_at(std::uint32_t row) const {
        switch (width) {
            case 1: return static_cast<const std::uint8_t*>(data)[row];
            case 2: return static_cast<const std::uint16_t*>(data)[row];
            default: return static_cast<const std::uint32_t*>(data)[row];
        }
    }
};

/// Earliest and latest occurred_at of one block, in microseconds.
struct BlockTimes {
    std::int64_t earliest = 0;
    std::int64_t latest = 0;
};

/// The arrays that a scan walks. Borrowed from the columns; void once these grow.
struct ColumnArrays {
    std::uint32_t rows = 0;
    std::uint64_t first_seq = 0;
    const std::uint64_t* seqs = nullptr;  ///< null: without gaps, from first_seq on
    const std::int64_t* times = nullptr;
    const BlockTimes* blocks = nullptr;
    std::int64_t earliest = 0;
    std::int64_t latest = 0;
    std::array<CodeColumn, field_count> codes;

    [[nodiscard]] EventSeq seq_at(std::uint32_t row) const {
        return EventSeq{seqs != nullptr ? seqs[row] : first_seq + row};
    }
    /// The first row whose seq is `seq` or greater; `rows` when there is none.
    [[nodiscard]] std::uint32_t row_from(std::uint64_t seq) const;
};

/// What a search asks of an index, be it the growing tail or a mapped file.
class EventColumns {
public:
    virtual ~EventColumns() = default;

    [[nodiscard]] virtual ColumnArrays arrays() const = 0;

    /// Codes of a field run from 1 to name_count() and are given to names that occur.
    [[nodiscard]] virtual std::uint32_t name_count(Field field) const = 0;
    [[nodiscard]] virtual std::string_view name(Field field, std::uint32_t code) const = 0;
    [[nodiscard]] virtual std::optional<std::uint32_t> code(Field field,
                                                            std::string_view name) const = 0;

    /// Adds the rows with that hash to `out`, in no order, some perhaps twice. `primary_only`
    /// leaves out the rows that a node is only related to.
    virtual void rows_with(Key key, std::uint64_t hash, bool primary_only,
                           std::vector<std::uint32_t>& out) const = 0;
    [[nodiscard]] virtual std::vector<std::uint64_t> hashes(Key key) const = 0;

    /// The bytes of the index as a file (event_index_file.h).
    [[nodiscard]] virtual std::vector<std::byte> image() const = 0;
};

/// A row in a pair of hash and row, with whether the key is the row's own (primary) one.
struct Tag {
    std::uint32_t value = 0;

    [[nodiscard]] static constexpr Tag make(std::uint32_t row, bool primary) {
        return Tag{(row << 1) | (primary ? 1U : 0U)};
    }
    [[nodiscard]] constexpr std::uint32_t row() const { return value >> 1; }
    [[nodiscard]] constexpr bool primary() const { return (value & 1) != 0; }
};

struct Shape {
    std::uint32_t level = 0;
    bool has_children = false;

    [[nodiscard]] std::array<char, 5> name() const;
    [[nodiscard]] static Shape read(std::string_view name);
};

/// The hash of node ids. Part of the file format.
[[nodiscard]] std::uint64_t text_hash(std::string_view text);

}  // namespace herald
