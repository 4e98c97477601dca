#include "store/sqlite/event_columns.h"

#include <algorithm>
#include <cstring>

#include "store/sqlite/event_index.h"

namespace herald {
namespace {

std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ULL;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ULL;
    x ^= x >> 32;
    return x;
}

std::uint64_t hash_of(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL * (size + 1);
    for (; size >= 8; size -= 8, bytes += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        // The sum keeps hash == word from ending in the fixed point of mix.
        hash = mix(hash ^ word) + 0x9E3779B97F4A7C15ULL;
    }
    if (size > 0) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, size);
        hash = mix(hash ^ word) + 0x9E3779B97F4A7C15ULL;
    }
    return mix(hash);
}

}  // namespace

std::uint64_t text_hash(std::string_view text) { return hash_of(text.data(), text.size()); }

std::uint64_t id_hash(const EventId& id) { return hash_of(id.bytes.data(), id.bytes.size()); }

std::uint32_t ColumnArrays::row_from(std::uint64_t seq) const {
    if (seqs != nullptr) {
        return static_cast<std::uint32_t>(std::lower_bound(seqs, seqs + rows, seq) - seqs);
    }
    if (seq <= first_seq) {
        return 0;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(seq - first_seq, rows));
}

std::array<char, 5> Shape::name() const {
    std::array<char, 5> bytes{};
    std::memcpy(bytes.data(), &level, 4);
    bytes[4] = has_children ? 1 : 0;
    return bytes;
}

Shape Shape::read(std::string_view name) {
    Shape shape;
    if (name.size() == 5) {
        std::memcpy(&shape.level, name.data(), 4);
        shape.has_children = name[4] != 0;
    }
    return shape;
}

}  // namespace herald
