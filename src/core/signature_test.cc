#include "core/signature.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace herald {
namespace {

using enum SignatureProfile;
using namespace std::chrono_literals;

// The id and time of the signature vectors of contract 4.
constexpr std::string_view vector_id = "msg_217b4ebcb84f4736b1ee222182aed371";
constexpr std::int64_t vector_time = 1740656629;

// The id, time and key of the vectors of Standard Webhooks' own libraries.
constexpr std::string_view library_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t library_time = 1614265330;
constexpr std::string_view library_key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

constexpr std::string_view library_pair =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

constexpr std::string_view tag_body =
    R"({"data":{"id":"abc123","kind":"BuiltinTag","display_label":"my tag"},)"
    R"("event_type":"infrahub.node.created","branch":"main"})";
constexpr std::string_view zurich_escaped =
    R"({"data":{"name":"Z\u00fcrich <core> & 'edge'"},"branch":null,"ok":true})";
constexpr std::string_view zurich_raw =
    "{\"data\":{\"name\":\"Z\xc3\xbcrich <core> & 'edge'\"},\"branch\":null,\"ok\":true}";
constexpr std::string_view body_a =
    R"({"data":{"branch_name":"test"},"id":"2ece726f","branch":null,)"
    R"("event":"infrahub.branch.created"})";
constexpr std::string_view body_b =
    R"({"data":{"branch_id":"182c6a84-4af4-736b-35a6-c514e640ca8b","branch_name":"test",)"
    R"("sync_with_git":false},"id":"2ece726f-8574-488c-92f7-ee9a56485b46","branch":null,)"
    R"("account_id":"182c6918-8880-5252-3611-c51ae7e0d6a5",)"
    R"("occured_at":"2025-03-13 16:44:32.321142+00:00","event":"infrahub.branch.created"})";

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

/// One published or computed signature: what goes in and what must come out.
struct Vector {
    std::string_view name;
    SignatureProfile profile;
    std::string_view key;
    std::string_view id;
    std::int64_t timestamp;
    std::string body;        ///< what the profile is given
    bool canonical;          ///< the profile's own form is made of it first
    std::string_view signature;
};

std::vector<Vector> vectors() {
    const auto text = [](std::string_view t) { return std::string(t); };
    return {
        {"empty object", infrahub, "test", vector_id, vector_time, "{}", true,
         "v1,BQN9AgPA4evuGDChi9VKxNKRwediIXsAQz8hVHMfKNg="},
        {"tag, compact", infrahub, "my-webhook-secret", vector_id, vector_time, text(tag_body),
         true, "v1,5JQxZW3lMNdaSnofcSV0Y3krxQ7aZI7EyThUqHVDGc4="},
        {"tag, spaced", spaced, "my-webhook-secret", vector_id, vector_time, text(tag_body), true,
         "v1,GQdJLtlXKfs1ECpOlK66+ro6yH7kQgBMF94NdGsyHeU="},
        {"tag, repr", repr, "my-webhook-secret", vector_id, vector_time, text(tag_body), true,
         "v1,N0HWZGGgZMubyTiwb+uuUpy8SwpQra6PEi2vfuRMNKI="},
        {"umlaut escaped", infrahub, "my-webhook-secret", vector_id, vector_time,
         text(zurich_escaped), true, "v1,pJ0DxPgycAm5nu+UP48JVKxm/VRmvE357U925ekx6C8="},
        {"umlaut raw", infrahub, "my-webhook-secret", vector_id, vector_time, text(zurich_raw),
         false, "v1,ASWqIFtFWA5wE72UQOhtLX57WT8/Go5I6VHOzyTxXeM="},
        {"A compact", infrahub, "supersecretkey", vector_id, vector_time, text(body_a), true,
         "v1,7hC+TTzTYUL9/0vWHenZePvKCHc48QJx+p/t1q1SPAE="},
        {"A repr", repr, "supersecretkey", vector_id, vector_time, text(body_a), true,
         "v1,tqr8BdrtqHnr7YjJmlK1bFbANnwGR93ojcao71xaU5Q="},
        {"B compact", infrahub, "supersecretkey", vector_id, vector_time, text(body_b), true,
         "v1,2yLi/UPn9L3gG4CJkkiS7Q/lS30YzO0DASkL+QWrDxI="},
        {"B repr", repr, "supersecretkey", vector_id, vector_time, text(body_b), true,
         "v1,QJ95VYFTvLBiaYe+ZoBX4eZM6JU0E6zRtWe+jrg0u2Q="},
        {"B spaced", spaced, "supersecretkey", vector_id, vector_time, text(body_b), true,
         "v1,u+IV1SACyf4j9f5RtnxuL0UXmnUzLsZIM4exmr6olqQ="},
        {"libraries", standard, library_key, library_id, library_time, R"({"test": 2432232314})",
         false, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"Rust library", standard, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
         "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553,
         R"({"email":"test@example.com","username":"test_user"})", false,
         "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
        {"empty body", standard, library_key, library_id, library_time, "", false,
         "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="},
        {"every byte", standard, library_key, library_id, library_time, all_bytes(), false,
         "v1,sEcZ042G8Crqgxbybb3y0eDxQR3TcfYsk11I1XULhSI="},
        // Of Svix's own server test; the key holds the seed and its public key.
        {"v1a", ed25519, library_pair, library_id, library_time, R"({"test": 2432232314})", false,
         "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+"
         "m7TBAg=="},
        {"key as text", infrahub, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", library_id, library_time,
         R"({"test": 2432232314})", false, "v1,ELhqG0Ku1gwOc1f4jyKdp3SFGFLAOdJ9bvpWLciCakI="},
    };
}

std::string sign(Signer& signer, std::string_view id, std::int64_t timestamp,
                 std::string_view payload) {
    return signer.sign({id, std::to_string(timestamp), "infrahub.branch.created"}, payload);
}

std::string sign(const Vector& v) {
    auto signer = Signer::create(v.profile, v.key);
    EXPECT_TRUE(signer) << v.name;
    if (!v.canonical) return sign(*signer, v.id, v.timestamp, v.body);
    return sign(*signer, v.id, v.timestamp, signed_form(v.profile, v.body).payload());
}

std::string sent_body(const Vector& v) {
    return v.canonical ? signed_form(v.profile, v.body).body : v.body;
}

Time at(std::int64_t seconds) { return Time{std::chrono::seconds{seconds}}; }

TEST(SignatureVectors, AreSigned) {
    for (const Vector& v : vectors()) EXPECT_EQ(sign(v), v.signature) << v.name;
}

TEST(SignatureVectors, AreVerifiedByTheirProfileAndByAny) {
    for (const Vector& v : vectors()) {
        const std::string body = sent_body(v);
        const std::string timestamp = std::to_string(v.timestamp);
        const SignedRequest request{v.id, timestamp, v.signature, body};
        EXPECT_EQ(verify(v.profile, v.key, request, at(v.timestamp)), Verdict::valid) << v.name;
        const auto found = verify_any(v.key, request, at(v.timestamp));
        EXPECT_EQ(found.verdict, Verdict::valid) << v.name;
        // Both sign the body as it is, so that nobody can tell them apart.
        EXPECT_EQ(found.profile, v.profile == spaced ? infrahub : v.profile) << v.name;
    }
}

TEST(SignatureVectors, AnyChangedByteIsAMismatch) {
    for (const Vector& v : vectors()) {
        std::string body = sent_body(v);
        if (body.empty()) continue;
        body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 1);
        const std::string timestamp = std::to_string(v.timestamp);
        EXPECT_EQ(verify(v.profile, v.key, {v.id, timestamp, v.signature, body}, at(v.timestamp)),
                  Verdict::mismatch)
            << v.name;
    }
}

TEST(Signer, SignsManyMessagesUnderOneKey) {
    auto signer = Signer::create(infrahub, "test");
    ASSERT_TRUE(signer);
    const std::string first = sign(*signer, vector_id, vector_time, "{}");
    EXPECT_NE(sign(*signer, vector_id, vector_time + 1, "{}"), first);
    EXPECT_NE(sign(*signer, "msg_other", vector_time, "{}"), first);
    EXPECT_EQ(sign(*signer, vector_id, vector_time, "{}"), first);
    EXPECT_EQ(signer->profile(), infrahub);
}

TEST(Signer, RefusesAKeyThatDoesNotFit) {
    for (const char* key : {"", "plain", "whsec_", "whsec_!!!", "WHSEC_aGVsbG8="}) {
        const auto signer = Signer::create(standard, key);
        ASSERT_FALSE(signer) << key;
        EXPECT_EQ(signer.error().code, Errc::invalid);
        EXPECT_EQ(signer.error().fields.at(0).pointer, "/shared_key");
        EXPECT_EQ(signer.error().message.find("plain"), std::string::npos);
    }
    EXPECT_FALSE(Signer::create(infrahub, ""));
}

TEST(SignedForm, SaysWhatIsSentAndWhatIsSigned) {
    constexpr std::string_view body = R"({"a":[1,null],"b":true})";
    for (const auto profile : {automatic, infrahub, standard}) {
        EXPECT_EQ(signed_form(profile, body).body, body);
        EXPECT_EQ(signed_form(profile, body).signed_text, "");
    }
    EXPECT_EQ(signed_form(spaced, body).body, R"({"a": [1, null], "b": true})");
    EXPECT_EQ(signed_form(spaced, body).signed_text, "");
    EXPECT_EQ(signed_form(repr, body).body, body);
    EXPECT_EQ(signed_form(repr, body).signed_text, "{'a': [1, None], 'b': True}");
}

/// A request that is valid under the library's key, to be changed by each test.
struct Valid {
    std::string id{library_id};
    std::string timestamp = std::to_string(library_time);
    std::string signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    std::string body = R"({"test": 2432232314})";

    [[nodiscard]] Verdict verdict(Time now = at(library_time),
                                  std::optional<Duration> tolerance = 5min) const {
        return verify(standard, library_key, {id, timestamp, signature, body}, now, tolerance);
    }
};

TEST(Verify, NeedsAllThreeHeaders) {
    EXPECT_EQ(Valid{}.verdict(), Verdict::valid);
    EXPECT_EQ(Valid{.id = ""}.verdict(), Verdict::missing_header);
    EXPECT_EQ(Valid{.timestamp = ""}.verdict(), Verdict::missing_header);
    EXPECT_EQ(Valid{.signature = ""}.verdict(), Verdict::missing_header);
}

TEST(Verify, TimestampIsDecimalSeconds) {
    for (const char* bad : {"x", "-1", "+1614265330", "1614265330.5", " 1614265330", "1614265330 ",
                            "0x10", "99999999999999999999"}) {
        EXPECT_EQ(Valid{.timestamp = bad}.verdict(), Verdict::bad_timestamp) << bad;
    }
}

TEST(Verify, TimestampIsWithinTheToleranceBothWays) {
    EXPECT_EQ(Valid{}.verdict(at(library_time) + 5min), Verdict::valid);
    EXPECT_EQ(Valid{}.verdict(at(library_time) - 5min), Verdict::valid);
    EXPECT_EQ(Valid{}.verdict(at(library_time) + 5min + 1s), Verdict::too_old);
    EXPECT_EQ(Valid{}.verdict(at(library_time) - 5min - 1s), Verdict::too_new);
    EXPECT_EQ(Valid{}.verdict(at(library_time) + 2s, 1s), Verdict::too_old);
    EXPECT_EQ(Valid{}.verdict(at(library_time) + 1000h, std::nullopt), Verdict::valid);
    EXPECT_EQ(Valid{.timestamp = "9223372036854775807"}.verdict(), Verdict::too_new);
    EXPECT_EQ(Valid{.timestamp = "0"}.verdict(), Verdict::too_old);
}

TEST(Verify, TimestampIsSignedAsItWasWritten) {
    EXPECT_EQ(Valid{.timestamp = "01614265330"}.verdict(), Verdict::mismatch);
}

TEST(Verify, OneGoodEntryAmongManyIsEnough) {
    const std::string good = Valid{}.signature;
    const std::string wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    struct Case {
        std::string header;
        Verdict verdict;
    };
    const Case cases[] = {
        {wrong + " " + good, Verdict::valid},
        {good + " " + wrong, Verdict::valid},
        {wrong + " v2,abc " + good, Verdict::valid},
        {"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw== " + good, Verdict::valid},
        {"nonsense " + good, Verdict::valid},
        {"  " + good + "  ", Verdict::valid},
        {wrong, Verdict::mismatch},
        {"v1,", Verdict::mismatch},
        {"v1", Verdict::mismatch},
        {"v1, " + good.substr(3), Verdict::mismatch},
        {good.substr(3), Verdict::mismatch},
        {"v2," + good.substr(3), Verdict::mismatch},
        {"V1," + good.substr(3), Verdict::mismatch},
        {good.substr(0, good.size() - 1), Verdict::mismatch},
        {good + "=", Verdict::mismatch},
        {good + "," + good, Verdict::mismatch},
        {"   ", Verdict::mismatch},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(Valid{.signature = c.header}.verdict(), c.verdict) << c.header;
    }
}

TEST(Verify, TakesThePublicKeyOfV1aAndSkipsOtherVersions) {
    const std::string v1a =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+"
        "m7TBAg==";
    constexpr auto public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    const auto check = [](std::string_view key, const std::string& header) {
        const Valid r;
        return verify(ed25519, key, {r.id, r.timestamp, header, r.body}, at(library_time));
    };
    EXPECT_EQ(check(public_key, v1a), Verdict::valid);
    EXPECT_EQ(check(public_key, v1a + " " + Valid{}.signature), Verdict::valid);
    EXPECT_EQ(check(public_key, Valid{}.signature), Verdict::mismatch);
    EXPECT_EQ(check(public_key, "v1," + v1a.substr(4)), Verdict::mismatch);
    EXPECT_EQ(check(public_key, "v1a,!"), Verdict::mismatch);
    EXPECT_EQ(check("whpk_AAAA", v1a), Verdict::bad_key);
    EXPECT_EQ(check(library_key, v1a), Verdict::bad_key);
    const Valid r;
    const auto any = verify_any(public_key, {r.id, r.timestamp, v1a, r.body}, at(library_time));
    EXPECT_EQ(any.profile, ed25519);
    // The seed alone is the same key.
    auto seed = Signer::create(ed25519, "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=");
    ASSERT_TRUE(seed);
    EXPECT_EQ(sign(*seed, r.id, library_time, r.body), v1a);
}

TEST(Verify, WrongIdOrKeyIsRefused) {
    EXPECT_EQ(Valid{.id = "msg_other"}.verdict(), Verdict::mismatch);
    const Valid r;
    const SignedRequest request{r.id, r.timestamp, r.signature, r.body};
    EXPECT_EQ(verify(standard, "plain text", request, at(library_time)), Verdict::bad_key);
    EXPECT_EQ(verify(infrahub, "", request, at(library_time)), Verdict::bad_key);
    EXPECT_EQ(verify(standard, standard_form("x"), request, at(library_time)), Verdict::mismatch);
}

TEST(Verify, ReprReadsTheBodyWhateverItsFormIs) {
    const std::string timestamp = std::to_string(vector_time);
    constexpr std::string_view signature = "v1,tqr8BdrtqHnr7YjJmlK1bFbANnwGR93ojcao71xaU5Q=";
    const SignedRequest wide{vector_id, timestamp, signature,
                             "{ \"data\": {\"branch_name\": \"test\"},\n \"id\": \"2ece726f\", "
                             "\"branch\": null, \"event\": \"infrahub.branch.created\" }"};
    EXPECT_EQ(verify(repr, "supersecretkey", wide, at(vector_time)), Verdict::valid);
    const SignedRequest broken{vector_id, timestamp, signature, "{\"data\":"};
    EXPECT_EQ(verify(repr, "supersecretkey", broken, at(vector_time)), Verdict::mismatch);
}

TEST(Verify, AutomaticTriesAllProfiles) {
    const std::string timestamp = std::to_string(vector_time);
    const SignedRequest request{vector_id, timestamp,
                                "v1,tqr8BdrtqHnr7YjJmlK1bFbANnwGR93ojcao71xaU5Q=", body_a};
    EXPECT_EQ(verify(automatic, "supersecretkey", request, at(vector_time)), Verdict::valid);
    EXPECT_EQ(verify(automatic, "wrong", request, at(vector_time)), Verdict::mismatch);
}

TEST(VerifyAny, SaysWhyNothingVerified) {
    const std::string timestamp = std::to_string(vector_time);
    const SignedRequest request{vector_id, timestamp, "v1,AAAA", body_a};
    EXPECT_EQ(verify_any("key", request, at(vector_time)).verdict, Verdict::mismatch);
    EXPECT_EQ(verify_any("", request, at(vector_time)).verdict, Verdict::bad_key);
    EXPECT_EQ(verify_any("key", request, at(vector_time) + 1h).verdict, Verdict::too_old);
    EXPECT_EQ(verify_any("key", {vector_id, timestamp, "", body_a}, at(vector_time)).verdict,
              Verdict::missing_header);
    EXPECT_EQ(verify_any("key", request, at(vector_time)).profile, automatic);
}

TEST(VerifyAny, TextUnderAStandardKeyIsFoundToo) {
    auto signer = Signer::create(infrahub, library_key);
    ASSERT_TRUE(signer);
    const std::string signature = sign(*signer, vector_id, vector_time, body_a);
    const std::string timestamp = std::to_string(vector_time);
    const auto found =
        verify_any(library_key, {vector_id, timestamp, signature, body_a}, at(vector_time));
    EXPECT_EQ(found.verdict, Verdict::valid);
    EXPECT_EQ(found.profile, infrahub);
}

TEST(Verdict, EachHasItsText) {
    EXPECT_EQ(to_text(Verdict::valid), "valid");
    EXPECT_EQ(to_text(Verdict::missing_header), "missing_header");
    EXPECT_EQ(to_text(Verdict::bad_timestamp), "bad_timestamp");
    EXPECT_EQ(to_text(Verdict::too_old), "too_old");
    EXPECT_EQ(to_text(Verdict::too_new), "too_new");
    EXPECT_EQ(to_text(Verdict::bad_key), "bad_key");
    EXPECT_EQ(to_text(Verdict::mismatch), "mismatch");
}

TEST(SharedKey, StandardFormIsWhatLibrariesWant) {
    EXPECT_EQ(standard_form("supersecretkey"), "whsec_c3VwZXJzZWNyZXRrZXk=");
    // A receiver with that key and a standard library accepts what is signed with the text.
    auto text = Signer::create(infrahub, "supersecretkey");
    auto decoded = Signer::create(standard, standard_form("supersecretkey"));
    ASSERT_TRUE(text && decoded);
    EXPECT_EQ(sign(*text, "a", 1, "b"), sign(*decoded, "a", 1, "b"));
}

}  // namespace
}  // namespace herald
