#include "core/signature_profile.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/bytes.h"
#include "base/ed25519.h"

namespace herald {

namespace {

constexpr std::string_view whsec_prefix = "whsec_";
constexpr std::string_view whsk_prefix = "whsk_";
constexpr std::string_view whpk_prefix = "whpk_";
constexpr std::size_t seed_bytes = 32;

/// In the order of the enumeration.
constexpr std::array rows{
    ProfileRow{.profile = SignatureProfile::automatic, .name = "auto"},
    ProfileRow{.profile = SignatureProfile::infrahub, .name = "infrahub"},
    ProfileRow{.profile = SignatureProfile::spaced, .name = "infrahub-spaced"},
    ProfileRow{.profile = SignatureProfile::repr, .name = "infrahub-repr"},
    ProfileRow{.profile = SignatureProfile::standard, .name = "standard", .key = KeyForm::whsec},
    ProfileRow{.profile = SignatureProfile::ed25519,
               .name = "standard-ed25519",
               .key = KeyForm::whsk,
               .prefix = "v1a,"},
    ProfileRow{.profile = SignatureProfile::github,
               .name = "github",
               .content = SignedContent::body,
               .header = "X-Hub-Signature-256",
               .prefix = "sha256=",
               .encoding = SignatureEncoding::hex,
               .event_header = "X-GitHub-Event",
               .delivery_header = "X-GitHub-Delivery"},
    ProfileRow{.profile = SignatureProfile::hmac,
               .name = "hmac",
               .content = SignedContent::body,
               .header = "",
               .prefix = ""},
    ProfileRow{.profile = SignatureProfile::gitlab_token,
               .name = "gitlab-token",
               .key = KeyForm::token,
               .content = SignedContent::nothing,
               .header = "X-Gitlab-Token",
               .prefix = "",
               .event_header = "X-Gitlab-Event"},
    ProfileRow{.profile = SignatureProfile::netbox,
               .name = "netbox",
               .content = SignedContent::body,
               .header = "X-Hook-Signature",
               .prefix = "",
               .encoding = SignatureEncoding::hex,
               .algorithm = HashAlgorithm::sha512},
};

std::optional<std::string> behind(std::string_view prefix, std::string_view key) {
    if (!key.starts_with(prefix)) return std::nullopt;
    return from_base64(key.substr(prefix.size()));
}

Ed25519Key private_key(std::string_view seed) {
    Ed25519Key::Seed bytes{};
    std::ranges::copy_n(as_bytes(seed).begin(), bytes.size(), bytes.begin());
    return Ed25519Key(bytes);
}

/// The seed of "whsk_" and 32 bytes, or 64 whose second half is the public key of the first.
std::optional<std::string> seed_of(std::string_view key) {
    auto bytes = behind(whsk_prefix, key);
    if (!bytes || (bytes->size() != seed_bytes && bytes->size() != 2 * seed_bytes)) return {};
    const std::string seed = bytes->substr(0, seed_bytes);
    if (bytes->size() == 2 * seed_bytes) {
        const Ed25519Key pair = private_key(seed);
        if (!std::ranges::equal(as_bytes(*bytes).subspan(seed_bytes), pair.public_key())) return {};
    }
    return seed;
}

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

}  // namespace

const ProfileRow& profile_row(SignatureProfile profile) {
    const ProfileRow& row = rows.at(static_cast<std::size_t>(profile));
    assert(row.profile == profile);
    return row;
}

std::span<const ProfileRow> profile_rows() { return rows; }

std::string_view to_text(SignatureProfile profile) { return profile_row(profile).name; }

std::optional<SignatureProfile> parse_signature_profile(std::string_view text) {
    const auto found = std::ranges::find(rows, text, &ProfileRow::name);
    if (found == rows.end()) return std::nullopt;
    return found->profile;
}

std::string signature_profile_names() {
    std::string names;
    for (const ProfileRow& row : rows) {
        if (&row != rows.data()) names += &row == &rows.back() ? " or " : ", ";
        names += row.name;
    }
    return names;
}

std::string_view signature_header(SignatureProfile profile, const SignatureOptions& options) {
    if (profile == SignatureProfile::hmac) return options.header;
    return profile_row(profile).header;
}

std::optional<std::string> key_bytes(SignatureProfile profile, std::string_view shared_key) {
    if (shared_key.empty()) return std::nullopt;
    std::optional<std::string> bytes;
    switch (profile_row(profile).key) {
        case KeyForm::text: bytes = shared_key; break;
        case KeyForm::whsec: bytes = behind(whsec_prefix, shared_key); break;
        case KeyForm::whsk: bytes = seed_of(shared_key); break;
        case KeyForm::token:
            if (std::ranges::all_of(shared_key, is_visible)) bytes = shared_key;
            break;
    }
    if (bytes && bytes->empty()) bytes.reset();
    return bytes;
}

bool fits(SignatureProfile profile, std::string_view shared_key) {
    return key_bytes(profile, shared_key).has_value();
}

std::string_view wanted_key(SignatureProfile profile) {
    switch (profile_row(profile).key) {
        case KeyForm::text: break;
        case KeyForm::whsec: return "a key of \"whsec_\" and base64";
        case KeyForm::whsk:
            return "a key of \"whsk_\" and base64 of an Ed25519 seed, or of the seed and its "
                   "public key (herald new-key makes one)";
        case KeyForm::token: return "a key of visible ASCII characters without spaces";
    }
    return "a key that is not empty";
}

std::vector<SignatureProfile> candidates(std::string_view shared_key) {
    std::vector<SignatureProfile> order;
    for (const auto profile : {SignatureProfile::standard, SignatureProfile::infrahub,
                               SignatureProfile::repr, SignatureProfile::spaced}) {
        if (fits(profile, shared_key)) order.push_back(profile);
    }
    return order;
}

std::string key_fingerprint(std::string_view shared_key) {
    const Digest digest = sha256("herald-key-fingerprint:" + std::string(shared_key));
    return to_hex(digest).substr(0, 12);
}

std::string standard_form(std::string_view shared_key) {
    return std::string(whsec_prefix) + to_base64(as_bytes(shared_key));
}

std::optional<std::string> public_key_form(std::string_view shared_key) {
    const auto seed = key_bytes(SignatureProfile::ed25519, shared_key);
    if (!seed) return std::nullopt;
    return std::string(whpk_prefix) + to_base64(private_key(*seed).public_key());
}

std::string new_shared_key(SignatureProfile profile) {
    std::array<std::uint8_t, seed_bytes> random{};
    fill_random(random);
    switch (profile_row(profile).key) {
        case KeyForm::text:
        case KeyForm::whsec: break;
        case KeyForm::whsk: {
            const Ed25519Key pair(random);
            std::array<std::uint8_t, 2 * seed_bytes> both{};
            std::ranges::copy(pair.public_key(), std::ranges::copy(random, both.begin()).out);
            return std::string(whsk_prefix) + to_base64(both);
        }
        case KeyForm::token: return to_hex(std::span(random).first(20));
    }
    return std::string(whsec_prefix) + to_base64(random);
}

}  // namespace herald
