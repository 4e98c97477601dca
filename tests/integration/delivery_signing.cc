// Every signature profile over real sockets: what is signed is what is sent.
#include <gmock/gmock.h>

#include "base/bytes.h"
#include "base/json.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using enum SignatureProfile;
using testing::HasSubstr;
using testing::Not;

const std::string text_key = "my-webhook-secret";
const std::string whsec_key = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
const std::string whsk_key = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";

std::string key_for(SignatureProfile profile) {
    if (profile == standard) return whsec_key;
    if (profile == ed25519) return whsk_key;
    return text_key;
}

/// Bodies that whoever reads and writes JSON anew would change. Duplicate keys, lone surrogates and
/// wrong UTF-8 are refused at ingest.
std::vector<std::string> odd_bodies() {
    std::string deep(90, '[');
    deep += std::string(90, ']');
    std::vector<std::string> raw = {
        "{}",
        R"({"n":[1e400,1.50,-0,-0.0,1E5,123456789012345678901234567890,0.1e-7]})",
        R"({"t":"\ud83d\ude00 \u0000\u007f\u2028 \/ \u00e9"})",
        "{\"t\":\"Z\xc3\xbcrich \xf0\x9f\x98\x80 \x7f\"}",
        R"({"":null,"\u0000":""," ":" "})",
        R"({"deep":)" + deep + "}",
        R"({"long":")" + std::string(300'000, 'x') + R"("})",
    };
    for (std::string& body : raw) body = canonical_json(body).value();
    return raw;
}

struct Signing : EngineTest {
    Catalog::Entry add_signed(const Receiver& receiver, SignatureProfile profile,
                              const SignatureOptions& written = {}) {
        Webhook webhook = to(receiver, std::string(to_text(profile)));
        webhook.signature_profile = profile;
        webhook.shared_key = key_for(profile);
        webhook.signature = written;
        return add(webhook);
    }
    Verdict raw_verdict(const ServerRequest& request, SignatureProfile profile) {
        const auto find = [&](std::string_view name) { return request.header(name); };
        return herald::verify_request(profile, {}, key_for(profile), find, request.body, noon,
                                      std::nullopt)
            .verdict;
    }
};

TEST_F(Signing, TheBytesSignedAreTheBytesSentByEveryProfile) {
    Receiver receiver(loop, wheel, answer_with(200));
    std::uint64_t n = 0;
    for (const ProfileRow& row : profile_rows()) {
        if (row.profile == automatic) continue;
        const auto entry = add_signed(receiver, row.profile);
        for (const std::string& body : odd_bodies()) {
            Event event = node_event(++n);
            event.body = body;
            const auto found = until_state(send_one(event), DeliveryState::delivered);
            EXPECT_EQ(found.attempts.at(0).signature_profile, row.name);
            const ServerRequest& request = receiver.requests.back();
            const bool wide = row.profile == spaced;
            EXPECT_EQ(request.body, wide ? to_spaced_json(body) : body);
            EXPECT_EQ(raw_verdict(request, row.profile), Verdict::valid)
                << row.name << ": " << body.substr(0, 80);
        }
        remove(entry->id);
    }
    EXPECT_EQ(receiver.requests.size(), 9 * odd_bodies().size());
}

TEST_F(Signing, HeadersThatGoWithAProfileStandBesideTheStandardOnes) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto entry = add_signed(receiver, github);
    const DeliveryId id = send_one(node_event(1));
    until_state(id, DeliveryState::delivered);
    const ServerRequest& request = receiver.requests.at(0);
    EXPECT_EQ(request.header("webhook-id"), id.text());
    EXPECT_NE(request.header("webhook-timestamp"), "");
    EXPECT_EQ(request.header("webhook-signature"), "");
    EXPECT_EQ(request.header("x-github-event"), "infrahub.node.created");
    EXPECT_EQ(request.header("x-github-delivery"), Uuid::parse(id.text().substr(4))->text());
}

TEST_F(Signing, AnyHeaderPrefixEncodingAndAlgorithmAreWritten) {
    Receiver receiver(loop, wheel, answer_with(200));
    const SignatureOptions written{"X-Of-Ours", "v0=", SignatureEncoding::base64,
                                   HashAlgorithm::sha384};
    add_signed(receiver, hmac, written);
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const ServerRequest& request = receiver.requests.at(0);
    EXPECT_EQ(verify_request(request, hmac, text_key, written), Verdict::valid);
    EXPECT_TRUE(request.header("x-of-ours").starts_with("v0="));
}

TEST_F(Signing, NeitherTokenNorSignatureIsRecordedAlsoWhenTheReceiverRepeatsThem) {
    Receiver receiver(loop, wheel, [](const ServerRequest& request) {
        std::string seen;
        for (const auto& [name, value] : request.headers) seen += name + ": " + value + "\n";
        return ServerAnswer{.status = 200, .content_type = "text/plain", .body = seen};
    });
    std::uint64_t n = 0;
    for (const auto profile : {infrahub, ed25519, github, hmac, gitlab_token, netbox}) {
        const auto entry = add_signed(receiver, profile);
        const auto found = until_state(send_one(node_event(++n)), DeliveryState::delivered);
        const Attempt& attempt = found.attempts.at(0);
        const std::string header(signature_header(profile));
        std::string shown;
        for (const auto& [name, value] : attempt.request_headers) {
            if (name == header) shown = value;
        }
        EXPECT_EQ(shown, "***") << header;
        std::string lower = header;
        for (char& c : lower) c = static_cast<char>(std::tolower(c));
        const std::string sent(receiver.requests.back().header(lower));
        ASSERT_NE(sent, "");
        EXPECT_THAT(attempt.response_body, Not(HasSubstr(sent))) << to_text(profile);
        EXPECT_THAT(attempt.response_body, HasSubstr("***"));
        remove(entry->id);
    }
}

}  // namespace
}  // namespace herald::test
