// The HTTP API over the real parts, without its socket.
#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>

#include "support/api_engine.h"

namespace herald::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string header(const ServerAnswer& answer, std::string_view name) {
    const auto found = std::ranges::find(answer.headers, name, &HeaderList::value_type::first);
    return found == answer.headers.end() ? "" : found->second;
}

ServerRequest keyed(ServerRequest made, std::string key) {
    made.headers.emplace_back("idempotency-key", std::move(key));
    return made;
}

constexpr std::string_view an_event = R"({"event":"a","data":{}})";

struct ApiRequests : ApiTest {
    ServerAnswer create(const std::string& name, const std::string& key) {
        return ask(keyed(request("POST", "/api/v1/webhooks",
                                 R"({"kind":"custom","url":"http://h/","name":")" + name + "\"}"),
                         key));
    }
};

TEST_F(ApiRequests, UrlThatTheNetworkPolicyRefusesIsNotStored) {
    const auto refused = [](const ServerAnswer& answer) {
        return answer.status == 422 && answer.body.contains(R"({"pointer":"/url","detail":"the )"
                                                            R"(network policy refuses it: )");
    };
    const auto create_to = [&](const std::string& url) {
        return ask(request("POST", "/api/v1/webhooks",
                           R"({"kind":"custom","name":"n","url":")" + url + "\"}"));
    };
    for (const char* url : {"http://169.254.169.254/latest", "http://0xa9fea9fe/", "http://[::]/",
                            "https://u:p@metadata.google.internal/", "http://localhost/"}) {
        const ServerAnswer answer = create_to(url);
        EXPECT_TRUE(refused(answer)) << url << ": " << answer.body;
    }
    EXPECT_TRUE(engine->catalog.all().empty());
    ASSERT_EQ(create_to("http://10.0.0.1/").status, 201);
    const auto patch = [&](const std::string& body) {
        return ask(request("PATCH", "/api/v1/webhooks/n", body));
    };
    EXPECT_TRUE(refused(patch(R"({"url":"http://[fe80::1]/"})")));
    EXPECT_EQ(engine->catalog.find("n")->url, "http://10.0.0.1/");

    const std::vector<std::string> denied{"10.0.0.0/8"};
    network = NetworkPolicy({}, parse_network_rules(denied).value(), {});
    EXPECT_EQ(patch(R"({"active":false})").status, 200) << "its URL stays as it is";
    EXPECT_TRUE(refused(patch(R"({"url":"http://10.0.0.2/"})")));
}

TEST_F(ApiRequests, TokenUrlAndProxyThatTheNetworkPolicyRefusesAreNotStored) {
    network.set_listeners({{parse_address("10.0.0.9").value(), 8300}});
    const auto token_url = [](const std::string& url) {
        return R"("authentication":{"type":"oauth2","client_id":"c","client_secret":"s",)"
               R"("token_url":")" +
               url + "\"}";
    };
    const auto proxy = [](const std::string& url) { return R"("proxy":{"url":")" + url + "\"}"; };
    const auto create_with = [&](const std::string& members) {
        return ask(
            request("POST", "/api/v1/webhooks",
                    R"({"kind":"custom","name":"n","url":"http://10.0.0.1/",)" + members + "}"));
    };
    const auto refused = [](const ServerAnswer& answer, const std::string& pointer) {
        return answer.status == 422 &&
               answer.body.contains(R"({"pointer":")" + pointer +
                                    R"(","detail":"the network policy refuses it: )");
    };
    for (const char* url :
         {"http://169.254.169.254", "http://10.0.0.9:8300", "http://metadata.google.internal"}) {
        const ServerAnswer token = create_with(token_url(url));
        EXPECT_TRUE(refused(token, "/authentication/token_url")) << url << ": " << token.body;
        const ServerAnswer way = create_with(proxy(url));
        EXPECT_TRUE(refused(way, "/proxy/url")) << url << ": " << way.body;
        const ServerAnswer both = create_with(token_url(url) + "," + proxy(url));
        EXPECT_TRUE(refused(both, "/authentication/token_url")) << both.body;
        EXPECT_TRUE(refused(both, "/proxy/url")) << both.body;
    }
    EXPECT_TRUE(engine->catalog.all().empty());
    const std::string good = token_url("http://10.0.0.9/") + "," + proxy("http://10.0.0.8:3128");
    ASSERT_EQ(create_with(good).status, 201);
    const auto patch = [&](const std::string& members) {
        return ask(request("PATCH", "/api/v1/webhooks/n", "{" + members + "}"));
    };
    EXPECT_TRUE(refused(patch(R"("proxy":{"url":"http://[fe80::1]:3128"})"), "/proxy/url"));

    const std::vector<std::string> denied{"10.0.0.0/8"};
    network = NetworkPolicy({}, parse_network_rules(denied).value(), {});
    EXPECT_EQ(patch(R"("active":false)").status, 200) << "what is stored stays as it is";
}

TEST_F(ApiRequests, WhatThisHeraldSentItselfIsRefusedAsALoop) {
    ServerRequest made = request("POST", "/api/v1/events", std::string(an_event));
    made.headers.emplace_back("herald-node", "this-node");
    const ServerAnswer answer = ask(made);
    EXPECT_EQ(answer.status, 508);
    EXPECT_EQ(header(answer, "herald-node"), "this-node");
    EXPECT_TRUE(answer.body.contains("leads back to it")) << answer.body;

    made.headers.back().second = "other-node";
    EXPECT_EQ(ask(made).status, 202) << "another herald may send events here";
}

TEST_F(ApiRequests, SameKeyAndRequestGetTheStoredAnswer) {
    const ServerAnswer first = create("a", "k");
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(header(first, "Idempotency-Replayed"), "");
    const ServerAnswer again = create("a", "k");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "Location"), header(first, "Location"));
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(engine->catalog.all().size(), 1U);
    EXPECT_EQ(create("a", "another key").status, 409) << "the name is taken";
}

TEST_F(ApiRequests, SameKeyWithAnotherRequestIsRefused) {
    ASSERT_EQ(create("a", "k").status, 201);
    EXPECT_EQ(create("b", "k").status, 422);
    EXPECT_EQ(ask(keyed(request("POST", "/api/v1/events", std::string(an_event)), "k")).status,
              422);
    EXPECT_EQ(engine->catalog.all().size(), 1U);
}

TEST_F(ApiRequests, KeyOfARequestInHandIsInProgress) {
    const ServerRequest made = keyed(request("POST", "/api/v1/events", std::string(an_event)), "k");
    engine->store.hold_commits();
    std::optional<ServerAnswer> first;
    boost::asio::co_spawn(loop, api->handle(made),
                          [&](std::exception_ptr, ServerAnswer answer) { first = answer; });
    until([&] { return engine->store.waiting(); }, "the first request at its commit");
    EXPECT_EQ(ask(made).status, 409);
    engine->store.release_commits();
    until([&] { return first.has_value(); }, "the first answer");
    EXPECT_EQ(first->status, 202);
    const ServerAnswer again = ask(made);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, first->body) << "the id that was made is the same";
}

TEST_F(ApiRequests, RefusedRequestCanBeCorrectedUnderItsKey) {
    EXPECT_EQ(create("", "k").status, 422);
    EXPECT_EQ(create("a", "k").status, 201);
}

TEST_F(ApiRequests, KeyIsKnownAfterARestartAndForgottenAfterADay) {
    const ServerAnswer first = create("a", "k");
    restart();
    EXPECT_EQ(create("a", "k").body, first.body);
    advance(limits::idempotency_keeps + std::chrono::minutes{1});
    EXPECT_EQ(create("b", "k").status, 201);
}

TEST_F(ApiRequests, KeyThatIsTooLongIsRefused) {
    EXPECT_EQ(create("a", std::string(limits::idempotency_key_bytes, 'k')).status, 201);
    EXPECT_EQ(create("b", std::string(limits::idempotency_key_bytes + 1, 'k')).status, 400);
}

TEST_F(ApiRequests, FailureOfTheStoreIsSaidAndNothingIsAcknowledged) {
    engine->store.fail_commits(1);
    const ServerAnswer failed = ask(request("POST", "/api/v1/events", std::string(an_event)));
    EXPECT_EQ(failed.status, 503);
    EXPECT_EQ(header(failed, "Retry-After"), "1");
    EXPECT_EQ(ask(request("POST", "/api/v1/events", std::string(an_event))).status, 202);
    const ServerAnswer listed = ask(request("GET", "/api/v1/events?count=true"));
    EXPECT_THAT(listed.body, HasSubstr(R"("count":{"value":1,"capped":false})"));
}

TEST_F(ApiRequests, DefectIsAnAnswerWithoutItsDetails) {
    decode = [](JsonView, Time) -> Result<Event> { throw std::runtime_error("a secret detail"); };
    close_api();
    open_api();
    const ServerAnswer answer = ask(request("POST", "/api/v1/events", std::string(an_event)));
    EXPECT_EQ(answer.status, 500);
    EXPECT_THAT(answer.body, Not(HasSubstr("a secret detail")));
    EXPECT_EQ(ask(request("GET", "/livez")).status, 200);
}

TEST_F(ApiRequests, ReadyOnlyBetweenStartAndStop) {
    EXPECT_EQ(ask(request("GET", "/readyz")).status, 200);
    api->set_ready(false);
    EXPECT_EQ(ask(request("GET", "/readyz")).status, 503);
    EXPECT_EQ(ask(request("GET", "/livez")).status, 200);
}

TEST_F(ApiRequests, RequestIdIsTheCallersOwnWhenItCanStandInALog) {
    ServerRequest made = request("GET", "/livez");
    made.headers.emplace_back("x-request-id", "abc-1.2:3");
    EXPECT_EQ(header(ask(made), "X-Request-Id"), "abc-1.2:3");
    for (const std::string& odd :
         {std::string("a b"), std::string("a\"b"), std::string(200, 'a'), std::string()}) {
        made.headers.back().second = odd;
        const std::string given = header(ask(made), "X-Request-Id");
        EXPECT_FALSE(given.empty());
        EXPECT_NE(given, odd);
    }
}

TEST_F(ApiRequests, StrangersCannotMakeMetricSeries) {
    const auto series = [&] {
        const std::string text = ask(request("GET", "/metrics")).body;
        return std::ranges::count(text, '\n');
    };
    (void)ask(request("PROPFIND0", "/nothing/0"));
    (void)series();
    const auto before = series();
    for (int i = 1; i < 50; ++i) {
        const std::string n = std::to_string(i);
        (void)ask(request("PROPFIND" + n, "/nothing/" + n));
        (void)ask(request("POST", "/api/v1/events", R"({"event":"a)" + n + R"(","data":{}})"));
    }
    EXPECT_LE(series() - before, 40) << "one more route: its counter and its histogram";
}

TEST_F(ApiRequests, MetricsSayWhatPrometheusExpectsOfAProcess) {
    ASSERT_EQ(create(R"(a \"name\")", "k").status, 201);
    const ServerAnswer answer = ask(request("GET", "/metrics"));
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    for (const char* text :
         {"# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total ",
          "\nprocess_resident_memory_bytes ", "\nprocess_virtual_memory_bytes ",
          "\nprocess_open_fds ", "\nprocess_max_fds ", "\nprocess_start_time_seconds ",
          "\nherald_delivery_queue_depth{webhook=\"a \\\"name\\\"\"} 0\n",
          "\nherald_http_requests_total{route=\"webhooks\",method=\"POST\",code=\"201\"} 1\n"}) {
        EXPECT_THAT(answer.body, HasSubstr(text));
    }
}

TEST_F(ApiRequests, EventsThatWaitForTheirReceiverAreCountedByWebhook) {
    Receiver receiver(loop, wheel, answer_with(200));
    receiver.hold();
    add(to(receiver, "slow"));
    (void)send(node_event(1));
    until([&] { return receiver.waiting() == 1; });
    EXPECT_THAT(ask(request("GET", "/metrics")).body,
                HasSubstr("herald_delivery_queue_depth{webhook=\"slow\"} 1\n"));
    receiver.release();
    until([&] {
        return ask(request("GET", "/metrics"))
            .body.contains("herald_delivery_queue_depth{webhook=\"slow\"} 0\n");
    });
}

TEST_F(ApiRequests, ChangesOfManyAtOnceLoseNothing) {
    ASSERT_EQ(create("a", "k").status, 201);
    int done = 0;
    std::vector<int> statuses;
    std::vector<ServerRequest> patches;
    patches.reserve(8);
    for (int i = 0; i < 8; ++i) {
        patches.push_back(request("PATCH", "/api/v1/webhooks/a",
                                  R"({"description":")" + std::to_string(i) + "\"}"));
    }
    for (const ServerRequest& patch : patches) {
        boost::asio::co_spawn(loop, api->handle(patch),
                              [&](std::exception_ptr, const ServerAnswer& answer) {
                                  ++done;
                                  statuses.push_back(answer.status);
                              });
    }
    until([&] { return done == 8; });
    const auto good = static_cast<std::uint64_t>(std::ranges::count(statuses, 200));
    EXPECT_EQ(good + static_cast<std::uint64_t>(std::ranges::count(statuses, 409)), 8U);
    EXPECT_GE(good, 1U);
    EXPECT_EQ(engine->catalog.find("a")->version, 1 + good) << "each change has its version";
}

}  // namespace
}  // namespace herald::test
