#include "core/signature_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "core/signature.h"

namespace herald {
namespace {

using enum SignatureProfile;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view library_key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view key = "supersecretkey";
constexpr std::string_view message_id = "msg_217b4ebcb84f4736b1ee222182aed371";
constexpr std::string_view body = R"({"data":{"branch_name":"test"},"id":"2ece726f","branch":null,)"
                                  R"("event":"infrahub.branch.created"})";
constexpr SignedSubject subject{message_id, "1740656629", "infrahub.branch.created"};

HeaderList headers_of(SignatureProfile profile, std::string_view shared_key,
                      const SignatureOptions& options = {}, std::string_view payload = body,
                      HeaderList headers = {}) {
    auto signer = Signer::create(profile, shared_key, options);
    EXPECT_TRUE(signer);
    append_signed_headers(headers, *signer, subject, signer->sign(subject, payload));
    return headers;
}

std::string value_of(const HeaderList& headers, std::string_view name) {
    for (const auto& [field, value] : headers) {
        if (field == name) return value;
    }
    return "(not there)";
}

Verification check(SignatureProfile profile, const HeaderList& headers, std::string_view text,
                   const SignatureOptions& options = {}, std::string_view shared_key = key) {
    const auto find = [&](std::string_view lower_name) -> std::string_view {
        for (const auto& [name, value] : headers) {
            std::string lower = name;
            for (char& c : lower) c = static_cast<char>(std::tolower(c));
            if (lower == lower_name) return value;
        }
        return {};
    };
    return verify_request(profile, options, shared_key, find, text, Time{}, std::nullopt);
}

// What GitHub documents for those who validate its deliveries.
TEST(GitHub, SignsItsDocumentedExample) {
    const auto headers = headers_of(github, "It's a Secret to Everybody", {}, "Hello, World!");
    EXPECT_EQ(value_of(headers, "X-Hub-Signature-256"),
              "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(GitHub, SendsEventAndDeliveryBesideTheStandardHeaders) {
    EXPECT_THAT(
        headers_of(github, key),
        ElementsAre(Pair("webhook-id", message_id), Pair("webhook-timestamp", "1740656629"),
                    Pair("X-Hub-Signature-256",
                         "sha256=683abfa7e9e2703c9d8223696909846957e21701f1f3264217342de3d4896832"),
                    Pair("X-GitHub-Event", "infrahub.branch.created"),
                    Pair("X-GitHub-Delivery", "217b4ebc-b84f-4736-b1ee-222182aed371")));
}

TEST(GitHub, AHeaderOfTheWebhookSaysAnotherEvent) {
    const auto headers = headers_of(github, key, {}, body, {{"x-github-event", "push"}});
    EXPECT_EQ(value_of(headers, "x-github-event"), "push");
    EXPECT_EQ(value_of(headers, "X-GitHub-Event"), "(not there)");
}

TEST(NetBox, SignsWithSha512) {
    EXPECT_THAT(headers_of(netbox, key),
                ElementsAre(Pair("webhook-id", message_id), Pair("webhook-timestamp", "1740656629"),
                            Pair("X-Hook-Signature",
                                 "d9f7ec608c4394bb535b4b03fdaabda0eab5e97b53186e26f204b5dd17ba5833"
                                 "b54ebb82b5c4a3a12463c128b2a8ee302d14698721b7404f5999dd2186f9426"
                                 "e")));
}

TEST(GitlabToken, SendsTheKeyItself) {
    EXPECT_THAT(headers_of(gitlab_token, key),
                ElementsAre(Pair("webhook-id", message_id), Pair("webhook-timestamp", "1740656629"),
                            Pair("X-Gitlab-Token", key),
                            Pair("X-Gitlab-Event", "infrahub.branch.created")));
}

TEST(HmacProfile, IsWrittenAsItsOptionsSay) {
    struct Case {
        SignatureOptions options;
        std::string_view value;
    };
    using enum SignatureEncoding;
    using enum HashAlgorithm;
    const Case cases[] = {
        {{}, "683abfa7e9e2703c9d8223696909846957e21701f1f3264217342de3d4896832"},
        // AAP's HMAC event stream.
        {{.encoding = base64}, "aDq/p+nicDydgiNpaQmEaVfiFwHx8yZCFzQt49SJaDI="},
        {{"X-Hub-Signature", "sha1=", hex, sha1}, "sha1=a2e6680fe5949f70865c345b97d55844d2f8ea58"},
        {{"X-A", "", hex, sha224}, "63b797cdcf2237c65480cd3d44caf8d89d42148d865e7e56ea5c08f9"},
        {{"X-A", "", base64, sha384},
         "/yeGd/uzVGBQaMmv4XBoScitwKuM5CJ34X0qZFVkqQxjLHMO2KiIjlhcpXpAIn+h"},
        {{"Authorization", "hmac ", base64, sha512},
         "hmac 2ffsYIxDlLtTW0sD/aq9oOq16XtTGG4m8gS13Re6WDO1TruCtcSjoSRjwSiyqO4wLRRphyG3QE9Zmd0hhvlC"
         "bg=="},
    };
    for (const auto& [options, value] : cases) {
        const auto headers = headers_of(hmac, key, options);
        EXPECT_EQ(value_of(headers, options.header), value);
        EXPECT_EQ(headers.size(), 3U);
        EXPECT_EQ(check(hmac, headers, body, options).verdict, Verdict::valid);
    }
}

TEST(VerifyRequest, KnowsAProfileByItsHeader) {
    for (const auto profile : {infrahub, github, gitlab_token, netbox}) {
        const auto found = check(automatic, headers_of(profile, key), body);
        EXPECT_EQ(found.verdict, Verdict::valid) << to_text(profile);
        EXPECT_EQ(found.profile, profile);
        EXPECT_EQ(check(automatic, headers_of(profile, "other"), body).verdict, Verdict::mismatch);
        EXPECT_EQ(check(automatic, {}, body).verdict, Verdict::missing_header);
        EXPECT_EQ(check(profile, {}, body).verdict, Verdict::missing_header);
    }
}

TEST(VerifyRequest, AChangedByteIsAMismatchWhereTheBodyIsSigned) {
    for (const auto profile : {infrahub, github, hmac, netbox}) {
        const auto headers = headers_of(profile, key);
        EXPECT_EQ(check(profile, headers, body).verdict, Verdict::valid);
        EXPECT_EQ(check(profile, headers, std::string(body) + " ").verdict, Verdict::mismatch);
    }
    EXPECT_EQ(check(gitlab_token, headers_of(gitlab_token, key), "").verdict, Verdict::valid);
}

TEST(VerifyRequest, AnotherPrefixOrEncodingIsAMismatch) {
    const auto headers = headers_of(github, key);
    EXPECT_EQ(check(hmac, headers, body, {.prefix = "sha256="}).verdict, Verdict::valid);
    EXPECT_EQ(check(hmac, headers, body).verdict, Verdict::mismatch);
    EXPECT_EQ(check(hmac, headers, body, {.prefix = "sha1="}).verdict, Verdict::mismatch);
    EXPECT_EQ(check(hmac, headers, body, {.header = "X-Other"}).verdict, Verdict::missing_header);
}

TEST(SignatureProfile, TextGoesBothWays) {
    for (const auto& [profile, text] :
         std::initializer_list<std::pair<SignatureProfile, std::string_view>>{
             {automatic, "auto"},
             {infrahub, "infrahub"},
             {spaced, "infrahub-spaced"},
             {repr, "infrahub-repr"},
             {standard, "standard"},
             {ed25519, "standard-ed25519"},
             {github, "github"},
             {hmac, "hmac"},
             {gitlab_token, "gitlab-token"},
             {netbox, "netbox"}}) {
        EXPECT_EQ(to_text(profile), text);
        EXPECT_EQ(parse_signature_profile(text), profile);
    }
    EXPECT_EQ(parse_signature_profile("automatic"), std::nullopt);
    EXPECT_EQ(parse_signature_profile(""), std::nullopt);
}

TEST(SignatureProfile, FitsTheKeysItCanUse) {
    struct Case {
        std::string_view key;
        bool as_text;
        bool as_standard;
    };
    const Case cases[] = {
        {"", false, false},
        {"supersecretkey", true, false},
        {"whsec_", true, false},
        {"whsec_not base64", true, false},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true, true},
        {"whsec_c3VwZXJzZWNyZXRrZXk=", true, true},
        {"whsec_c3VwZXJzZWNyZXRrZXk", true, true},
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true, false},
    };
    for (const Case& c : cases) {
        for (const auto profile : {automatic, infrahub, spaced, repr}) {
            EXPECT_EQ(fits(profile, c.key), c.as_text) << c.key;
        }
        for (const auto profile : {github, hmac, netbox}) {
            EXPECT_EQ(fits(profile, c.key), c.as_text) << c.key;
        }
        EXPECT_EQ(fits(standard, c.key), c.as_standard) << c.key;
    }
}

TEST(SignatureProfile, CandidatesComeInTheOrderToTry) {
    EXPECT_THAT(candidates("supersecretkey"), ElementsAre(infrahub, repr, spaced));
    EXPECT_THAT(candidates(library_key), ElementsAre(standard, infrahub, repr, spaced));
    EXPECT_THAT(candidates("whsec_!"), ElementsAre(infrahub, repr, spaced));
    EXPECT_THAT(candidates(""), IsEmpty());
}

TEST(SignatureProfile, AllAreNamedForAnError) {
    EXPECT_EQ(signature_profile_names(),
              "auto, infrahub, infrahub-spaced, infrahub-repr, standard, standard-ed25519, github, "
              "hmac, gitlab-token or netbox");
}

TEST(SignatureProfile, AnEd25519KeyIsASeedOrASeedWithItsPublicKey) {
    constexpr std::string_view pair =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6"
        "Kvg==";
    constexpr std::string_view seed = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
    constexpr std::string_view public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    EXPECT_TRUE(fits(ed25519, pair));
    EXPECT_TRUE(fits(ed25519, seed));
    EXPECT_EQ(public_key_form(pair), public_key);
    EXPECT_EQ(public_key_form(seed), public_key);
    std::string other_half(pair);
    other_half[60] = 'A';
    for (const std::string_view bad : {std::string_view(""), std::string_view("whsk_"), library_key,
                                       std::string_view("whsk_AAAA"), public_key,
                                       std::string_view(other_half), pair.substr(5)}) {
        EXPECT_FALSE(fits(ed25519, bad)) << bad;
        EXPECT_FALSE(public_key_form(bad)) << bad;
    }
}

TEST(SignatureProfile, ATokenIsVisibleAscii) {
    EXPECT_TRUE(fits(gitlab_token, "glpat-!~"));
    for (const std::string_view bad : {"", "a b", " a", "tab\t", "Z\xc3\xbcrich", "del\x7f"}) {
        EXPECT_FALSE(fits(gitlab_token, bad)) << bad;
    }
}

TEST(SharedKey, ANewOneFitsItsProfileAndIsNeverTheSame) {
    for (const ProfileRow& row : profile_rows()) {
        const std::string made = new_shared_key(row.profile);
        EXPECT_TRUE(fits(row.profile, made)) << row.name;
        EXPECT_NE(new_shared_key(row.profile), made);
    }
    EXPECT_TRUE(fits(standard, new_shared_key(automatic)));
    EXPECT_TRUE(new_shared_key(ed25519).starts_with("whsk_"));
    EXPECT_EQ(from_base64(new_shared_key(ed25519).substr(5))->size(), 64U);
    EXPECT_EQ(from_base64(new_shared_key(standard).substr(6))->size(), 32U);
}

TEST(SharedKey, FingerprintTellsKeysApartWithoutShowingThem) {
    const std::string print = key_fingerprint("supersecretkey");
    EXPECT_EQ(print.size(), 12U);
    EXPECT_EQ(print.find_first_not_of("0123456789abcdef"), print.npos);
    EXPECT_EQ(print, key_fingerprint("supersecretkey"));
    EXPECT_NE(print, key_fingerprint("supersecretkez"));
    EXPECT_NE(print, key_fingerprint(""));
}

}  // namespace
}  // namespace herald
