// How a webhook proves to its receiver who it is, and where its secrets are read from.
#include <fstream>

#include <gmock/gmock.h>

#include "core/window.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Type = Authentication::Type;

struct Authenticating : EngineTest {
    Receiver receiver{loop, wheel, answer_with(200)};

    std::string authorization(std::size_t request = 0) {
        return std::string(receiver.requests.at(request).header("authorization"));
    }
    DeliveryDetail deliver(std::uint64_t n) {
        return until_state(send_one(node_event(n)), DeliveryState::delivered);
    }
    DeliveryDetail fail_once(std::uint64_t n) { return until_attempts(send_one(node_event(n)), 1); }
    static std::string text_of(const Attempt& attempt) {
        std::string all = attempt.url + attempt.response_body + attempt.outcome.message;
        for (const auto& [name, value] : attempt.request_headers) all += name + value;
        for (const auto& [name, value] : attempt.response_headers) all += name + value;
        return all;
    }
    /// Answers with what it was sent, as request inspectors do.
    static ServerAnswer echo(const ServerRequest& request) {
        ServerAnswer answer{.status = 200, .body = {}};
        for (const auto& [name, value] : request.headers) answer.body += name + ": " + value + "\n";
        const auto sent = std::string(request.header("authorization"));
        answer.body += "without its scheme: " + sent.substr(std::min(sent.size(), sent.find(' ')));
        return answer;
    }
};

TEST_F(Authenticating, BasicAndBearerAreSentAndMasked) {
    receiver.decide = echo;
    Webhook webhook = to(receiver);
    webhook.authentication = {
        .type = Type::basic, .username = "herald", .password = "password-2f9b4e"};
    webhook = *add(webhook);
    const DeliveryDetail basic = deliver(1);
    EXPECT_EQ(authorization(0), "Basic aGVyYWxkOnBhc3N3b3JkLTJmOWI0ZQ==");
    EXPECT_THAT(text_of(basic.attempts.at(0)), Not(HasSubstr("aGVyYWxkOnBhc3N3b3JkLTJmOWI0ZQ")));

    webhook.authentication = {.type = Type::bearer, .token = "bearer-token-7c2e"};
    update(webhook);
    const DeliveryDetail bearer = deliver(2);
    EXPECT_EQ(authorization(1), "Bearer bearer-token-7c2e");
    EXPECT_THAT(text_of(bearer.attempts.at(0)), Not(HasSubstr("bearer-token-7c2e")));
    EXPECT_THAT(text_of(bearer.attempts.at(0)), HasSubstr("without its scheme:  ***"));
}

TEST_F(Authenticating, TwoWaysAtOnceAreRefused) {
    Webhook webhook = to(receiver);
    webhook.authentication = {.type = Type::bearer, .token = "t0ken"};
    webhook.headers = {{"authorization", "Bearer other"}};
    const auto two = run(engine->catalog.create(webhook));
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().fields.at(0).pointer, "/authentication");
    webhook.headers.clear();
    webhook.url.insert(std::string("http://").size(), "user:password@");
    EXPECT_FALSE(run(engine->catalog.create(webhook)));
}

struct References : Authenticating {
    std::filesystem::path folder = dir.path() / "secrets";

    void SetUp() override {
        std::filesystem::create_directory(folder);
        options.secret_directories = {folder};
        EngineTest::SetUp();
    }
    std::string file(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name) << text;
        return "file:" + (folder / name).string();
    }
};

TEST_F(References, AreReadForEveryAttemptAndNeverRecorded) {
    receiver.decide = echo;
    environment["RECEIVER_TOKEN"] = "token-from-outside";
    Webhook webhook = to(receiver);
    webhook.headers = {{"X-Site", file("site", "site-from-outside\n")}};
    webhook.authentication = {.type = Type::bearer, .token = "env:RECEIVER_TOKEN"};
    add(webhook);
    const DeliveryDetail found = deliver(1);
    EXPECT_EQ(authorization(0), "Bearer token-from-outside");
    EXPECT_EQ(receiver.requests[0].header("x-site"), "site-from-outside");
    EXPECT_THAT(text_of(found.attempts.at(0)), Not(HasSubstr("from-outside")));

    environment["RECEIVER_TOKEN"] = "token-changed";
    file("site", "site-changed");
    deliver(2);
    EXPECT_EQ(authorization(1), "Bearer token-changed");
    EXPECT_EQ(receiver.requests[1].header("x-site"), "site-changed");
}

TEST_F(References, AHeaderThatIsNotAsciiOutsideIsAConfigFailure) {
    environment["SITE"] = "Z\xc3\xbcrich";
    Webhook webhook = to(receiver);
    std::uint64_t n = 0;
    for (const WebhookHeader& header :
         {WebhookHeader{"X-Site", "SITE", true}, WebhookHeader{"X-Site", "env:SITE"},
          WebhookHeader{"X-Site", file("site", "Z\xc3\xbcrich\n")}}) {
        webhook.name = "outside-" + std::to_string(++n);
        webhook.headers = {header};
        const auto entry = add(webhook);
        const Outcome outcome = fail_once(n).attempts.at(0).outcome;
        EXPECT_EQ(outcome.failure, FailureClass::config) << header.value;
        EXPECT_THAT(outcome.message, AllOf(HasSubstr("'X-Site'"), HasSubstr("visible ASCII")));
        EXPECT_THAT(outcome.message, Not(HasSubstr("rich")));
        remove(entry->id);
    }
    EXPECT_TRUE(receiver.requests.empty());
}

TEST_F(References, AKeyThatChangesOutsideSignsTheNextAttempt) {
    Webhook webhook = to(receiver);
    webhook.shared_key = file("key", "first key\n");
    add(webhook);
    deliver(1);
    const auto infrahub = SignatureProfile::infrahub;
    EXPECT_EQ(verify_request(receiver.requests[0], infrahub, "first key"), Verdict::valid);
    file("key", "second key\n");
    deliver(2);
    EXPECT_EQ(verify_request(receiver.requests[1], infrahub, "second key"), Verdict::valid);
    // Of another form, that the accepted profile does not fit.
    file("key", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0\n");
    const DeliveryDetail third = deliver(3);
    EXPECT_NE(third.attempts.at(0).signature_profile, "");
}

TEST_F(References, AKeyThatOnlyLooksLikeAReferenceIsWrittenPlain) {
    Webhook webhook = to(receiver);
    webhook.shared_key = "plain:env:prod";
    webhook.headers = {{"X-Tag", "plain:env:prod"}};
    add(webhook);
    deliver(1);
    EXPECT_EQ(verify_request(receiver.requests[0], SignatureProfile::infrahub, "env:prod"),
              Verdict::valid);
    EXPECT_EQ(receiver.requests[0].header("x-tag"), "env:prod");
}

TEST_F(References, WhatCannotBeReadIsNamedAndTriedAgain) {
    Webhook webhook = to(receiver);
    webhook.shared_key = "env:KEY_OF_TEST";
    add(webhook);
    const DeliveryId id = send_one(node_event(1));
    const DeliveryDetail found = until_attempts(id, 1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::config);
    EXPECT_THAT(found.attempts.at(0).outcome.message,
                AllOf(HasSubstr("shared_key"), HasSubstr("'KEY_OF_TEST' not found")));
    EXPECT_TRUE(receiver.requests.empty()) << "nothing is sent that is not signed";
    environment["KEY_OF_TEST"] = "";
    advance(std::chrono::seconds{6});
    EXPECT_THAT(until_attempts(id, 2).attempts.at(1).outcome.message, HasSubstr("is empty"));
    environment["KEY_OF_TEST"] = "there now";
    advance(std::chrono::minutes{10});
    until_state(id, DeliveryState::delivered);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

/// A receiver that takes the tokens of a token endpoint.
struct Granting : Authenticating {
    std::string lifetime = "3600";
    std::uint64_t granted = 0;
    std::string good = "none";  ///< the token that the receiver takes
    Receiver endpoint{loop, wheel, [this](const ServerRequest&) { return grant(); }};

    ServerAnswer grant() {
        good = "token-of-endpoint-" + std::to_string(++granted);
        return {.status = 200,
                .body = R"({"access_token":")" + good + R"(","token_type":"Bearer","expires_in":)" +
                        lifetime + "}"};
    }
    void SetUp() override {
        EngineTest::SetUp();
        receiver.decide = [this](const ServerRequest& request) {
            const bool known = request.header("authorization") == "Bearer " + good;
            return ServerAnswer{.status = known ? 200 : 401};
        };
    }
    Webhook client(std::string name = "hook") {
        Webhook webhook = to(receiver, std::move(name));
        webhook.signature_profile = SignatureProfile::infrahub;
        webhook.authentication = {.type = Type::oauth2,
                                  .token_url = endpoint.url("/token"),
                                  .client_id = "herald",
                                  .client_secret = "client-secret-5d2b",
                                  .scope = "hooks write"};
        return webhook;
    }
    /// One attempt with an endpoint that answers so.
    Attempt attempt_with(std::uint64_t n, int status, const std::string& body) {
        endpoint.decide = answer_with(status, body);
        const DeliveryDetail found = fail_once(n);
        return found.attempts.at(0);
    }
};

TEST_F(Granting, ATokenIsAskedForOnceAndKept) {
    add(client());
    for (std::uint64_t n = 1; n <= 3; ++n) deliver(n);
    ASSERT_EQ(endpoint.requests.size(), 1U);
    const ServerRequest& asked = endpoint.requests[0];
    EXPECT_EQ(asked.path, "/token");
    EXPECT_EQ(asked.body, "grant_type=client_credentials&scope=hooks%20write");
    EXPECT_EQ(asked.header("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(asked.header("authorization"), "Basic aGVyYWxkOmNsaWVudC1zZWNyZXQtNWQyYg==");
    EXPECT_EQ(authorization(2), "Bearer token-of-endpoint-1");
}

TEST_F(Granting, TheClientMayBeNamedInTheForm) {
    Webhook webhook = client();
    webhook.authentication.client_auth = Authentication::ClientAuth::post;
    webhook.authentication.client_secret = "s&cret=+";
    webhook.authentication.audience = "https://api";
    add(webhook);
    deliver(1);
    EXPECT_EQ(endpoint.requests.at(0).body,
              "grant_type=client_credentials&scope=hooks%20write&audience=https%3A%2F%2Fapi"
              "&client_id=herald&client_secret=s%26cret%3D%2B");
    EXPECT_EQ(endpoint.requests[0].header("authorization"), "");
}

TEST_F(Granting, ATokenIsRenewedBeforeItExpires) {
    add(client());
    deliver(1);
    engine->sender_clock.move(std::chrono::seconds{3'500});
    deliver(2);
    EXPECT_EQ(endpoint.requests.size(), 1U);
    engine->sender_clock.move(std::chrono::seconds{75});
    deliver(3);
    EXPECT_EQ(endpoint.requests.size(), 2U) << "30 s before its end";
    EXPECT_EQ(receiver.requests.size(), 3U) << "no receiver was asked with an old one";
}

TEST_F(Granting, ManyDeliveriesShareOneRequest) {
    constexpr std::uint64_t many = 50;
    endpoint.hold();
    add(client());
    std::vector<Event> events;
    for (std::uint64_t n = 1; n <= many; ++n) events.push_back(node_event(n));
    ASSERT_TRUE(send_all(std::move(events)));
    until([&] { return engine->dispatcher.flying() == Window::start; });
    turn();
    EXPECT_EQ(endpoint.requests.size(), 1U);
    endpoint.release();
    until([&] { return receiver.requests.size() == many; });
    EXPECT_EQ(endpoint.requests.size(), 1U);
}

TEST_F(Granting, ARefusedRequestIsSharedToo) {
    endpoint.hold();
    endpoint.decide = answer_with(401, R"({"error":"invalid_client"})");
    add(client());
    const Submitted first = send(node_event(1));
    const Submitted second = send(node_event(2));
    until([&] { return engine->dispatcher.flying() == 2; });
    turn();
    endpoint.release();
    for (const Submitted& sent : {first, second}) {
        const DeliveryDetail found = until_attempts(sent.deliveries.at(0), 1);
        EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("invalid_client"));
    }
    EXPECT_EQ(endpoint.requests.size(), 1U);
}

TEST_F(Granting, ATokenThatTheReceiverRefusesIsRenewedOnceWithinTheAttempt) {
    add(client());
    deliver(1);
    good = "revoked all";
    const DeliveryDetail found = deliver(2);
    EXPECT_EQ(found.attempts.size(), 1U);
    EXPECT_EQ(endpoint.requests.size(), 2U);
    EXPECT_EQ(receiver.requests.size(), 3U);
    // A receiver that takes none of them is asked twice and no more.
    receiver.decide = answer_with(401);
    const DeliveryDetail refused = fail_once(3);
    EXPECT_EQ(refused.delivery.last_failure, FailureClass::http_client_error);
    EXPECT_EQ(endpoint.requests.size(), 3U);
    EXPECT_EQ(receiver.requests.size(), 5U);
}

TEST_F(Granting, AFreshTokenThatIsRefusedIsNotRenewed) {
    receiver.decide = answer_with(401);
    add(client());
    fail_once(1);
    EXPECT_EQ(endpoint.requests.size(), 1U);
    EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST_F(Granting, AChangedWebhookAsksAnew) {
    Webhook webhook = *add(client());
    deliver(1);
    webhook.description = "the same client";
    webhook = *update(webhook);
    deliver(2);
    EXPECT_EQ(endpoint.requests.size(), 1U);
    webhook.authentication.scope = "hooks";
    update(webhook);
    deliver(3);
    EXPECT_EQ(endpoint.requests.size(), 2U);
}

TEST_F(Granting, ATokenIsAskedForByTheWayOfTheWebhookAsItIsNow) {
    Webhook webhook = client();
    webhook.proxy.url = "http://127.0.0.1:9";
    webhook = *add(webhook);
    const DeliveryId id = send_one(node_event(1));
    EXPECT_THAT(until_attempts(id, 1).attempts.at(0).outcome.message, HasSubstr("token endpoint"));
    EXPECT_TRUE(endpoint.requests.empty()) << "not around the proxy";
    webhook.proxy = {};
    update(webhook);
    advance(std::chrono::minutes{10});
    until_state(id, DeliveryState::delivered);
}

TEST_F(Granting, LifetimesAreReadInEveryForm) {
    struct Case {
        std::string lifetime;
        int seconds_good;
    };
    add(client());
    std::uint64_t n = 0;
    for (const auto& [text, good_for] :
         {Case{"\"1200\"", 1'100}, Case{"1200.5", 1'100}, Case{"null", 200}, Case{"\"soon\"", 200},
          Case{"1e999", 80'000}, Case{"99999999999999999999", 80'000}, Case{"20", 15}}) {
        lifetime = text;
        engine->sender_clock.move(std::chrono::hours{48});
        deliver(++n);
        const std::size_t asked = endpoint.requests.size();
        engine->sender_clock.move(std::chrono::seconds{good_for});
        deliver(++n);
        EXPECT_EQ(endpoint.requests.size(), asked) << text;
    }
    for (const char* text : {"0", "-5"}) {
        lifetime = text;
        engine->sender_clock.move(std::chrono::hours{48});
        deliver(++n);
        const std::size_t asked = endpoint.requests.size();
        deliver(++n);
        EXPECT_EQ(endpoint.requests.size(), asked + 1) << text;
    }
}

TEST_F(Granting, BadAnswersOfTheEndpointAreSaidWithoutRepeatingThem) {
    Webhook webhook = client();
    webhook.retry = *retry_preset("none");
    add(webhook);
    struct Case {
        int status;
        std::string body;
        FailureClass failure;
        std::string says;
    };
    const std::string secret = "leaked-by-endpoint";
    const auto config = FailureClass::config;
    std::uint64_t n = 0;
    for (const auto& [status, body, failure, says] :
         {Case{200, "<html>" + secret, config, "no JSON"},
          Case{200, R"({"token":")" + secret + "\"}", config, "no access_token"},
          Case{200, R"({"access_token":7})", config, "no access_token"},
          Case{200, R"({"access_token":""})", config, "no access_token"},
          Case{200, R"({"access_token":"leaked-by-endpoint\r\nX: y"})", config, "cannot be sent"},
          Case{200, R"({"access_token":"t","token_type":"mac"})", config, "not Bearer"},
          Case{200, "{\"access_token\":\"" + secret + std::string(1 << 20, 'x') + "\"}", config,
               "more than a token"},
          Case{400, R"({"error":"invalid_scope"})", config, "answered 400 (invalid_scope)"},
          Case{401, R"({"error":"leaked-by-endpoint"})", config, "answered 401"},
          Case{302, secret, config, "answered 302"},
          Case{503, secret, FailureClass::http_server_error, "answered 503"},
          Case{429, secret, FailureClass::http_server_error, "answered 429"}}) {
        const Attempt attempt = attempt_with(++n, status, body);
        EXPECT_EQ(attempt.outcome.failure, failure) << body.substr(0, 60);
        EXPECT_THAT(attempt.outcome.message, AllOf(HasSubstr("token endpoint"), HasSubstr(says)));
        EXPECT_THAT(text_of(attempt), AllOf(Not(HasSubstr(secret)), Not(HasSubstr("5d2b"))));
    }
    EXPECT_TRUE(receiver.requests.empty());
}

TEST_F(Granting, AnEndpointThatCannotBeReachedIsSaid) {
    Webhook webhook = client();
    webhook.authentication.token_url = "http://127.0.0.1:9/token";
    add(webhook);
    const DeliveryDetail found = fail_once(1);
    EXPECT_EQ(found.delivery.last_failure, FailureClass::connection);
    EXPECT_THAT(found.attempts.at(0).outcome.message, HasSubstr("127.0.0.1:9/token"));
}

TEST_F(Granting, TokensAreMaskedWhereAReceiverRepeatsThem) {
    receiver.decide = echo;
    add(client());
    const DeliveryDetail found = deliver(1);
    EXPECT_EQ(authorization(0), "Bearer token-of-endpoint-1");
    EXPECT_THAT(text_of(found.attempts.at(0)), Not(HasSubstr("token-of-endpoint")));
}

TEST_F(Granting, StopsWhileATokenIsOnItsWay) {
    endpoint.hold();
    add(client());
    const DeliveryId id = send_one(node_event(1));
    until([&] { return endpoint.waiting() == 1; });
    reopen();
    endpoint.release();
    until_state(id, DeliveryState::delivered);
}

}  // namespace
}  // namespace herald::test
