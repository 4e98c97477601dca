// One event on its way to its receivers, over real sockets, and what is recorded of it.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "infrahub/decode.h"
#include "support/engine.h"
#include "support/raw_receiver.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

struct Delivering : EngineTest {
    /// The delivery of one event to a receiver that answers with that status, after one attempt.
    DeliveryDetail answered(int status) {
        Receiver receiver(loop, wheel, answer_with(status));
        Webhook webhook = to(receiver, "answers " + std::to_string(status));
        webhook.retry = *retry_preset("none");
        const auto entry = add(webhook);
        const DeliveryId id = send_one(node_event(static_cast<std::uint64_t>(status)));
        until_attempts(id, 1);
        remove(entry->id);
        return detail(id);
    }
};

TEST_F(Delivering, AnEventArrivesSignedAndIsRecorded) {
    Receiver receiver(loop, wheel, answer_with(201, "thank you"));
    add(to(receiver));
    const DeliveryId id = send_one(node_event(1));
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);

    ASSERT_EQ(receiver.requests.size(), 1U);
    const ServerRequest& request = receiver.requests[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/hook");
    EXPECT_EQ(request.header("content-type"), "application/json");
    EXPECT_EQ(request.header("accept"), "application/json");
    EXPECT_EQ(request.header("user-agent"), "herald-test");
    EXPECT_EQ(request.body, node_event(1).body);
    EXPECT_EQ(request.header("webhook-id"), id.text());
    EXPECT_EQ(request.header("webhook-timestamp"), std::to_string(to_micros(noon) / 1'000'000));
    EXPECT_EQ(verify_request(request, SignatureProfile::infrahub, "a key of a test"),
              Verdict::valid);

    EXPECT_EQ(found.delivery.attempts, 1U);
    EXPECT_EQ(found.delivery.cause, Cause::event);
    EXPECT_EQ(found.delivery.event, event_id(1));
    ASSERT_EQ(found.attempts.size(), 1U);
    const Attempt& attempt = found.attempts[0];
    EXPECT_EQ(attempt.number, 1U);
    EXPECT_EQ(attempt.started_at, noon);
    EXPECT_GT(attempt.took, 0us);
    EXPECT_EQ(attempt.url, receiver.url());
    EXPECT_EQ(attempt.signature_profile, "infrahub");
    EXPECT_EQ(attempt.status, 201);
    EXPECT_EQ(attempt.response_body, "thank you");
    EXPECT_FALSE(attempt.response_cut);
    EXPECT_TRUE(attempt.outcome.ok());
}

TEST_F(Delivering, TheDocumentedPayloadsArriveByteForByte) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    std::vector<std::string> sent;
    for (const std::string name : {"branch_created", "node_created", "node_updated"}) {
        std::ifstream file(HERALD_SOURCE_DIR "/examples/" + name + ".json");
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto canonical = canonical_json(text);
        ASSERT_TRUE(canonical);
        const auto event = infrahub::decode_event(JsonView(*canonical), noon, "test");
        ASSERT_TRUE(event) << event.error().message;
        until_state(send_one(*event), DeliveryState::delivered);
        EXPECT_EQ(receiver.requests.back().body, *canonical);
    }
}

TEST_F(Delivering, OnlyWebhooksThatWantAnEventGetIt) {
    Receiver receiver(loop, wheel, answer_with(200));
    const auto target = [&](const std::string& name) {
        Webhook webhook = to(receiver, name);
        webhook.url = receiver.url("/" + name);
        return webhook;
    };
    add(target("all"));
    Webhook webhook = target("type");
    webhook.filter.event_types = {"infrahub.node.created"};
    add(webhook);
    webhook = target("other-type");
    webhook.filter.event_types = {"infrahub.node.deleted"};
    add(webhook);
    webhook = target("kind");
    webhook.filter.node_kind = "InfraDevice";
    add(webhook);
    webhook = target("other-kind");
    webhook.filter.node_kind = "InfraSite";
    add(webhook);
    webhook = target("default-branch");
    webhook.filter.branch_scope = BranchScope::default_branch;
    add(webhook);
    webhook = target("other-branches");
    webhook.filter.branch_scope = BranchScope::other_branches;
    add(webhook);
    webhook = target("paused");
    webhook.active = false;
    add(webhook);

    const Submitted sent = send(node_event(1));
    ASSERT_EQ(sent.deliveries.size(), 4U);
    std::vector<std::string> ids;
    for (const DeliveryId id : sent.deliveries) {
        until_state(id, DeliveryState::delivered);
        ids.push_back(id.text());
    }
    std::vector<std::string> paths;
    std::vector<std::string> sent_ids;
    for (const ServerRequest& request : receiver.requests) {
        paths.push_back(request.path);
        sent_ids.emplace_back(request.header("webhook-id"));
    }
    EXPECT_THAT(paths, testing::UnorderedElementsAre("/all", "/type", "/kind", "/default-branch"));
    EXPECT_THAT(sent_ids, testing::UnorderedElementsAreArray(ids));
}

TEST_F(Delivering, OnlyA2xxIsSuccess) {
    for (const int status : {200, 201, 202, 204, 299}) {
        const DeliveryDetail found = answered(status);
        EXPECT_EQ(found.delivery.state, DeliveryState::delivered) << status;
        EXPECT_EQ(found.attempts.at(0).status, status);
    }
    for (const int status : {300, 304, 400, 404, 410, 418, 429, 499}) {
        const DeliveryDetail found = answered(status);
        EXPECT_EQ(found.delivery.state, DeliveryState::failed) << status;
        EXPECT_EQ(found.delivery.last_failure, FailureClass::http_client_error) << status;
        EXPECT_EQ(found.attempts.at(0).status, status);
        EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr(std::to_string(status)));
    }
    for (const int status : {500, 502, 503, 504, 599}) {
        const DeliveryDetail found = answered(status);
        EXPECT_EQ(found.delivery.state, DeliveryState::failed) << status;
        EXPECT_EQ(found.delivery.last_failure, FailureClass::http_server_error) << status;
    }
}

TEST_F(Delivering, ARedirectIsAFailureAndIsNotFollowed) {
    Receiver target(loop, wheel, answer_with(200));
    Receiver receiver(loop, wheel, answer_with(307));
    receiver.decide = [&](const ServerRequest&) {
        return ServerAnswer{.status = 307, .headers = {{"Location", target.url()}}};
    };
    add(to(receiver));
    const DeliveryDetail found = until_attempts(send_one(node_event(1)), 1);
    EXPECT_EQ(found.delivery.state, DeliveryState::pending);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::http_client_error);
    EXPECT_TRUE(target.requests.empty());
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Delivering, WithoutAKeyNothingIsSigned) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.kind = WebhookKind::custom;
    webhook.shared_key.clear();
    add(webhook);
    const DeliveryDetail found = until_state(send_one(node_event(1)), DeliveryState::delivered);
    EXPECT_EQ(found.attempts.at(0).signature_profile, "");
    for (const std::string name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
        EXPECT_EQ(receiver.requests.at(0).header(name), "") << name;
    }
    EXPECT_EQ(receiver.requests.at(0).header("webhook-cause"), "event");
    EXPECT_EQ(receiver.requests.at(0).header("webhook-attempt"), "1");
}

TEST_F(Delivering, EveryProfileSendsAndSignsItsOwnForm) {
    struct Case {
        SignatureProfile profile;
        std::string key;
        std::string body;
    };
    const std::string compact = node_event(1).body;
    const Case cases[] = {
        {SignatureProfile::infrahub, "text", compact},
        {SignatureProfile::repr, "text", compact},
        {SignatureProfile::spaced, "text", to_spaced_json(compact)},
        {SignatureProfile::standard, "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", compact},
    };
    Receiver receiver(loop, wheel, answer_with(200));
    std::uint64_t n = 0;
    for (const auto& [profile, key, body] : cases) {
        Webhook webhook = to(receiver, std::string(to_text(profile)));
        webhook.signature_profile = profile;
        webhook.shared_key = key;
        const auto entry = add(webhook);
        Event event = node_event(++n);
        event.body = compact;
        const DeliveryDetail found = until_state(send_one(event), DeliveryState::delivered);
        EXPECT_EQ(found.attempts.at(0).signature_profile, to_text(profile));
        EXPECT_EQ(receiver.requests.back().body, body);
        EXPECT_EQ(verify_request(receiver.requests.back(), profile, key), Verdict::valid);
        remove(entry->id);
    }
    EXPECT_EQ(receiver.requests.size(), 4U);
}

TEST_F(Delivering, HeadersOfTheWebhookAreSentAndMayReplaceOurs) {
    environment["TOKEN_OF_TEST"] = "from outside";
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.headers = {{"X-Static", "as it is"},
                       {"X-Outside", "TOKEN_OF_TEST", true},
                       {"content-type", "application/vnd.test+json"}};
    add(webhook);
    until_state(send_one(node_event(1)), DeliveryState::delivered);
    const ServerRequest& request = receiver.requests.at(0);
    EXPECT_EQ(request.header("x-static"), "as it is");
    EXPECT_EQ(request.header("x-outside"), "from outside");
    EXPECT_EQ(request.header("content-type"), "application/vnd.test+json");
    EXPECT_EQ(std::ranges::count(request.headers, "content-type",
                                 &std::pair<std::string, std::string>::first),
              1);
}

TEST_F(Delivering, UserAndPasswordOfTheUrlAreSentAndMasked) {
    Receiver receiver(loop, wheel, answer_with(200));
    Webhook webhook = to(receiver);
    webhook.url.insert(std::string("http://").size(), "ansible:p%40ss@");
    webhook = *add(webhook);
    const DeliveryId id = send_one(node_event(1));
    const DeliveryDetail found = until_state(id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(0).header("authorization"), "Basic YW5zaWJsZTpwQHNz");
    const HeaderList& shown = found.attempts.at(0).request_headers;
    EXPECT_THAT(shown, Contains(std::pair<std::string, std::string>("Authorization", "***")));
    EXPECT_THAT(found.attempts.at(0).url, Not(HasSubstr("p%40ss")));

    webhook.headers = {{"Authorization", "Bearer own"}};
    update(webhook);
    until_state(send_one(node_event(2)), DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.at(1).header("authorization"), "Bearer own");
}

TEST_F(Delivering, ATestGoesToOneWebhookWhateverItWants) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver, "other"));
    Webhook webhook = to(receiver, "tested");
    webhook.url = receiver.url("/tested");
    webhook.filter.event_types = {"infrahub.branch.created"};
    const auto entry = add(webhook);
    auto event = std::make_shared<const Event>(node_event(1));
    const auto sent = run(engine->ingest.submit_to(std::move(event), entry->id));
    ASSERT_TRUE(sent);
    const auto found = until_state(sent->deliveries.at(0), DeliveryState::delivered);
    EXPECT_EQ(found.delivery.cause, Cause::test);
    ASSERT_EQ(receiver.requests.size(), 1U);
    EXPECT_EQ(receiver.requests[0].path, "/tested");
    EXPECT_EQ(receiver.requests[0].header("webhook-cause"), "test");
}

TEST_F(Delivering, TheSameEventAgainIsStoredAndSentOnce) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    const Submitted first = send(node_event(1));
    const Submitted again = send(node_event(1));
    EXPECT_FALSE(first.duplicate);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.seq, first.seq);
    EXPECT_TRUE(again.deliveries.empty());

    const auto batch = send_all({node_event(1), node_event(2), node_event(2), node_event(3)});
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->at(0).duplicate);
    EXPECT_FALSE(batch->at(1).duplicate);
    EXPECT_TRUE(batch->at(2).duplicate);
    EXPECT_EQ(batch->at(2).seq, batch->at(1).seq);
    EXPECT_FALSE(batch->at(3).duplicate);
    until([&] { return receiver.requests.size() >= 3; });

    reopen();
    EXPECT_TRUE(send(node_event(2)).duplicate);
    turn();
    EXPECT_EQ(receiver.requests.size(), 3U);
    EXPECT_EQ(engine->dispatcher.open(), 0U) << "what duplicates had reserved is given back";
}

TEST_F(Delivering, TheSameEventSentManyTimesAtOnceIsStoredOnce) {
    Receiver receiver(loop, wheel, answer_with(200));
    add(to(receiver));
    engine->store.hold_commits();
    std::vector<std::optional<Result<std::vector<Submitted>>>> answers(20);
    for (auto& answer : answers) {
        std::vector<std::shared_ptr<const Event>> one{std::make_shared<const Event>(node_event(1))};
        boost::asio::co_spawn(
            loop, engine->ingest.submit(std::move(one)),
            [&answer](const std::exception_ptr&, Result<std::vector<Submitted>> result) {
                answer = std::move(result);
            });
    }
    until([&] { return engine->store.waiting(); });
    engine->store.release_commits();
    until([&] {
        return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
    });
    const auto stored = std::ranges::count_if(answers, [](const auto& answer) {
        return answer->has_value() && !answer->value().front().duplicate;
    });
    EXPECT_EQ(stored, 1);
    until([&] { return engine->dispatcher.open() == 0; });
    EXPECT_EQ(receiver.requests.size(), 1U);
}

}  // namespace
}  // namespace herald::test
