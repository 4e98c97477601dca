#include "store/sqlite/code_match.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace herald {
namespace {

/// Comparing a row with one range costs as much as an eighth of looking it up in a table, when
/// codes have one byte: 16 compare at once. Wider codes, fewer at once.
std::size_t ranges_max(const CodeColumn& column) {
    return column.width == 1 ? 2 : 8 / column.width;
}

// The loops over a block have a fixed length and restricted pointers: that is what GCC wants to
// see to make vector code of them, at -O2 too.

template <class T>
void keep_range(const T* __restrict codes, T first, T span, std::uint8_t* __restrict mask) {
    for (std::size_t i = 0; i < block_rows; ++i) {
        mask[i] &= static_cast<std::uint8_t>(static_cast<T>(codes[i] - first) <= span);
    }
}

template <class T>
void add_range(const T* __restrict codes, T first, T span, std::uint8_t* __restrict mask) {
    for (std::size_t i = 0; i < block_rows; ++i) {
        mask[i] |= static_cast<std::uint8_t>(static_cast<T>(codes[i] - first) <= span);
    }
}

void keep_both(const std::uint8_t* __restrict other, std::uint8_t* __restrict mask) {
    for (std::size_t i = 0; i < block_rows; ++i) {
        mask[i] &= other[i];
    }
}

template <class T>
void keep_in_table(const T* __restrict codes, const std::uint8_t* __restrict table,
                   std::uint8_t* __restrict mask) {
    for (std::size_t i = 0; i < block_rows; ++i) {
        mask[i] &= table[codes[i]];
    }
}

#if defined(__x86_64__)
/// As keep_in_table, six times as fast (see CodeTest::bits_).
[[gnu::target("ssse3")]] void keep_in_bits(const std::uint8_t* codes,
                                           const std::array<std::uint8_t, 32>& bits,
                                           std::uint8_t* mask) {
    const auto load = [](const std::uint8_t* from) __attribute__((target("ssse3"))) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    };
    const __m128i low = load(bits.data());
    const __m128i high = load(bits.data() + 16);
    const __m128i powers = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201ULL));
    const __m128i row_bits = _mm_set1_epi8(static_cast<char>(0x8F));
    const __m128i top_bit = _mm_set1_epi8(static_cast<char>(0x80));
    const __m128i nibble = _mm_set1_epi8(0x0F);
    for (std::size_t i = 0; i < block_rows; i += 16) {
        const __m128i code = load(codes + i);
        // A shuffle gives 0 where the index has its top bit: each half looks up its own codes.
        const __m128i row = _mm_and_si128(code, row_bits);
        const __m128i found = _mm_or_si128(_mm_shuffle_epi8(low, row),
                                           _mm_shuffle_epi8(high, _mm_xor_si128(row, top_bit)));
        const __m128i bit =
            _mm_shuffle_epi8(powers, _mm_and_si128(_mm_srli_epi16(code, 4), nibble));
        const __m128i hit = _mm_cmpeq_epi8(_mm_and_si128(found, bit), bit);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(mask + i), _mm_and_si128(load(mask + i), hit));
    }
}

bool can_shuffle() { return __builtin_cpu_supports("ssse3") != 0; }
#else
void keep_in_bits(const std::uint8_t*, const std::array<std::uint8_t, 32>&, std::uint8_t*) {}

bool can_shuffle() { return false; }
#endif

}  // namespace

CodeTest::CodeTest(const CodeColumn& column, std::uint32_t names,
                   const std::vector<std::uint32_t>& codes)
    : column_(column) {
    find_ranges(codes);
    if (ranges_.size() <= ranges_max(column)) {
        return;
    }
    table_.resize(std::size_t{names} + 1);
    for (const std::uint32_t code : codes) {
        table_[code] = 1;
        if (column.width == 1) {
            bits_[16 * (code >> 7) + (code & 15)] |=
                static_cast<std::uint8_t>(1U << ((code >> 4) & 7));
        }
    }
}

void CodeTest::find_ranges(const std::vector<std::uint32_t>& codes) {
    for (const std::uint32_t code : codes) {
        if (!ranges_.empty() && ranges_.back().last + 1 == code) {
            ranges_.back().last = code;
        } else {
            ranges_.push_back({.first = code, .last = code});
        }
    }
}

bool CodeTest::holds(std::uint32_t row) const {
    const std::uint32_t code = column_.code_at(row);
    if (!table_.empty()) {
        return table_[code] != 0;
    }
    return std::ranges::any_of(
        ranges_, [&](Range range) { return range.first <= code && code <= range.last; });
}

template <class T>
void CodeTest::keep_as(const T* codes, std::uint8_t* mask) const {
    const auto first = [](Range range) { return static_cast<T>(range.first); };
    const auto span = [](Range range) { return static_cast<T>(range.last - range.first); };
    if (!table_.empty()) {
        keep_in_table(codes, table_.data(), mask);
    } else if (ranges_.size() == 1) {
        keep_range(codes, first(ranges_[0]), span(ranges_[0]), mask);
    } else {
        alignas(64) std::array<std::uint8_t, block_rows> either{};
        for (const Range range : ranges_) {
            add_range(codes, first(range), span(range), either.data());
        }
        keep_both(either.data(), mask);
    }
}

void CodeTest::keep(std::size_t block, std::uint8_t* mask) const {
    const std::size_t start = block * block_rows;
    if (column_.width == 4) {
        keep_as(static_cast<const std::uint32_t*>(column_.data) + start, mask);
    } else if (column_.width == 2) {
        keep_as(static_cast<const std::uint16_t*>(column_.data) + start, mask);
    } else if (const auto* codes = static_cast<const std::uint8_t*>(column_.data) + start;
               !table_.empty() && can_shuffle()) {
        keep_in_bits(codes, bits_, mask);
    } else {
        keep_as(codes, mask);
    }
}

}  // namespace herald
