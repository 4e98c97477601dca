#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace herald {

/// A key that secrets are sealed with: 32 random bytes. Its text form is as secret as it is.
class SealKey {
public:
    /// From 64 hexadecimal digits or the base64 of 32 bytes, as `openssl rand -hex 32` and
    /// `openssl rand -base64 32` print them. The error says what is accepted, and not the text.
    static Result<SealKey> parse(std::string_view text);
    static SealKey random();

    /// Tells keys apart and gives none away: the first 8 hexadecimal digits of
    /// SHA-256("herald-seal-key:" + key).
    [[nodiscard]] const std::string& id() const { return id_; }
    /// 64 hexadecimal digits.
    [[nodiscard]] std::string text() const;

private:
    friend class Sealer;
    using Bytes = std::array<std::uint8_t, 32>;
    explicit SealKey(const Bytes& bytes);

    Bytes bytes_;
    std::string id_;
};

/// Seals texts with AES-256-GCM, so that who reads or changes what is stored learns and forges
/// nothing. A sealed text is "sealed:v1:<key id>:<base64 of nonce (12), ciphertext, tag (16)>".
class Sealer {
public:
    /// The first key seals; every key opens. There is at least one.
    explicit Sealer(std::vector<SealKey> keys);

    /// `place` says what the text is and whose ("<uuid>/url"): sealed there, it opens only there.
    [[nodiscard]] std::string seal(std::string_view text, std::string_view place) const;
    /// Errc::unavailable: it needs a key that is not here (named by its id), or was changed.
    [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view place) const;
    /// Whether it was sealed with the key that seals now.
    [[nodiscard]] bool is_current(std::string_view sealed) const;

private:
    std::vector<SealKey> keys_;
};

}  // namespace herald
