#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace herald {

/// A private key of Ed25519 (RFC 8032), ready to sign. Not thread-safe: one a thread.
class Ed25519Key {
public:
    using Seed = std::array<std::uint8_t, 32>;
    using PublicKey = std::array<std::uint8_t, 32>;
    using Signature = std::array<std::uint8_t, 64>;

    explicit Ed25519Key(const Seed& seed);
    ~Ed25519Key();
    Ed25519Key(Ed25519Key&&) noexcept;
    Ed25519Key& operator=(Ed25519Key&&) noexcept;

    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    /// The same message always has the same signature.
    [[nodiscard]] Signature sign(std::string_view message);

private:
    struct Context;
    std::unique_ptr<Context> context_;
    PublicKey public_key_{};
};

/// False also when the key is no point of the curve or the signature has another size.
[[nodiscard]] bool ed25519_verify(const Ed25519Key::PublicKey& key, std::string_view message,
                                  std::span<const std::uint8_t> signature);

}  // namespace herald
