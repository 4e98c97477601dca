#include "core/signature.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "base/json.h"

namespace herald {

namespace {

constexpr std::string_view standard_prefix = "whsec_";
constexpr std::string_view version = "v1,";

constexpr std::array all_profiles{SignatureProfile::automatic, SignatureProfile::infrahub,
                                  SignatureProfile::spaced, SignatureProfile::repr,
                                  SignatureProfile::standard};

/// The bytes that a profile keys its HMAC with; nullopt: the key does not fit.
std::optional<std::string> key_bytes(SignatureProfile profile, std::string_view shared_key) {
    if (shared_key.empty()) return std::nullopt;
    if (profile != SignatureProfile::standard) return std::string(shared_key);
    if (!shared_key.starts_with(standard_prefix)) return std::nullopt;
    auto bytes = from_base64(shared_key.substr(standard_prefix.size()));
    if (!bytes || bytes->empty()) return std::nullopt;
    return bytes;
}

std::string signature_of(HmacSha256& mac, std::string_view id, std::string_view timestamp,
                         std::string_view payload) {
    const std::array<std::string_view, 5> parts{id, ".", timestamp, ".", payload};
    return to_base64(mac.sign(parts));
}

/// Whether any "v1" entry of the header is the expected signature. Goes through all of them, so
/// that the time says nothing about which one it was.
bool has_entry(std::string_view header, std::string_view expected) {
    bool found = false;
    while (!header.empty()) {
        const std::size_t space = header.find(' ');
        const std::string_view entry = header.substr(0, space);
        header.remove_prefix(space == header.npos ? header.size() : space + 1);
        if (!entry.starts_with(version)) continue;
        const bool equal = equal_constant_time(entry.substr(version.size()), expected);
        found = found || equal;
    }
    return found;
}

std::optional<Verdict> check_timestamp(std::string_view text, Time now,
                                       std::optional<Duration> tolerance) {
    std::int64_t seconds = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = stop == text.data() + text.size();
    if (error != std::errc{} || !whole || text.front() == '-') return Verdict::bad_timestamp;
    if (!tolerance) return std::nullopt;
    // Compared in a double's range: a timestamp of any size must not overflow.
    const double age = static_cast<double>(to_micros(now)) - static_cast<double>(seconds) * 1e6;
    const auto allowed = static_cast<double>(tolerance->count());
    if (age > allowed) return Verdict::too_old;
    if (age < -allowed) return Verdict::too_new;
    return std::nullopt;
}

/// The text that the profile would have signed for a body as it came in.
std::optional<std::string> payload_of(SignatureProfile profile, std::string_view body) {
    if (profile != SignatureProfile::repr) return std::string(body);
    auto canonical = canonical_json(body);
    if (!canonical) return std::nullopt;
    return to_python_repr(*canonical);
}

}  // namespace

std::string_view to_text(SignatureProfile profile) {
    switch (profile) {
        case SignatureProfile::automatic: return "auto";
        case SignatureProfile::infrahub: return "infrahub";
        case SignatureProfile::spaced: return "infrahub-spaced";
        case SignatureProfile::repr: return "infrahub-repr";
        case SignatureProfile::standard: return "standard";
    }
    return "";
}

std::optional<SignatureProfile> parse_signature_profile(std::string_view text) {
    const auto found =
        std::ranges::find(all_profiles, text, [](SignatureProfile p) { return to_text(p); });
    if (found == all_profiles.end()) return std::nullopt;
    return *found;
}

bool fits(SignatureProfile profile, std::string_view shared_key) {
    return key_bytes(profile, shared_key).has_value();
}

std::vector<SignatureProfile> candidates(std::string_view shared_key) {
    std::vector<SignatureProfile> order;
    for (const auto profile : {SignatureProfile::standard, SignatureProfile::infrahub,
                               SignatureProfile::repr, SignatureProfile::spaced}) {
        if (fits(profile, shared_key)) order.push_back(profile);
    }
    return order;
}

SignedForm signed_form(SignatureProfile profile, std::string_view canonical) {
    switch (profile) {
        case SignatureProfile::spaced: return {to_spaced_json(canonical), {}};
        case SignatureProfile::repr: return {std::string(canonical), to_python_repr(canonical)};
        case SignatureProfile::automatic:
        case SignatureProfile::infrahub:
        case SignatureProfile::standard: break;
    }
    return {std::string(canonical), {}};
}

Result<Signer> Signer::create(SignatureProfile profile, std::string_view shared_key) {
    assert(profile != SignatureProfile::automatic);
    const auto key = key_bytes(profile, shared_key);
    if (!key) {
        return fail_field("/shared_key",
                          profile == SignatureProfile::standard
                              ? "must be \"whsec_\" and base64 for the signature profile standard"
                              : "must not be empty for a signed webhook");
    }
    return Signer(profile, HmacSha256(*key));
}

std::string Signer::sign(std::string_view id, std::int64_t timestamp, std::string_view payload) {
    return std::string(version) + signature_of(mac_, id, std::to_string(timestamp), payload);
}

std::string_view to_text(Verdict verdict) {
    switch (verdict) {
        case Verdict::valid: return "valid";
        case Verdict::missing_header: return "missing_header";
        case Verdict::bad_timestamp: return "bad_timestamp";
        case Verdict::too_old: return "too_old";
        case Verdict::too_new: return "too_new";
        case Verdict::bad_key: return "bad_key";
        case Verdict::mismatch: return "mismatch";
    }
    return "";
}

Verdict verify(SignatureProfile profile, std::string_view shared_key, const SignedRequest& request,
               Time now, std::optional<Duration> tolerance) {
    if (profile == SignatureProfile::automatic) {
        return verify_any(shared_key, request, now, tolerance).verdict;
    }
    if (request.id.empty() || request.timestamp.empty() || request.signature.empty()) {
        return Verdict::missing_header;
    }
    if (auto wrong = check_timestamp(request.timestamp, now, tolerance)) return *wrong;
    const auto key = key_bytes(profile, shared_key);
    if (!key) return Verdict::bad_key;
    const auto payload = payload_of(profile, request.body);
    if (!payload) return Verdict::mismatch;
    HmacSha256 mac(*key);
    const std::string expected = signature_of(mac, request.id, request.timestamp, *payload);
    return has_entry(request.signature, expected) ? Verdict::valid : Verdict::mismatch;
}

Verification verify_any(std::string_view shared_key, const SignedRequest& request, Time now,
                        std::optional<Duration> tolerance) {
    const auto profiles = candidates(shared_key);
    if (profiles.empty()) return {Verdict::bad_key, SignatureProfile::automatic};
    Verdict verdict = Verdict::mismatch;
    for (const SignatureProfile profile : profiles) {
        verdict = verify(profile, shared_key, request, now, tolerance);
        if (verdict == Verdict::valid) return {verdict, profile};
        // Only the signature depends on the profile: the headers are wrong for all of them.
        if (verdict != Verdict::mismatch) break;
    }
    return {verdict, SignatureProfile::automatic};
}

std::string key_fingerprint(std::string_view shared_key) {
    const Digest digest = sha256("herald-key-fingerprint:" + std::string(shared_key));
    return to_hex(digest).substr(0, 12);
}

std::string standard_form(std::string_view shared_key) {
    return std::string(standard_prefix) + to_base64(as_bytes(shared_key));
}

}  // namespace herald
