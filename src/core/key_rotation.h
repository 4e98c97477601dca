#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "core/options.h"
#include "core/signature_profile.h"

namespace herald {

/// Which keys sign a request while a rotation is on.
enum class KeyUse : std::uint8_t {
    both,      ///< one header with a signature by each: for receivers that read a list
    current,   ///< the new key alone
    previous,  ///< the old key alone
};
[[nodiscard]] std::string_view to_text(KeyUse use);
[[nodiscard]] std::optional<KeyUse> parse_key_use(std::string_view text);

/// The old key of a webhook whose shared key was changed, and until when it still signs: the group
/// of options `key_rotation`.
struct KeyRotation {
    std::string previous_key;        ///< secret, or a reference; empty: no rotation is on
    std::optional<Time> until;       ///< from then on only the current key signs
    std::optional<KeyUse> accepted;  ///< what the receiver has accepted since the change
    /// Of a change that gives another shared key: how long the one before stays. Not stored.
    Duration grace{0};

    bool operator==(const KeyRotation&) const = default;

    [[nodiscard]] bool is_on(Time now) const {
        return !previous_key.empty() && until && now < *until;
    }
};

/// Reads {"previous_key", "until", "grace"}; null is no rotation. What herald found out stays as it
/// is in `stored`.
[[nodiscard]] KeyRotation read_key_rotation(JsonView value, JsonView stored,
                                            std::vector<FieldError>& wrong);
/// Null while no rotation is on. For people with the old key's fingerprint.
void append_key_rotation(std::string& out, const KeyRotation& rotation, SecretForm form);

/// The profile that the old key signs by while the webhook signs by `profile`. It is the same one,
/// but between standard and standard-ed25519, whose signatures may stand in one header. nullopt:
/// the key cannot be used.
[[nodiscard]] std::optional<SignatureProfile> previous_profile(SignatureProfile profile,
                                                               std::string_view previous_key);

/// How the keys are used while a rotation is on, in the order to try. Lists: both at once, and
/// each alone for receivers that compare the whole header.
[[nodiscard]] std::span<const KeyUse> key_uses(SignatureProfile profile);

/// What is wrong with a rotation of a webhook that signs so: /key_rotation/...
[[nodiscard]] Result<> validate(const KeyRotation& rotation, SignatureProfile profile);

/// A webhook's keys as a change finds and leaves them.
struct Keys {
    const std::string& shared_key;
    const KeyRotation& rotation;
};
/// The rotation that follows from a change at `now`. With a grace the old key stays for it; without
/// one a change of the key ends what rotation there was, unless it says another. Errors: a grace
/// without another key, a new `until` that is over or beyond limits::key_grace_max.
[[nodiscard]] Result<KeyRotation> rotate(const Keys& before, const Keys& after, Time now);

}  // namespace herald
