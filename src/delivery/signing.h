#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/attempt.h"
#include "core/signature.h"
#include "core/webhook.h"

namespace herald {

/// The keys of one version of a webhook, ready to sign. Lives on the loop thread.
class Signing {
public:
    /// `key` and `old_key` are what the webhook's stand for. An error when a key does not fit; an
    /// old one that does not is left out. Without a key nothing is signed.
    static Result<Signing> create(const Webhook& webhook, std::string_view key,
                                  std::string_view old_key);

    /// What to try, in order; more than one: negotiate. Empty: unsigned.
    [[nodiscard]] const std::vector<SignatureProfile>& profiles() const { return profiles_; }
    /// Whether the old key signs too. From the moment it does not, it is forgotten.
    [[nodiscard]] bool rotates(Time now);

    /// Appends the headers of the signature to `headers`. `profile` is one of profiles(); `use` is
    /// KeyUse::current unless it rotates.
    void sign(SignatureProfile profile, KeyUse use, const SignedSubject& subject,
              std::string_view payload, HeaderList& headers);

private:
    /// The keys of one profile.
    struct Pair {
        Signer current;
        std::optional<Signer> previous;
    };

    std::vector<SignatureProfile> profiles_;
    std::vector<Pair> pairs_;  ///< one for each profile
    std::optional<Time> until_;
};

}  // namespace herald
