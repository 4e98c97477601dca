#include <algorithm>
#include <array>
#include <bit>
#include <ranges>

#include "store/sqlite/event_index.h"

namespace herald {
namespace {

// A "split block" Bloom filter: the upper half of the hash chooses a block of 512 bits (one or two
// cache lines), the lower half one bit in each of its eight words.
constexpr std::size_t words_per_block = 8;

constexpr std::array<std::uint32_t, words_per_block> salts = {
    0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31};

std::size_t block_start(std::uint64_t hash, std::size_t words) {
    const std::uint64_t blocks = words / words_per_block;
    return ((hash >> 32) * blocks >> 32) * words_per_block;
}

std::uint64_t bit_in(std::uint64_t hash, std::size_t word) {
    const std::uint32_t mixed = static_cast<std::uint32_t>(hash) * salts[word];
    return std::uint64_t{1} << (mixed >> 26);
}

}  // namespace

void IdFilter::add(std::uint64_t hash, EventSeq seq) {
    if (blooms_.empty() || blooms_.back().ids == ids_each) {
        constexpr std::size_t bits = ids_each * bits_per_id;
        constexpr std::size_t blocks = bits / (words_per_block * 64) + 1;
        blooms_.push_back({.words = std::vector<std::uint64_t>(blocks * words_per_block),
                           .ids = 0,
                           .range = {seq, seq}});
    }
    Bloom& bloom = blooms_.back();
    const std::size_t start = block_start(hash, bloom.words.size());
    for (std::size_t i = 0; i < words_per_block; ++i) {
        bloom.words[start + i] |= bit_in(hash, i);
    }
    ++bloom.ids;
    bloom.range.first = std::min(bloom.range.first, seq);
    bloom.range.last = std::max(bloom.range.last, seq);
}

bool IdFilter::contains(const Bloom& bloom, std::uint64_t hash) {
    const std::size_t start = block_start(hash, bloom.words.size());
    for (std::size_t i = 0; i < words_per_block; ++i) {
        if ((bloom.words[start + i] & bit_in(hash, i)) == 0) return false;
    }
    return true;
}

std::vector<EventRange> IdFilter::may_hold(std::uint64_t hash) const {
    std::vector<EventRange> ranges;
    for (const Bloom& bloom : blooms_ | std::views::reverse) {
        if (contains(bloom, hash)) ranges.push_back(bloom.range);
    }
    return ranges;
}

}  // namespace herald
