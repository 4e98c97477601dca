#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace herald {

/// What a profile signs and sends. Rows of one table; docs/webhooks.md shows it.
enum class SignatureProfile : std::uint8_t {
    automatic,  ///< "auto": negotiated with the receiver, see candidates()
    infrahub,   ///< compact body, signed as sent; key is its UTF-8 text
    spaced,     ///< "infrahub-spaced": body with ", " and ": ", signed as sent
    repr,       ///< "infrahub-repr": compact body; signed is Python's str() of the parsed body
    standard,   ///< compact body; key is base64 behind "whsec_" (Standard Webhooks)
};

[[nodiscard]] std::string_view to_text(SignatureProfile profile);
[[nodiscard]] std::optional<SignatureProfile> parse_signature_profile(std::string_view text);

/// Whether this key can be used with the profile: `standard` needs "whsec_" and base64 behind it,
/// the others take any text without.
[[nodiscard]] bool fits(SignatureProfile profile, std::string_view shared_key);

/// The profiles that `auto` tries for this key, in order: "whsec_..." -> standard, then the
/// others with the key as text; anything else -> infrahub, repr, spaced.
[[nodiscard]] std::vector<SignatureProfile> candidates(std::string_view shared_key);

/// A body in the form that the profile sends, and the text that it signs.
struct SignedForm {
    std::string body;    ///< the bytes to send
    std::string signed_text;  ///< empty: the body itself is signed
};
/// `canonical` is a body as made at ingest (base/json.h, canonical form).
[[nodiscard]] SignedForm signed_form(SignatureProfile profile, std::string_view canonical);

/// Signs under one key. Not thread-safe: one a thread. Keyed once for a webhook.
class Signer {
public:
    /// An error when the key does not fit the profile. `profile` is not `automatic`.
    static Result<Signer> create(SignatureProfile profile, std::string_view shared_key);

    [[nodiscard]] SignatureProfile profile() const { return profile_; }
    /// The value of webhook-signature: "v1,<base64(HMAC-SHA256(key, id.timestamp.payload))>".
    [[nodiscard]] std::string sign(std::string_view id, std::int64_t timestamp,
                                   std::string_view payload);

private:
    Signer(SignatureProfile profile, HmacSha256 mac) : profile_(profile), mac_(std::move(mac)) {}
    SignatureProfile profile_;
    HmacSha256 mac_;
};

/// What a verifier was given.
struct SignedRequest {
    std::string_view id;
    std::string_view timestamp;  ///< decimal unix seconds
    std::string_view signature;  ///< the whole header: entries separated by spaces
    std::string_view body;       ///< raw bytes
};

enum class Verdict { valid, missing_header, bad_timestamp, too_old, too_new, bad_key, mismatch };
[[nodiscard]] std::string_view to_text(Verdict verdict);

/// Checks one request against one profile, in constant time over the signature. `tolerance` is
/// how far the timestamp may be from `now`, both ways (libraries use 5 minutes); nullopt: any.
[[nodiscard]] Verdict verify(SignatureProfile profile, std::string_view shared_key,
                             const SignedRequest& request, Time now,
                             std::optional<Duration> tolerance = std::chrono::minutes{5});

struct Verification {
    Verdict verdict = Verdict::mismatch;
    SignatureProfile profile = SignatureProfile::automatic;  ///< the one that verified
};
/// Tries all that fit the key; the first that verifies.
[[nodiscard]] Verification verify_any(std::string_view shared_key, const SignedRequest& request,
                                      Time now,
                                      std::optional<Duration> tolerance = std::chrono::minutes{5});

/// The first 12 hex digits of SHA-256("herald-key-fingerprint:" + key): tells keys apart, gives
/// none away.
[[nodiscard]] std::string key_fingerprint(std::string_view shared_key);

/// How the official Standard Webhooks libraries want a text key: "whsec_" + base64(key).
[[nodiscard]] std::string standard_form(std::string_view shared_key);

}  // namespace herald
