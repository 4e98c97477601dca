// Rotation of a shared key: the old one signs too until its grace is over.
#include <gmock/gmock.h>

#include "base/json.h"
#include "core/webhook_options.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using enum SignatureProfile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::string old_key = "the old key of it";
const std::string new_key = "the new key of it";
const std::string old_token = "the-old-token";
const std::string new_token = "the-new-token";

struct Rotating : EngineTest {
    Webhook signed_by(const Receiver& receiver, SignatureProfile profile, const std::string& key) {
        Webhook webhook = to(receiver);
        webhook.signature_profile = profile;
        webhook.shared_key = key;
        webhook.retry = {.delays = {0s, 1s, 1s}, .jitter = 0};
        return webhook;
    }
    Webhook stored() { return *engine->catalog.find("hook"); }
    /// What a person does: another key, and a grace for the one before.
    void rotate(const std::string& key, Duration grace = 24h) {
        Webhook webhook = stored();
        webhook.shared_key = key;
        webhook.key_rotation.grace = grace;
        update(webhook);
    }
    std::optional<KeyUse> accepted() { return stored().key_rotation.accepted; }
    DeliveryDetail delivered(std::uint64_t n) {
        return until_state(send_one(node_event(n)), DeliveryState::delivered);
    }
    static std::vector<std::string> entries(const ServerRequest& request) {
        std::string header(request.header("webhook-signature"));
        std::vector<std::string> all;
        for (auto space = header.find(' '); space != header.npos; space = header.find(' ')) {
            all.push_back(header.substr(0, space));
            header.erase(0, space + 1);
        }
        all.push_back(header);
        return all;
    }
    /// A receiver that compares the whole header, as the documented example does.
    static Receiver::Decide strict(std::string key) {
        return [key = std::move(key)](const ServerRequest& request) {
            const bool one = entries(request).size() == 1;
            const bool good = one && verify_request(request, infrahub, key) == Verdict::valid;
            return ServerAnswer{.status = good ? 200 : 403};
        };
    }
    /// Everything that the store keeps of the webhook, as JSON.
    std::string kept_options() {
        auto read = [&store = engine->store] { return store.webhooks(); };
        const auto all = run(engine->writer.run(read));
        for (const Webhook& webhook : all.value()) {
            if (webhook.name == "hook") return stored_options(webhook);
        }
        return "none";
    }
};

TEST_F(Rotating, AListCarriesBothSignaturesTheCurrentOneLast) {
    for (const auto profile : {infrahub, spaced, repr}) {
        Receiver receiver(loop, wheel, answer_with(200));
        const auto entry = add(signed_by(receiver, profile, old_key));
        rotate(new_key);
        delivered(static_cast<std::uint64_t>(profile));
        ASSERT_EQ(receiver.requests.size(), 1U);
        const ServerRequest& request = receiver.requests[0];
        EXPECT_EQ(verify_request(request, profile, old_key), Verdict::valid) << to_text(profile);
        EXPECT_EQ(verify_request(request, profile, new_key), Verdict::valid) << to_text(profile);
        ASSERT_THAT(entries(request), SizeIs(2));
        ServerRequest last = request;
        for (auto& [name, value] : last.headers) {
            if (name == "webhook-signature") value = entries(request)[1];
        }
        EXPECT_EQ(verify_request(last, profile, new_key), Verdict::valid);
        EXPECT_EQ(accepted(), KeyUse::both);
        remove(entry->id);
    }
}

TEST_F(Rotating, FromStandardToEd25519BothVersionsStandInOneHeader) {
    Receiver receiver(loop, wheel, answer_with(200));
    const std::string whsec = new_shared_key(standard);
    const std::string whsk = new_shared_key(ed25519);
    add(signed_by(receiver, standard, whsec));
    Webhook webhook = stored();
    webhook.shared_key = whsk;
    webhook.signature_profile = ed25519;
    webhook.key_rotation.grace = 1h;
    update(webhook);
    delivered(1);
    const ServerRequest& request = receiver.requests.at(0);
    const auto both = entries(request);
    ASSERT_THAT(both, SizeIs(2));
    EXPECT_TRUE(both[0].starts_with("v1a,"));
    EXPECT_TRUE(both[1].starts_with("v1,")) << "libraries that look at the last know v1 only";
    EXPECT_EQ(verify_request(request, ed25519, *public_key_form(whsk)), Verdict::valid);
    EXPECT_EQ(verify_request(request, standard, whsec), Verdict::valid);
}

TEST_F(Rotating, OthersAreProbedTheNewKeyFirst) {
    std::uint64_t n = 0;
    for (const auto profile : {github, hmac, netbox, gitlab_token}) {
        for (const int refusal : {401, 403}) {
            Receiver receiver(loop, wheel, accept_only(profile, old_token, refusal));
            const auto entry = add(signed_by(receiver, profile, old_token));
            rotate(new_token);
            const DeliveryDetail found = delivered(++n);
            ASSERT_EQ(receiver.requests.size(), 2U) << to_text(profile);
            EXPECT_EQ(verify_request(receiver.requests[0], profile, new_token), Verdict::valid);
            EXPECT_EQ(verify_request(receiver.requests[1], profile, old_token), Verdict::valid);
            EXPECT_EQ(found.delivery.attempts, 1U);
            const auto& refused = found.attempts.at(0).refused_profiles;
            ASSERT_THAT(refused, SizeIs(1));
            EXPECT_EQ(refused[0].profile, to_text(profile));
            EXPECT_EQ(refused[0].status, refusal);
            remove(entry->id);
        }
    }
}

TEST_F(Rotating, WhatWasAcceptedIsTriedFirstUntilTheReceiverChanges) {
    Receiver receiver(loop, wheel, accept_only(github, old_key));
    add(signed_by(receiver, github, old_key));
    rotate(new_key);
    delivered(1);
    EXPECT_EQ(accepted(), KeyUse::previous);
    delivered(2);
    EXPECT_EQ(receiver.requests.size(), 3U) << "the old key at once";
    reopen();
    EXPECT_EQ(accepted(), KeyUse::previous) << "also after a restart";
    delivered(3);
    EXPECT_EQ(receiver.requests.size(), 4U);

    receiver.decide = accept_only(github, new_key);
    delivered(4);
    EXPECT_EQ(receiver.requests.size(), 6U);
    EXPECT_EQ(accepted(), KeyUse::current);
    delivered(5);
    EXPECT_EQ(receiver.requests.size(), 7U);
}

TEST_F(Rotating, AReceiverThatComparesTheWholeHeaderIsSentOneSignature) {
    Receiver receiver(loop, wheel, strict(old_key));
    add(signed_by(receiver, infrahub, old_key));
    rotate(new_key);
    EXPECT_EQ(delivered(1).attempts.at(0).refused_profiles.size(), 2U) << "both, then the new one";
    EXPECT_EQ(accepted(), KeyUse::previous);
    receiver.decide = strict(new_key);
    delivered(2);
    EXPECT_EQ(accepted(), KeyUse::current);
    const std::size_t before = receiver.requests.size();
    delivered(3);
    EXPECT_EQ(receiver.requests.size(), before + 1);
}

TEST_F(Rotating, OtherAnswersAreNotProbed) {
    std::uint64_t n = 0;
    for (const int status : {400, 404, 429, 500}) {
        Receiver receiver(loop, wheel, answer_with(status));
        const auto entry = add(signed_by(receiver, github, old_key));
        rotate(new_key);
        const auto found = until_attempts(send_one(node_event(++n)), 1);
        EXPECT_EQ(receiver.requests.size(), 1U) << status;
        EXPECT_TRUE(found.attempts.at(0).refused_profiles.empty());
        EXPECT_EQ(accepted(), std::nullopt);
        remove(entry->id);
    }
}

TEST_F(Rotating, AReceiverThatRefusesBothFailsAsEver) {
    Receiver receiver(loop, wheel, answer_with(401));
    add(signed_by(receiver, github, old_key));
    rotate(new_key);
    const DeliveryId id = send_one(node_event(1));
    const auto found = until_attempts(id, 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_client_error);
    EXPECT_EQ(receiver.requests.size(), 2U);
    // The receiver comes to its senses, with the old key still.
    receiver.decide = accept_only(github, old_key);
    advance(1s);
    until_state(id, DeliveryState::delivered);
}

TEST_F(Rotating, ADeliveryRetriedAcrossItIsSignedByTheRulesOfTheAttempt) {
    Receiver receiver(loop, wheel, answer_with(503));
    add(signed_by(receiver, infrahub, old_key));
    const DeliveryId id = send_one(node_event(1));
    until_attempts(id, 1);
    rotate(new_key, 10min);
    advance(1s);
    until_attempts(id, 2);
    advance(10min);
    until_attempts(id, 3);
    ASSERT_EQ(receiver.requests.size(), 3U);
    const auto verdicts = [&](std::size_t request) {
        const auto is_by = [&](const std::string& key) {
            return verify_request(receiver.requests[request], infrahub, key) == Verdict::valid;
        };
        return std::string(is_by(old_key) ? "old" : "") + (is_by(new_key) ? "new" : "");
    };
    EXPECT_EQ(verdicts(0), "old");
    EXPECT_EQ(verdicts(1), "oldnew");
    EXPECT_EQ(verdicts(2), "new");
}

TEST_F(Rotating, AfterTheGraceTheOldKeyIsNotUsedAndWipedFromTheStore) {
    Receiver receiver(loop, wheel, accept_only(github, old_key));
    add(signed_by(receiver, github, old_key));
    rotate(new_key, 1h);
    delivered(1);
    EXPECT_THAT(kept_options(), HasSubstr(old_key));
    const std::uint64_t version = stored().version;
    advance(1h);
    engine->janitor.look();
    until([&] { return kept_options().find(old_key) == std::string::npos; }, "the wiping");
    EXPECT_EQ(stored().key_rotation, KeyRotation{});
    EXPECT_EQ(stored().version, version) << "no person changed it";
    const std::size_t before = receiver.requests.size();
    const auto found = until_attempts(send_one(node_event(2)), 1);
    EXPECT_EQ(found.delivery.state, DeliveryState::pending);
    EXPECT_EQ(receiver.requests.size(), before + 1);
    EXPECT_EQ(verify_request(receiver.requests.back(), github, new_key), Verdict::valid);
}

TEST_F(Rotating, WithoutAGraceTheOldKeyIsGoneAtOnce) {
    Receiver receiver(loop, wheel, accept_only(github, old_key));
    add(signed_by(receiver, github, old_key));
    rotate(new_key, Duration{0});
    EXPECT_THAT(kept_options(), Not(HasSubstr(old_key)));
    until_attempts(send_one(node_event(1)), 1);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Rotating, WithAutoTheAcceptedProfileStaysWhenTheKeyIsRotated) {
    Receiver receiver(loop, wheel, accept_only(spaced, old_key));
    Webhook webhook = signed_by(receiver, automatic, old_key);
    add(webhook);
    delivered(1);
    ASSERT_EQ(stored().accepted_profile, spaced);
    rotate(new_key);
    EXPECT_EQ(stored().accepted_profile, spaced);
    const auto found = delivered(2);
    EXPECT_TRUE(found.attempts.at(0).refused_profiles.empty());
    rotate(new_key + "!", Duration{0});
    EXPECT_EQ(stored().accepted_profile, std::nullopt);
}

TEST_F(Rotating, WithAutoAProfileThatTheNewKeyCannotUseIsForgotten) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(signed_by(receiver, automatic, new_shared_key(standard)));
    delivered(1);
    ASSERT_EQ(stored().accepted_profile, standard);
    rotate(new_key);
    EXPECT_EQ(stored().accepted_profile, std::nullopt);
    delivered(2);
    EXPECT_EQ(stored().accepted_profile, infrahub);
}

TEST_F(Rotating, AnOldKeyMayLieOutsideAndIsReadAtSend) {
    environment["OLD_KEY_OF_TEST"] = old_key;
    Receiver receiver(loop, wheel, accept_only(github, old_key));
    add(signed_by(receiver, github, "env:OLD_KEY_OF_TEST"));
    rotate(new_key);
    delivered(1);
    EXPECT_EQ(accepted(), KeyUse::previous);
    environment.erase("OLD_KEY_OF_TEST");
    receiver.decide = accept_only(github, new_key);
    delivered(2);
}

TEST_F(Rotating, NoKeyOrSignatureOfEitherKeyIsRecorded) {
    Receiver receiver(loop, wheel, [](const ServerRequest& request) {
        return ServerAnswer{.status = 200,
                            .content_type = "text/plain",
                            .body = entries(request)[0] + "\n" + entries(request)[1]};
    });
    add(signed_by(receiver, infrahub, old_key));
    rotate(new_key);
    const Attempt attempt = delivered(1).attempts.at(0);
    EXPECT_EQ(attempt.response_body, "***\n***");
    for (const auto& [name, value] : attempt.request_headers) {
        if (name == "webhook-signature") {
            EXPECT_EQ(value, "***");
        }
    }
}

}  // namespace
}  // namespace herald::test
