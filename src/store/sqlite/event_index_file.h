#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sqlite/event_columns.h"

namespace herald {

class TailColumns;

/// An index file is this header and then the arrays that Layout places, each at a multiple of 64
/// bytes, in the byte order of the machine (a file from another one has another magic, and is
/// built anew like any that does not check out).
///
/// To change the format:
///   1. change FileHeader, Layout, make_image() and MappedColumns together;
///   2. add one to file_version. That is the whole migration: an older file does not check out,
///      so the store builds it anew from the segment, once, when it opens it;
///   3. changes of text_hash(), id_hash(), Shape::name() or block_rows are changes of the format.
struct FileHeader {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t crc = 0;  ///< CRC-32C of every byte behind it

    std::uint64_t file_bytes = 0;
    std::uint64_t rows = 0;
    std::uint64_t first_seq = 0;
    std::uint64_t has_seqs = 0;  ///< 0: seqs have no gaps and no array
    std::int64_t earliest = 0;
    std::int64_t latest = 0;
    std::array<std::uint64_t, field_count> code_width{};
    std::array<std::uint64_t, field_count> name_count{};
    std::array<std::uint64_t, field_count> name_bytes{};
    std::array<std::uint64_t, key_count> pair_count{};
    std::array<std::uint64_t, key_count> bucket_bits{};  ///< 2^bits buckets, by a hash's top bits
};

inline constexpr std::uint64_t file_magic = 0x7864'6E69'646C'7268;  // "hrldindx"
inline constexpr std::uint32_t file_version = 1;
inline constexpr std::size_t crc_starts = 16;

/// Where each array of a file begins.
struct Layout {
    std::size_t seqs = 0;  ///< u64 for each row, or nothing
    std::size_t times = 0;  ///< i64 for each row of whole blocks
    std::size_t blocks = 0;  ///< BlockTimes
    std::array<std::size_t, field_count> codes{};  ///< code_width bytes a row of whole blocks
    std::array<std::size_t, field_count> name_ends{};  ///< u64; names sorted, in code order
    std::array<std::size_t, field_count> names{};  ///< the names' bytes
    std::array<std::size_t, key_count> buckets{};  ///< u32 each, one more than buckets
    std::array<std::size_t, key_count> hashes{};  ///< u64, sorted by hash, then tag
    std::array<std::size_t, key_count> tags{};  ///< Tag, beside the hashes
    std::size_t total = 0;
};

/// nullopt: sizes no file of file_bytes can have.
[[nodiscard]] std::optional<Layout> lay_out(const FileHeader& header);

[[nodiscard]] std::vector<std::byte> make_image(const TailColumns& tail);

/// Writes beside `path`, syncs, renames over it, syncs the directory.
Result<> write_file_synced(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace herald
