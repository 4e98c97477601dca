#include "core/key_rotation.h"

#include <array>

#include "core/limits.h"
#include "core/reference.h"

namespace herald {

namespace {

constexpr std::array list_uses{KeyUse::both, KeyUse::current, KeyUse::previous};

std::string most_grace() {
    return std::to_string(limits::key_grace_max / std::chrono::hours{24}) + " days";
}

}  // namespace

std::string_view to_text(KeyUse use) {
    switch (use) {
        case KeyUse::both: return "both";
        case KeyUse::current: return "current";
        case KeyUse::previous: return "previous";
    }
    return "";
}

std::optional<KeyUse> parse_key_use(std::string_view text) {
    for (const KeyUse use : list_uses) {
        if (to_text(use) == text) return use;
    }
    return std::nullopt;
}

KeyRotation read_key_rotation(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    KeyRotation rotation;
    OptionReader reader(value, "/key_rotation", stored, wrong);
    rotation.previous_key = reader.secret("previous_key");
    if (const auto until = reader.member("until")) {
        rotation.until = parse_time(until->string().value_or(""));
        if (!rotation.until) reader.wrong("until", "must be a time such as 2026-03-13T12:00:00Z");
    }
    rotation.grace =
        reader.duration("grace", Duration{0}, Duration{0}, Duration{limits::key_grace_max});
    // What only herald knows may come back with what was shown, and counts for nothing.
    for (const std::string_view shown : {"accepted", "previous_key_fingerprint"}) {
        (void)reader.member(shown);
    }
    if (rotation.previous_key == reader.stored("previous_key").string().value_or("")) {
        rotation.accepted = parse_key_use(reader.stored("accepted").string().value_or(""));
    }
    reader.finish();
    return rotation;
}

void append_key_rotation(std::string& out, const KeyRotation& rotation, SecretForm form) {
    if (rotation.previous_key.empty()) {
        out += "null";
        return;
    }
    OptionWriter writer(out, form);
    writer.secret("previous_key", rotation.previous_key);
    if (form == SecretForm::masked) {
        const bool outside = parse_reference(rotation.previous_key).has_value();
        writer.text_or_null("previous_key_fingerprint",
                            outside ? "" : key_fingerprint(plain_text(rotation.previous_key)));
    }
    writer.text_or_null("until", rotation.until ? to_rfc3339(*rotation.until) : "");
    writer.text_or_null("accepted", rotation.accepted ? to_text(*rotation.accepted) : "");
    writer.finish();
}

std::optional<SignatureProfile> previous_profile(SignatureProfile profile,
                                                 std::string_view previous_key) {
    using enum SignatureProfile;
    if (fits(profile, previous_key)) return profile;
    if (profile == ed25519 && fits(standard, previous_key)) return standard;
    if (profile == standard && fits(ed25519, previous_key)) return ed25519;
    return std::nullopt;
}

std::span<const KeyUse> key_uses(SignatureProfile profile) {
    const std::span all(list_uses);
    return profile_row(profile).is_list() ? all : all.subspan(1);
}

Result<> validate(const KeyRotation& rotation, SignatureProfile profile) {
    if (rotation.previous_key.empty()) {
        if (!rotation.until) return {};
        return fail_field("/key_rotation/until",
                          "stands without a previous_key: give the old key, or leave it out");
    }
    if (!rotation.until) {
        return fail_field("/key_rotation/until",
                          "is required: say until when the previous_key signs too");
    }
    // What a reference stands for is known when it is sent only.
    if (!parse_reference(rotation.previous_key) &&
        !previous_profile(profile, plain_text(rotation.previous_key))) {
        return fail_field("/key_rotation/previous_key",
                          "does not fit the signature_profile: " + std::string(to_text(profile)) +
                              " needs " + std::string(wanted_key(profile)) +
                              "; change the profile when the grace is over, or give no grace");
    }
    return {};
}

Result<KeyRotation> rotate(const Keys& before, const Keys& after, Time now) {
    KeyRotation rotation = after.rotation;
    const bool another = before.shared_key != after.shared_key;
    if (rotation.grace > Duration{0}) {
        if (!another || before.shared_key.empty()) {
            return fail_field("/key_rotation/grace",
                              "is for a change from one shared_key to another: give a new "
                              "shared_key with it, or leave it out");
        }
        return KeyRotation{.previous_key = before.shared_key, .until = now + rotation.grace};
    }
    const bool over = rotation.until && now >= *rotation.until;
    const bool same_key = rotation.previous_key == before.rotation.previous_key;
    if (same_key && rotation.until == before.rotation.until) {
        return another || over ? KeyRotation{} : rotation;
    }
    if (over || (rotation.until && *rotation.until > now + limits::key_grace_max)) {
        return fail_field("/key_rotation/until",
                          "must be in the future, at most " + most_grace() + " from now");
    }
    if (another || !same_key) rotation.accepted.reset();
    return rotation;
}

}  // namespace herald
