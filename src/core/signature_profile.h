#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hmac.h"
#include "core/signature_options.h"

namespace herald {

/// How a request is signed. Rows of one table, profile_row(); docs/webhooks.md shows it.
enum class SignatureProfile : std::uint8_t {
    automatic,     ///< "auto": negotiated with the receiver, see candidates()
    infrahub,      ///< compact body, signed as sent; key is its UTF-8 text
    spaced,        ///< "infrahub-spaced": body with ", " and ": ", signed as sent
    repr,  ///< "infrahub-repr": compact body; signed is Python's str() of the parsed body
    standard,  ///< key is base64 behind "whsec_" (Standard Webhooks)
    ed25519,  ///< "standard-ed25519": key is base64 behind "whsk_" (Standard Webhooks, v1a)
    github,  ///< X-Hub-Signature-256 over the body
    hmac,  ///< over the body, written as SignatureOptions say
    gitlab_token,  ///< "gitlab-token": signs nothing, sends the key in X-Gitlab-Token
    netbox,  ///< X-Hook-Signature over the body, SHA-512
};

/// How the shared key is read.
enum class KeyForm : std::uint8_t {
    text,  ///< the bytes of its text
    whsec,  ///< base64 behind "whsec_"
    whsk,  ///< base64 behind "whsk_": an Ed25519 seed, or the seed and its public key
    token,  ///< the text itself is sent: visible ASCII
};

/// What a signature covers.
enum class SignedContent : std::uint8_t {
    message,  ///< "<webhook-id>.<webhook-timestamp>.<payload>"
    body,  ///< the bytes of the body
    nothing,  ///< no signature: the key itself is sent
};

/// One row of the table.
struct ProfileRow {
    SignatureProfile profile = SignatureProfile::automatic;
    std::string_view name;
    KeyForm key = KeyForm::text;
    SignedContent content = SignedContent::message;
    /// Of the signature, with its prefix; of `hmac` the webhook's options say both.
    std::string_view header = "webhook-signature";
    std::string_view prefix = "v1,";
    SignatureEncoding encoding = SignatureEncoding::base64;
    HashAlgorithm algorithm = HashAlgorithm::sha256;  ///< unused where the key is whsk or token
    /// Sent beside it: the event type and the delivery's id as a UUID; empty: not sent.
    std::string_view event_header = {};
    std::string_view delivery_header = {};

    /// Whether the header is a list, in which signatures by several keys may stand.
    [[nodiscard]] bool is_list() const { return content == SignedContent::message; }
};

[[nodiscard]] const ProfileRow& profile_row(SignatureProfile profile);
/// All of them; `auto` is the first.
[[nodiscard]] std::span<const ProfileRow> profile_rows();

[[nodiscard]] std::string_view to_text(SignatureProfile profile);
[[nodiscard]] std::optional<SignatureProfile> parse_signature_profile(std::string_view text);
/// For an error: "auto, infrahub, ... or netbox".
[[nodiscard]] std::string signature_profile_names();

/// The header that holds the profile's signature.
[[nodiscard]] std::string_view signature_header(SignatureProfile profile,
                                                const SignatureOptions& options = {});

/// The bytes that the profile signs with: of whsk the seed. nullopt: the key does not fit.
[[nodiscard]] std::optional<std::string> key_bytes(SignatureProfile profile,
                                                   std::string_view shared_key);
/// Whether this key can be used with the profile.
[[nodiscard]] bool fits(SignatureProfile profile, std::string_view shared_key);
/// What key the profile wants: `a key of "whsec_" and base64`.
[[nodiscard]] std::string_view wanted_key(SignatureProfile profile);

/// The profiles that `auto` tries for this key, in order: "whsec_..." -> standard, then the
/// others with the key as text; anything else -> infrahub, repr, spaced.
[[nodiscard]] std::vector<SignatureProfile> candidates(std::string_view shared_key);

/// The first 12 hex digits of SHA-256("herald-key-fingerprint:" + key): tells keys apart, gives
/// none away.
[[nodiscard]] std::string key_fingerprint(std::string_view shared_key);

/// How the official Standard Webhooks libraries want a text key: "whsec_" + base64(key).
[[nodiscard]] std::string standard_form(std::string_view shared_key);

/// "whpk_" and base64: what receivers verify with, of a key that fits `standard-ed25519`. nullopt:
/// it does not.
[[nodiscard]] std::optional<std::string> public_key_form(std::string_view shared_key);

/// A new random key for the profile: "whsk_" for standard-ed25519, 40 visible characters for
/// gitlab-token, else "whsec_" with 32 bytes, which all others take.
[[nodiscard]] std::string new_shared_key(SignatureProfile profile);

}  // namespace herald
