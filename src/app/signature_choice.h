#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "core/signature.h"

namespace herald {

/// How a command signs or verifies: --signature-profile, and for `hmac` how it is written.
struct SignatureChoice {
    std::string profile = "auto";
    std::string header;
    std::string prefix;
    std::string encoding;
    std::string algorithm;

    /// `help` says what the profile does for the command.
    void add_to(CLI::App& command, const std::string& help);
    [[nodiscard]] Result<SignatureProfile> named_profile() const;
    [[nodiscard]] Result<SignatureOptions> options() const;
};

/// A request as herald would send it.
struct SignedSample {
    SignatureProfile profile = SignatureProfile::automatic;
    HeaderList headers;
    std::string body;
};
/// Signs `canonical` with the key; `auto` is the first profile that herald would try.
[[nodiscard]] Result<SignedSample> sign_sample(const SignatureChoice& choice,
                                               const std::string& shared_key,
                                               const SignedSubject& subject,
                                               const std::string& canonical);

/// "msg_" and 32 random hex digits.
[[nodiscard]] std::string fresh_message_id();
/// Now, in unix seconds.
[[nodiscard]] std::string now_in_seconds();

}  // namespace herald
