#include "store/sqlite/crc32c.h"

#include <array>
#include <cstring>

namespace herald {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        }
        table[i] = crc;
    }
    return table;
}

constexpr auto table = make_table();

std::uint32_t by_table(std::uint32_t crc, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
        crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    }
    return crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::uint32_t start,
                                                       std::span<const std::byte> bytes) {
    std::uint64_t crc = start;
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    return by_table(static_cast<std::uint32_t>(crc), bytes.subspan(at));
}
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
    constexpr std::uint32_t start = 0xFFFFFFFF;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") != 0) {
        return ~by_instruction(start, bytes);
    }
#endif
    return ~by_table(start, bytes);
}

}  // namespace herald
