#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/event.h"
#include "store/sqlite/event_columns.h"

namespace herald {

/// Names numbered from 1 in the order they come.
class NameTable {
public:
    std::uint32_t add(std::string_view name);
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }
    [[nodiscard]] std::string_view name(std::uint32_t code) const { return names_[code - 1]; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return text_hash(name); }
    };
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> codes_;
    std::vector<std::string_view> names_;  // point into codes_, whose keys never move
    std::uint32_t last_ = no_code;         // neighbours are often alike
};

/// Pairs of hash and row, found by hash through chains: adding one costs the same at any size.
class PairTable {
public:
    struct Pair {
        std::uint64_t hash = 0;
        Tag tag;
    };

    void add(std::uint64_t hash, Tag tag);
    void rows_with(std::uint64_t hash, bool primary_only, std::vector<std::uint32_t>& out) const;
    [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }

private:
    static constexpr std::uint32_t end = 0xFFFFFFFF;

    void grow();
    [[nodiscard]] std::size_t slot(std::uint64_t hash) const { return hash & (heads_.size() - 1); }

    std::vector<Pair> pairs_;
    std::vector<std::uint32_t> next_;   // of each pair, towards older ones
    std::vector<std::uint32_t> heads_;  // a power of two
};

/// The columns of the newest segment, growing in memory.
class TailColumns final : public EventColumns {
public:
    void append(EventSeq seq, const Event& event);

    [[nodiscard]] ColumnArrays arrays() const override;
    [[nodiscard]] std::uint32_t name_count(Field field) const override;
    [[nodiscard]] std::string_view name(Field field, std::uint32_t code) const override;
    [[nodiscard]] std::optional<std::uint32_t> code(Field field,
                                                    std::string_view name) const override;
    void rows_with(Key key, std::uint64_t hash, bool primary_only,
                   std::vector<std::uint32_t>& out) const override;
    [[nodiscard]] std::vector<std::uint64_t> hashes(Key key) const override;
    [[nodiscard]] std::vector<std::byte> image() const override;

    [[nodiscard]] const NameTable& names(Field field) const { return names_[index_of(field)]; }
    [[nodiscard]] const PairTable& pairs(Key key) const { return pairs_[index_of(key)]; }

private:
    void grow();
    void note_time(std::int64_t micros);
    void note_nodes(const Event& event);
    void set_code(Field field, std::uint32_t code);
    PairTable& pairs(Key key) { return pairs_[index_of(key)]; }

    std::uint32_t rows_ = 0;
    std::int64_t earliest_ = 0;
    std::int64_t latest_ = 0;
    // Always whole blocks long.
    std::vector<std::uint64_t> seqs_;
    std::vector<std::int64_t> times_;
    std::vector<BlockTimes> blocks_;
    std::array<std::vector<std::uint32_t>, field_count> codes_;
    std::array<NameTable, field_count> names_;
    std::array<PairTable, key_count> pairs_;
};

}  // namespace herald
