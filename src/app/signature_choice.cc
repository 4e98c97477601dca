#include "app/signature_choice.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "async/clock.h"
#include "base/ids.h"
#include "core/suggest.h"

namespace herald {

void SignatureChoice::add_to(CLI::App& command, const std::string& help) {
    command.add_option("--signature-profile", profile, help + "; " + signature_profile_names());
    command.add_option("--signature-header", header,
                       "With hmac: the header (default X-Hub-Signature-256)");
    command.add_option("--signature-prefix", prefix, "With hmac: before the code, as in sha256=");
    command.add_option("--signature-encoding", encoding, "With hmac: hex (default) or base64");
    command.add_option("--signature-algorithm", algorithm,
                       "With hmac: sha1, sha224, sha256 (default), sha384 or sha512");
}

Result<SignatureProfile> SignatureChoice::named_profile() const {
    if (const auto found = parse_signature_profile(profile)) return *found;
    std::vector<std::string_view> names;
    for (const ProfileRow& row : profile_rows()) names.push_back(row.name);
    return fail(Errc::invalid, "no such profile: " + profile + did_you_mean(profile, names) +
                                   "; there are " + signature_profile_names());
}

Result<SignatureOptions> SignatureChoice::options() const {
    SignatureOptions options;
    const bool given =
        !header.empty() || !prefix.empty() || !encoding.empty() || !algorithm.empty();
    if (given && profile != to_text(SignatureProfile::hmac)) {
        return fail(Errc::invalid,
                    "--signature-header, -prefix, -encoding and -algorithm are for "
                    "--signature-profile hmac: add it, or leave them out");
    }
    if (!header.empty()) options.header = header;
    options.prefix = prefix;
    if (!encoding.empty()) {
        const auto read = parse_signature_encoding(encoding);
        if (!read) return fail(Errc::invalid, "--signature-encoding: hex or base64");
        options.encoding = *read;
    }
    if (!algorithm.empty()) {
        const auto read = parse_hash_algorithm(algorithm);
        if (!read) {
            return fail(Errc::invalid,
                        "--signature-algorithm: sha1, sha224, sha256, sha384 or sha512");
        }
        options.algorithm = *read;
    }
    return options;
}

Result<SignedSample> sign_sample(const SignatureChoice& choice, const std::string& shared_key,
                                 const SignedSubject& subject, const std::string& canonical) {
    const auto named = choice.named_profile();
    if (!named) return fail(named.error());
    const auto options = choice.options();
    if (!options) return fail(options.error());
    if (shared_key.empty()) return fail(Errc::invalid, "the key file is empty: put the key in it");
    SignedSample sample;
    const bool automatic = *named == SignatureProfile::automatic;
    sample.profile = automatic ? candidates(shared_key).front() : *named;
    auto signer = Signer::create(sample.profile, shared_key, *options);
    if (!signer) return fail(signer.error());
    SignedForm form = signed_form(sample.profile, canonical);
    append_signed_headers(sample.headers, *signer, subject, signer->sign(subject, form.payload()));
    sample.body = std::move(form.body);
    return sample;
}

std::string fresh_message_id() {
    std::string bare = Uuid::random().text();
    std::erase(bare, '-');
    return "msg_" + bare;
}

std::string now_in_seconds() {
    const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock{}.now());
    return std::to_string(now.time_since_epoch().count());
}

}  // namespace herald
