#include "core/signature.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/json.h"
#include "core/ascii.h"

namespace herald {

namespace {

constexpr std::string_view public_prefix = "whpk_";

/// `hmac` is written as its options say, all others as their row does.
SignatureOptions written_as(const ProfileRow& row, const SignatureOptions& options) {
    if (row.profile == SignatureProfile::hmac) return options;
    return {std::string(row.header), std::string(row.prefix), row.encoding, row.algorithm};
}

Ed25519Key::Seed array_of(std::string_view bytes) {
    Ed25519Key::Seed array{};
    std::ranges::copy_n(as_bytes(bytes).begin(), array.size(), array.begin());
    return array;
}

std::string message_of(const SignedSubject& subject, std::string_view payload) {
    std::string message;
    message.reserve(subject.id.size() + subject.timestamp.size() + payload.size() + 2);
    message.append(subject.id).append(".").append(subject.timestamp).append(".").append(payload);
    return message;
}

/// Whether an entry of the list, without its version, is accepted. Goes through all of them, so
/// that the time says nothing about which one it was.
bool has_entry(std::string_view header, std::string_view version, const auto& accepted) {
    bool found = false;
    while (!header.empty()) {
        const std::size_t space = header.find(' ');
        const std::string_view entry = header.substr(0, space);
        header.remove_prefix(space == header.npos ? header.size() : space + 1);
        if (!entry.starts_with(version)) continue;
        const bool equal = accepted(entry.substr(version.size()));
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

/// Of "whpk_...", or of a private key.
std::optional<Ed25519Key::PublicKey> public_key(std::string_view shared_key) {
    const auto shown = public_key_form(shared_key);
    const std::string text = shown.value_or(std::string(shared_key));
    if (!text.starts_with(public_prefix)) return std::nullopt;
    const auto bytes = from_base64(std::string_view(text).substr(public_prefix.size()));
    if (!bytes || bytes->size() != Ed25519Key::PublicKey{}.size()) return std::nullopt;
    return array_of(*bytes);
}

Verdict verify_ed25519(std::string_view shared_key, const SignedRequest& request) {
    const auto key = public_key(shared_key);
    if (!key) return Verdict::bad_key;
    const std::string message = message_of({request.id, request.timestamp, {}}, request.body);
    const auto accepted = [&](std::string_view entry) {
        const auto signature = from_base64(entry);
        return signature && ed25519_verify(*key, message, as_bytes(*signature));
    };
    const std::string_view version = profile_row(SignatureProfile::ed25519).prefix;
    return has_entry(request.signature, version, accepted) ? Verdict::valid : Verdict::mismatch;
}

/// GitHub's ids are UUIDs; ours are, behind "msg_".
std::string delivery_uuid(std::string_view id) {
    const auto uuid = id.starts_with("msg_") ? Uuid::parse(id.substr(4)) : std::nullopt;
    return uuid ? uuid->text() : std::string(id);
}

void append_missing(HeaderList& headers, std::string_view name, std::string value) {
    const bool there = std::ranges::any_of(
        headers, [&](const auto& header) { return ascii::same_name(header.first, name); });
    if (!there) headers.emplace_back(name, std::move(value));
}

}  // namespace

SignedForm signed_form(SignatureProfile profile, std::string_view canonical) {
    if (profile == SignatureProfile::spaced) return {to_spaced_json(canonical), {}};
    if (profile == SignatureProfile::repr) {
        return {std::string(canonical), to_python_repr(canonical)};
    }
    return {std::string(canonical), {}};
}

Result<Signer> Signer::create(SignatureProfile profile, std::string_view shared_key,
                              const SignatureOptions& options) {
    assert(profile != SignatureProfile::automatic);
    const ProfileRow& row = profile_row(profile);
    const auto key = key_bytes(profile, shared_key);
    if (!key) {
        return fail_field("/shared_key", "must be " + std::string(wanted_key(profile)) +
                                             " for the signature profile " + std::string(row.name));
    }
    SignatureOptions written = written_as(row, options);
    switch (row.key) {
        case KeyForm::whsk: return Signer(row, Ed25519Key(array_of(*key)), std::move(written));
        case KeyForm::token: return Signer(row, *key, std::move(written));
        case KeyForm::text:
        case KeyForm::whsec: break;
    }
    return Signer(row, Hmac(written.algorithm, *key), std::move(written));
}

std::string Signer::sign(const SignedSubject& subject, std::string_view payload) {
    if (const auto* token = std::get_if<std::string>(&key_)) return *token;
    if (auto* pair = std::get_if<Ed25519Key>(&key_)) {
        return options_.prefix + to_base64(pair->sign(message_of(subject, payload)));
    }
    const std::array<std::string_view, 5> message{subject.id, ".", subject.timestamp, ".", payload};
    const std::span parts(message);
    const bool whole = row_->content == SignedContent::message;
    const auto code = std::get<Hmac>(key_).sign(whole ? parts : parts.last(1));
    const bool hex = options_.encoding == SignatureEncoding::hex;
    return options_.prefix + (hex ? to_hex(code) : to_base64(code));
}

void append_signed_headers(HeaderList& headers, const Signer& signer, const SignedSubject& subject,
                           std::string signature) {
    headers.emplace_back("webhook-id", subject.id);
    headers.emplace_back("webhook-timestamp", subject.timestamp);
    const ProfileRow& row = profile_row(signer.profile());
    if (!row.is_list()) {
        std::erase_if(headers, [&](const auto& header) {
            return ascii::same_name(header.first, signer.header());
        });
    }
    headers.emplace_back(signer.header(), std::move(signature));
    if (!row.event_header.empty()) {
        append_missing(headers, row.event_header, std::string(subject.event));
    }
    if (!row.delivery_header.empty()) {
        append_missing(headers, row.delivery_header, delivery_uuid(subject.id));
    }
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
               Time now, std::optional<Duration> tolerance, const SignatureOptions& options) {
    if (profile == SignatureProfile::automatic) {
        return verify_any(shared_key, request, now, tolerance).verdict;
    }
    const ProfileRow& row = profile_row(profile);
    const bool list = row.is_list();
    if (request.signature.empty()) return Verdict::missing_header;
    if (list) {
        if (request.id.empty() || request.timestamp.empty()) return Verdict::missing_header;
        if (auto wrong = check_timestamp(request.timestamp, now, tolerance)) return *wrong;
    }
    if (profile == SignatureProfile::ed25519) return verify_ed25519(shared_key, request);
    auto signer = Signer::create(profile, shared_key, options);
    if (!signer) return Verdict::bad_key;
    const auto payload = payload_of(profile, request.body);
    if (!payload) return Verdict::mismatch;
    const std::string expected = signer->sign({request.id, request.timestamp, {}}, *payload);
    const std::size_t version = list ? row.prefix.size() : 0;
    const auto equals = [&](std::string_view given) {
        return equal_constant_time(given, std::string_view(expected).substr(version));
    };
    const bool good =
        list ? has_entry(request.signature, row.prefix, equals) : equals(request.signature);
    return good ? Verdict::valid : Verdict::mismatch;
}

Verification verify_any(std::string_view shared_key, const SignedRequest& request, Time now,
                        std::optional<Duration> tolerance) {
    auto profiles = candidates(shared_key);
    if (public_key(shared_key)) profiles.insert(profiles.begin(), SignatureProfile::ed25519);
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

Verification verify_request(SignatureProfile profile, const SignatureOptions& options,
                            std::string_view shared_key, const FindHeader& header,
                            std::string_view body, Time now, std::optional<Duration> tolerance) {
    const auto value = [&](std::string_view name) { return header(ascii::lower(name)); };
    if (profile == SignatureProfile::automatic) {
        for (const ProfileRow& row : profile_rows()) {
            if (row.header.empty() || value(row.header).empty()) continue;
            profile = row.profile;
            break;
        }
    }
    const SignedRequest request{value("webhook-id"), value("webhook-timestamp"),
                                value(signature_header(profile, options)), body};
    if (profile == SignatureProfile::automatic) {
        return verify_any(shared_key, request, now, tolerance);
    }
    const Verdict verdict = verify(profile, shared_key, request, now, tolerance, options);
    return {verdict, profile};
}

}  // namespace herald
