#include "base/ids.h"

#include "base/bytes.h"

namespace herald {

namespace {

std::optional<Uuid> from_digits(std::string_view text) {
    Uuid id;
    for (std::size_t i = 0; i < 16; ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return id;
}

void put_big_endian(std::span<std::uint8_t> out, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) {
        out[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    }
}

std::uint64_t get_big_endian(std::span<const std::uint8_t> in) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | in[i];
    return value;
}

constexpr std::string_view delivery_prefix = "msg_";

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() == 32) return from_digits(text);
    if (text.size() != 36) return std::nullopt;
    std::array<char, 32> digits{};
    std::size_t n = 0;
    for (std::size_t i = 0; i < 36; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text[i] == '-')) return std::nullopt;
        if (!dash) digits[n++] = text[i];
    }
    return from_digits({digits.data(), digits.size()});
}

Uuid Uuid::random() {
    Uuid id;
    fill_random(id.bytes);
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return id;
}

std::string Uuid::text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(36);
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

std::optional<DeliveryId> DeliveryId::parse(std::string_view text) {
    if (!text.starts_with(delivery_prefix)) return std::nullopt;
    text.remove_prefix(delivery_prefix.size());
    if (text.size() != 32) return std::nullopt;
    const auto raw = from_digits(text);
    if (!raw) return std::nullopt;
    const std::span<const std::uint8_t> bytes(raw->bytes);
    return DeliveryId{get_big_endian(bytes.first(8)), get_big_endian(bytes.last(8))};
}

std::string DeliveryId::text() const {
    std::array<std::uint8_t, 16> raw{};
    const std::span<std::uint8_t> bytes(raw);
    put_big_endian(bytes.first(8), seq);
    put_big_endian(bytes.last(8), salt);
    return std::string(delivery_prefix) + to_hex(raw);
}

}  // namespace herald
