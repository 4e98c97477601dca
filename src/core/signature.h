#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ed25519.h"
#include "base/hmac.h"
#include "base/result.h"
#include "base/time.h"
#include "core/attempt.h"
#include "core/signature_profile.h"

namespace herald {

/// A body in the form that the profile sends, and the text that it signs.
struct SignedForm {
    std::string body;         ///< the bytes to send
    std::string signed_text;  ///< empty: the body itself is signed

    [[nodiscard]] const std::string& payload() const {
        return signed_text.empty() ? body : signed_text;
    }
};
/// `canonical` is a body as made at ingest (base/json.h, canonical form).
[[nodiscard]] SignedForm signed_form(SignatureProfile profile, std::string_view canonical);

/// What a request that is signed says of itself.
struct SignedSubject {
    std::string_view id;         ///< webhook-id
    std::string_view timestamp;  ///< decimal unix seconds
    std::string_view event;      ///< event type
};

/// Signs under one key. Not thread-safe: one a thread. Keyed once for a webhook.
class Signer {
public:
    /// An error when the key does not fit the profile. `profile` is not `automatic`; `options` are
    /// those of `hmac`.
    static Result<Signer> create(SignatureProfile profile, std::string_view shared_key,
                                 const SignatureOptions& options = {});

    [[nodiscard]] SignatureProfile profile() const { return row_->profile; }
    /// The name of the header that sign() gives the value of.
    [[nodiscard]] std::string_view header() const {
        return signature_header(row_->profile, options_);
    }
    /// The value of the profile's header, such as
    /// "v1,<base64(HMAC-SHA256(key, id.timestamp.payload))>".
    [[nodiscard]] std::string sign(const SignedSubject& subject, std::string_view payload);

private:
    using Key = std::variant<Hmac, Ed25519Key, std::string>;

    Signer(const ProfileRow& row, Key key, SignatureOptions options)
        : row_(&row), key_(std::move(key)), options_(std::move(options)) {}

    const ProfileRow* row_;
    Key key_;
    SignatureOptions options_;  ///< what is written, also where the row says it
};

/// Appends webhook-id, webhook-timestamp, the signature in place of a header of its name, and what
/// the profile sends beside it, unless a header of that name is there.
void append_signed_headers(HeaderList& headers, const Signer& signer, const SignedSubject& subject,
                           std::string signature);

/// What a verifier was given.
struct SignedRequest {
    std::string_view id;
    std::string_view timestamp;  ///< decimal unix seconds
    std::string_view signature;  ///< the profile's header, whole
    std::string_view body;  ///< raw bytes
};

enum class Verdict { valid, missing_header, bad_timestamp, too_old, too_new, bad_key, mismatch };
[[nodiscard]] std::string_view to_text(Verdict verdict);

/// Checks one request against one profile, in constant time over the signature. `tolerance` is
/// how far the timestamp may be from `now`, both ways (libraries use 5 minutes); nullopt: any. It
/// is looked at where it is signed. For `standard-ed25519` the key may be the public one, "whpk_".
[[nodiscard]] Verdict verify(SignatureProfile profile, std::string_view shared_key,
                             const SignedRequest& request, Time now,
                             std::optional<Duration> tolerance = std::chrono::minutes{5},
                             const SignatureOptions& options = {});

struct Verification {
    Verdict verdict = Verdict::mismatch;
    SignatureProfile profile = SignatureProfile::automatic;  ///< the one that verified
};
/// Tries all profiles of webhook-signature that fit the key; the first that verifies.
[[nodiscard]] Verification verify_any(std::string_view shared_key, const SignedRequest& request,
                                      Time now,
                                      std::optional<Duration> tolerance = std::chrono::minutes{5});

/// Finds a header of a request; the name is in lower case; empty: it is not there.
using FindHeader = std::function<std::string_view(std::string_view name)>;

/// A request as it came in: verify() with the headers that the profile needs. With `automatic` the
/// headers that are there say which profile it is; webhook-signature first, and `hmac` never.
[[nodiscard]] Verification verify_request(SignatureProfile profile, const SignatureOptions& options,
                                          std::string_view shared_key, const FindHeader& header,
                                          std::string_view body, Time now,
                                          std::optional<Duration> tolerance);

}  // namespace herald
