#include "delivery/signing.h"

#include <algorithm>
#include <utility>

#include "core/key_rotation.h"

namespace herald {

namespace {

/// Both in one list. The last is what receivers see that look at one only: the current one, unless
/// that is a v1a, which they do not know.
std::string join(std::string previous, SignatureProfile previous_profile, std::string current,
                 SignatureProfile profile) {
    const bool newer_first =
        profile == SignatureProfile::ed25519 && previous_profile != SignatureProfile::ed25519;
    return newer_first ? current + " " + previous : previous + " " + current;
}

}  // namespace

Result<Signing> Signing::create(const Webhook& webhook, std::string_view key,
                                std::string_view old_key) {
    Signing signing;
    if (key.empty()) return signing;
    signing.profiles_ = webhook.signature_profile == SignatureProfile::automatic
                            ? candidates(key)
                            : std::vector{webhook.signature_profile};
    if (!old_key.empty()) signing.until_ = webhook.key_rotation.until;
    for (const SignatureProfile profile : signing.profiles_) {
        auto current = Signer::create(profile, key, webhook.signature);
        if (!current) return fail(current.error());
        Pair pair{std::move(*current), std::nullopt};
        if (const auto old = previous_profile(profile, old_key); signing.until_ && old) {
            auto previous = Signer::create(*old, old_key, webhook.signature);
            if (!previous) return fail(previous.error());
            pair.previous = std::move(*previous);
        }
        signing.pairs_.push_back(std::move(pair));
    }
    return signing;
}

bool Signing::rotates(Time now) {
    if (!until_) return false;
    if (now < *until_) return true;
    until_.reset();
    for (Pair& pair : pairs_) pair.previous.reset();
    return false;
}

void Signing::sign(SignatureProfile profile, KeyUse use, const SignedSubject& subject,
                   std::string_view payload, HeaderList& headers) {
    const auto found = std::ranges::find(profiles_, profile);
    Pair& pair = pairs_.at(static_cast<std::size_t>(found - profiles_.begin()));
    if (use == KeyUse::current || !pair.previous) {
        return append_signed_headers(headers, pair.current, subject,
                                     pair.current.sign(subject, payload));
    }
    std::string previous = pair.previous->sign(subject, payload);
    if (use == KeyUse::both) {
        previous = join(std::move(previous), pair.previous->profile(),
                        pair.current.sign(subject, payload), profile);
    }
    append_signed_headers(headers, pair.current, subject, std::move(previous));
}

}  // namespace herald
