// Conditions, explain, lint and backtest over the real parts, without the API's socket.
#include <algorithm>

#include <gmock/gmock.h>

#include "infrahub/names.h"
#include "infrahub/samples.h"
#include "support/api_engine.h"

namespace herald::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

/// One answer, read.
struct Said {
    int status = 0;
    std::string canonical;

    [[nodiscard]] JsonView at(std::string_view key) const {
        return JsonView(canonical).find(key).value_or(JsonView{});
    }
    [[nodiscard]] std::string text(std::string_view key) const {
        return at(key).string().value_or("");
    }
    [[nodiscard]] std::int64_t number(std::string_view key) const {
        return at(key).integer().value_or(-1);
    }
    [[nodiscard]] std::vector<JsonView> list(std::string_view key) const {
        std::vector<JsonView> found;
        const JsonView array = at(key);
        for (auto items = array.items(); items.next();) found.push_back(items.value());
        return found;
    }
};

struct ApiMatching : ApiTest {
    void SetUp() override {
        ApiTest::SetUp();
        // As one that listens on loopback only, webhooks may call it.
        network.set_listeners({{*parse_address("127.0.0.1"), 1}});
    }

    Said ask(std::string method, std::string target, std::string body = "") {
        const ServerAnswer answer =
            ApiTest::ask(request(std::move(method), std::move(target), std::move(body)));
        return {answer.status, canonical_json(answer.body).value_or("null")};
    }

    /// To where nobody listens.
    Said create(const std::string& name, const std::string& more) {
        return ask(
            "POST", "/api/v1/webhooks",
            R"({"kind":"custom","url":"http://127.0.0.1:9/","name":")" + name + "\"," + more + "}");
    }

    /// An update of one field of a device, and what became of it.
    Said bring(const std::string& field, const std::string& value, std::uint64_t n) {
        return ask(
            "POST", "/api/v1/events",
            R"({"event":"infrahub.node.updated","branch":"main","id":")" + event_id(n).text() +
                R"(","data":{"kind":"DcimDevice","node_id":"d","changelog":{"attributes":{")" +
                field + R"(":{"name":"x","value":")" + value + R"(","value_previous":"old"}}}}})");
    }

    Said explain(const std::string& name, std::uint64_t n) {
        return ask("GET", "/api/v1/webhooks/" + name + "/explain?event=" + event_id(n).text());
    }
};

constexpr std::string_view on_status =
    R"("active":true,"conditions":{"changed_fields":{"only":["status"]}})";

TEST_F(ApiMatching, DeliversOnlyWhatTheConditionsLetThrough) {
    ASSERT_EQ(create("plain", R"("active":true)").status, 201);
    ASSERT_EQ(create("status", std::string(on_status)).status, 201);
    ASSERT_EQ(create("active", R"("active":true,"conditions":{"expression":)"
                               R"("value(\"status\") == \"active\""})")
                  .status,
              201);
    EXPECT_EQ(bring("description", "x", 1).list("deliveries").size(), 1U);
    EXPECT_EQ(bring("status", "drained", 2).list("deliveries").size(), 2U);
    EXPECT_EQ(bring("status", "active", 3).list("deliveries").size(), 3U);
}

TEST_F(ApiMatching, ConditionsAreShownChangedAndKept) {
    const Said made = create("hook", R"("conditions":{"accounts":["a"],"expression":"true"})");
    ASSERT_EQ(made.status, 201);
    EXPECT_EQ(made.at("conditions").string("expression"), "true");
    const Said patched = ask("PATCH", "/api/v1/webhooks/hook",
                             R"({"conditions":{"expression":"data.x == 1","origins":["live"]}})");
    ASSERT_EQ(patched.status, 200) << patched.canonical;
    restart();
    const Said again = ask("GET", "/api/v1/webhooks/hook");
    EXPECT_EQ(again.at("conditions").raw(),
              R"({"changed_fields":{"only":[],"ignore":[]},"values":[],"accounts":["a"],)"
              R"("origins":["live"],"related_kinds":[],"target_kinds":[],)"
              R"("expression":"data.x == 1"})");
}

TEST_F(ApiMatching, WrongExpressionIsRefusedWithItsPlace) {
    const Said wrong = create("hook", R"("conditions":{"expression":"event.type = \"a\""})");
    EXPECT_EQ(wrong.status, 422);
    ASSERT_EQ(wrong.list("errors").size(), 1U);
    EXPECT_EQ(wrong.list("errors")[0].string("pointer"), "/conditions/expression");
    EXPECT_THAT(*wrong.list("errors")[0].string("detail"), HasSubstr("at column 12: "));
}

TEST_F(ApiMatching, WebhookThatCanNeverFireIsWarnedOf) {
    const Said made = create("hook", R"("conditions":{"expression":"event.type == \"x\""})");
    ASSERT_EQ(made.list("warnings").size(), 1U);
    EXPECT_THAT(*made.list("warnings")[0].string(), HasSubstr("the expression is false"));
}

TEST_F(ApiMatching, ExplainsWhyAnEventFired) {
    create("status", std::string(on_status));
    bring("status", "active", 1);
    const Said told = explain("status", 1);
    ASSERT_EQ(told.status, 200);
    EXPECT_EQ(told.at("fires").raw(), "true");
    EXPECT_TRUE(told.at("first_not_held").is_null());
    EXPECT_EQ(told.list("deliveries").size(), 1U);
    EXPECT_EQ(told.at("changed_since").raw(), "false");
    std::vector<std::string> rules;
    for (const JsonView& rule : told.list("rules")) rules.push_back(*rule.string("rule"));
    EXPECT_THAT(rules, ElementsAre("active", "event_type", "branch_scope", "node_kind",
                                   "changed_fields.only"));
}

TEST_F(ApiMatching, ExplainsWhichRuleKeptAnEventBack) {
    create("status", std::string(on_status));
    bring("description", "x", 1);
    const Said told = explain("status", 1);
    EXPECT_EQ(told.at("fires").raw(), "false");
    EXPECT_EQ(told.text("first_not_held"), "changed_fields.only");
    EXPECT_EQ(told.list("rules").back().string("reason"), "what changed: description");
    EXPECT_THAT(told.list("deliveries"), IsEmpty());
}

TEST_F(ApiMatching, ExplainSaysWhenTheWebhookChangedAfterTheEvent) {
    create("status", std::string(on_status));
    bring("status", "x", 1);
    advance(std::chrono::minutes{1});
    ask("PATCH", "/api/v1/webhooks/status", R"({"active":false})");
    const Said told = explain("status", 1);
    EXPECT_EQ(told.text("first_not_held"), "active");
    EXPECT_EQ(told.at("changed_since").raw(), "true");
    EXPECT_EQ(told.list("deliveries").size(), 1U);
}

TEST_F(ApiMatching, ExplainsAnEventThatIsNotStored) {
    create("status", std::string(on_status));
    const std::string sample = *infrahub::sample_event("infrahub.node.updated", clock.now());
    const Said told = ask("POST", "/api/v1/webhooks/status/explain", sample);
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.text("first_not_held"), "changed_fields.only");
    EXPECT_EQ(ask("GET", "/api/v1/events").list("items").size(), 0U);
}

TEST_F(ApiMatching, ExplainRefusesWhatItDoesNotKnow) {
    create("hook", R"("active":true)");
    bring("a", "b", 1);
    EXPECT_EQ(explain("nobody", 1).status, 404);
    EXPECT_EQ(explain("hook", 2).status, 404);
    EXPECT_EQ(ask("GET", "/api/v1/webhooks/hook/explain").status, 400);
    EXPECT_EQ(ask("GET", "/api/v1/webhooks/hook/explain?event=1").status, 400);
    EXPECT_EQ(ask("POST", "/api/v1/webhooks/hook/explain", R"({"event":"a"})").status, 422);
}

TEST_F(ApiMatching, LintNamesWhatCanNeverFireAndWhatNeverHas) {
    create("fired", R"("active":true)");
    create("idle", R"("active":true,"event_type":"infrahub.schema.updated")");
    create("never", R"("active":true,"conditions":{"expression":"false"})");
    create("paused", R"("active":false,"event_type":"infrahub.node.updated")");
    const Said fresh = ask("GET", "/api/v1/lint?name=idle");
    EXPECT_THAT(fresh.list("items"), IsEmpty()) << "no event came yet";
    bring("a", "b", 1);
    const Said told = ask("GET", "/api/v1/lint");
    ASSERT_EQ(told.status, 200);
    EXPECT_EQ(told.number("looked_at"), 4);
    std::string text;
    for (const JsonView& item : told.list("items")) {
        text += *item.find("webhook")->string("name") + ":";
        const JsonView findings = *item.find("findings");
        for (auto each = findings.items(); each.next();) {
            text += " " + *each.value().string("kind");
        }
        text += "\n";
    }
    EXPECT_EQ(text, "idle: never_fired\nnever: never_fires\npaused: paused never_fired\n");
    EXPECT_THAT(told.canonical, HasSubstr("(events looked at: 1)"));
}

TEST_F(ApiMatching, ExplainAndLintSayThatAWebhookIsGone) {
    Receiver receiver(loop, wheel, answer_with(410));
    const std::string body = R"({"kind":"custom","name":"hook","url":")" + receiver.url() + "\"}";
    ASSERT_EQ(ask("POST", "/api/v1/webhooks", body).status, 201);
    EXPECT_THAT(ask("GET", "/api/v1/lint").list("items"), IsEmpty());
    bring("status", "active", 1);
    const WebhookId id = engine->catalog.find("hook")->id;
    until([&] { return engine->dispatcher.health(id).state == HealthState::gone; });
    const Said told = explain("hook", 1);
    EXPECT_EQ(told.at("fires").raw(), "true") << "its delivery waits";
    EXPECT_THAT(*told.list("rules").at(0).string("reason"),
                AllOf(HasSubstr("it is gone: the receiver answered 410 Gone"),
                      HasSubstr("until it is resumed")));
    const Said linted = ask("GET", "/api/v1/lint");
    EXPECT_THAT(linted.canonical, HasSubstr(R"("kind":"gone","message":"it is gone: the rec)"));
    EXPECT_THAT(ask("GET", "/api/v1/webhooks/hook").list("warnings"), IsEmpty());
    ASSERT_EQ(ask("PATCH", "/api/v1/webhooks/hook", R"({"active":true})").status, 200);
    EXPECT_THAT(ask("GET", "/api/v1/lint").list("items"), IsEmpty());
    EXPECT_EQ(explain("hook", 1).list("rules").at(0).string("reason"), "the webhook is active");
}

TEST_F(ApiMatching, LintGoesOnWhereItsPageEnded) {
    for (const char* name : {"a", "b", "c"}) create(name, R"("conditions":{"expression":"false"})");
    std::string cursor;
    std::size_t pages = 0;
    std::size_t found = 0;
    do {
        const Said page =
            ask("GET", "/api/v1/lint?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        ASSERT_EQ(page.status, 200);
        found += page.list("items").size();
        cursor = page.text("next_cursor");
        ++pages;
    } while (!cursor.empty());
    EXPECT_EQ(found, 3U);
    EXPECT_EQ(pages, 2U);
}

struct Backtests : ApiMatching {
    Said backtest(const std::string& more) {
        return ask("POST", "/api/v1/webhooks/backtest", "{" + more + "}");
    }
    std::size_t stored_deliveries() {
        return ask("GET", "/api/v1/deliveries").list("items").size();
    }
};

constexpr std::string_view unsaved =
    R"("webhook":{"name":"new","kind":"custom","url":"http://127.0.0.1:9/",)"
    R"("headers":[{"key":"X-Team","value":"net"},{"key":"X-Api-Key","value":"hidden-one"}],)"
    R"("conditions":{"changed_fields":{"only":["status"]}}})";

TEST_F(Backtests, ShowWhatAnUnsavedWebhookWouldHaveSentAndSendNothing) {
    bring("status", "active", 1);
    bring("description", "x", 2);
    bring("status", "gone", 3);
    const Said told = backtest(std::string(unsaved));
    ASSERT_EQ(told.status, 200) << told.canonical;
    EXPECT_EQ(told.at("events").raw(), R"({"value":3,"capped":false})");
    EXPECT_EQ(told.number("examined"), 3);
    EXPECT_EQ(told.number("matched"), 2);
    ASSERT_EQ(told.list("items").size(), 2U);
    EXPECT_EQ(told.list("items")[0].string("id"), event_id(3).text()) << "newest first";
    const JsonView request = *told.list("items")[1].find("request");
    const auto stored = ask("GET", "/api/v1/events/" + event_id(1).text());
    EXPECT_EQ(request.string("body"), stored.at("body").raw()) << "the exact body";
    EXPECT_EQ(request.find("headers")->string("X-Team"), "net");
    EXPECT_EQ(request.find("headers")->string("X-Api-Key"), "***");
    EXPECT_THAT(told.canonical, Not(HasSubstr("hidden-one")));
    EXPECT_TRUE(told.at("next_cursor").is_null());
    EXPECT_EQ(stored_deliveries(), 0U);
    EXPECT_THAT(ask("GET", "/api/v1/webhooks").list("items"), IsEmpty()) << "nothing is stored";
}

TEST_F(Backtests, AgreeWithWhatWasReallySent) {
    Receiver receiver(loop, wheel, answer_with(200));
    ASSERT_EQ(ask("POST", "/api/v1/webhooks",
                  R"({"kind":"custom","name":"real","url":")" + receiver.url() +
                      R"(","shared_key":"k","signature_profile":"infrahub-spaced",)"
                      R"("conditions":{"values":[{"field":"status","value":"active"}]}})")
                  .status,
              201);
    bring("status", "gone", 1);
    bring("status", "active", 2);
    until([&] { return receiver.requests.size() == 1; });
    const Said told = backtest(R"("webhook":"real")");
    EXPECT_EQ(told.number("matched"), 1);
    const JsonView request = *told.list("items").at(0).find("request");
    EXPECT_EQ(request.string("body"), receiver.requests[0].body);
    const JsonView headers = *request.find("headers");
    std::vector<std::string> names;
    for (auto items = headers.items(); items.next();) {
        std::string name = items.key();
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
        const auto sent = receiver.requests[0].header(name);
        if (name == "webhook-id") {
            EXPECT_EQ(items.value().string(), "msg_preview") << "nothing was delivered";
        } else if (name == "webhook-signature") {
            EXPECT_EQ(items.value().string(), "***");
            EXPECT_FALSE(sent.empty());
        } else {
            EXPECT_EQ(sent, items.value().string()) << name;
        }
        names.push_back(name);
    }
    EXPECT_THAT(names, IsSupersetOf({"webhook-id", "webhook-timestamp", "webhook-signature"}));
    turn();
    EXPECT_EQ(receiver.requests.size(), 1U);
    EXPECT_EQ(stored_deliveries(), 1U);
}

TEST_F(Backtests, TakeChangesOfAStoredWebhook) {
    create("hook", R"("conditions":{"changed_fields":{"only":["status"]}})");
    bring("status", "active", 1);
    bring("role", "leaf", 2);
    EXPECT_EQ(backtest(R"("webhook":"hook")").number("matched"), 1);
    const Said changed = backtest(
        R"("webhook":"hook","changes":{"conditions":{"changed_fields":{"only":["role"]}}})");
    ASSERT_EQ(changed.status, 200) << changed.canonical;
    EXPECT_EQ(changed.list("items").at(0).string("id"), event_id(2).text());
    EXPECT_EQ(backtest(R"("webhook":"hook")").list("items").at(0).string("id"), event_id(1).text())
        << "the stored one is as it was";
}

TEST_F(Backtests, GoOnWhereAPageEndedAndCountWithoutShowing) {
    for (std::uint64_t n = 1; n <= 100; ++n) bring(n % 2 == 0 ? "status" : "role", "x", n);
    std::vector<std::string> ids;
    std::int64_t examined = 0;
    std::string cursor;
    do {
        const Said page = backtest(std::string(unsaved) + R"(,"limit":7)" +
                                   (cursor.empty() ? "" : R"(,"cursor":")" + cursor + "\""));
        ASSERT_EQ(page.status, 200) << page.canonical;
        EXPECT_EQ(page.at("events").is_null(), !cursor.empty());
        examined += page.number("examined");
        for (const JsonView& item : page.list("items")) ids.push_back(*item.string("id"));
        cursor = page.text("next_cursor");
    } while (!cursor.empty());
    ASSERT_EQ(ids.size(), 50U);
    EXPECT_EQ(examined, 100);
    EXPECT_EQ(ids.front(), event_id(100).text());
    EXPECT_EQ(ids.back(), event_id(2).text());
    EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());

    const Said counted = backtest(std::string(unsaved) + R"(,"limit":0)");
    EXPECT_EQ(counted.number("matched"), 50);
    EXPECT_THAT(counted.list("items"), IsEmpty());
}

TEST_F(Backtests, EndAPageWhenItHoldsEnoughBytes) {
    const std::string large(1'400'000, 'x');
    for (std::uint64_t n = 1; n <= 5; ++n) bring("status", large, n);
    const Said page = backtest(std::string(unsaved));
    EXPECT_EQ(page.list("items").size(), 3U) << "the third reaches 4 MiB";
    EXPECT_NE(page.text("next_cursor"), "");
}

TEST_F(Backtests, KeepToTheirRange) {
    bring("status", "a", 1);
    const std::string after = to_rfc3339(clock.now() + std::chrono::hours{1});
    EXPECT_EQ(backtest(std::string(unsaved) + R"(,"since":")" + after + "\"").number("matched"), 0);
    EXPECT_EQ(backtest(std::string(unsaved) + R"(,"until":")" + after + "\"").number("matched"), 1);
}

TEST_F(Backtests, SayWhyNoRequestCouldBeMade) {
    bring("status", "a", 1);
    const Said told =
        backtest(R"("webhook":{"name":"new","kind":"custom","url":"http://127.0.0.1:9/",)"
                 R"("headers":[{"key":"X-Key","environment":"NO_SUCH_VARIABLE"}]})");
    ASSERT_EQ(told.list("items").size(), 1U);
    EXPECT_TRUE(told.list("items")[0].find("request")->is_null());
    EXPECT_THAT(*told.list("items")[0].string("problem"), HasSubstr("NO_SUCH_VARIABLE"));
}

TEST_F(Backtests, RefuseWhatIsWrongByItsPointer) {
    create("hook", R"("active":false)");
    struct Wrong {
        std::string body;
        std::string pointer;
    };
    const Wrong cases[] = {
        {"", "/webhook"},
        {R"("webhook":7)", "/webhook"},
        {R"("webhook":"nobody")", "/webhook"},
        {R"("webhook":{"name":"a","kind":"custom"})", "/webhook/url"},
        {R"("webhook":"hook","changes":{"conditions":{"expression":"x"}})",
         "/changes/conditions/expression"},
        {R"("webhook":"hook","changes":7)", "/changes"},
        {R"("webhook":"hook","since":"yesterday")", "/since"},
        {R"("webhook":"hook","limit":251)", "/limit"},
        {R"("webhook":"hook","cursor":"x")", "/cursor"},
        {R"("webhook":"hook","sinse":"x")", "/sinse"},
    };
    for (const Wrong& c : cases) {
        const Said told = backtest(c.body);
        EXPECT_EQ(told.status, 422) << c.body;
        ASSERT_FALSE(told.list("errors").empty()) << c.body;
        EXPECT_EQ(told.list("errors")[0].string("pointer"), c.pointer) << c.body;
    }
}

// Infrahub users: opsmill/infrahub #6325 and #6998, over the dialect's own names and places.
TEST_F(ApiMatching, Issue6325FiltersArtifactsOfDevices) {
    create("devices", R"("active":true,"event_type":"infrahub.artifact.*",)"
                      R"("branch_scope":"all_branches","conditions":{"target_kinds":["Dcim*"]})");
    const auto artifact = [](std::string_view kind) {
        return R"({"event":"infrahub.artifact.updated","branch":"main","data":{"node_id":"a",)"
               R"("target_id":"t","target_kind":")" +
               std::string(kind) + R"("}})";
    };
    EXPECT_EQ(ask("POST", "/api/v1/events", artifact("DcimDevice")).list("deliveries").size(), 1U);
    EXPECT_EQ(ask("POST", "/api/v1/events", artifact("IpamVlan")).list("deliveries").size(), 0U);
}

// Infrahub users: opsmill/infrahub #9409, also for events in the stored and streamed form.
TEST_F(ApiMatching, Issue9409FiltersStreamedEventsByChangedRelationship) {
    create("site", R"("active":true,"conditions":{"changed_fields":{"only":["site"]}})");
    const auto streamed = [](std::string_view relationship) {
        return R"({"id":")" + Uuid::random().text() +
               R"(","event":"infrahub.node.updated","occurred":"2026-03-13T12:00:00Z",)"
               R"("resource":{"infrahub.node.kind":"DcimDevice","infrahub.node.id":"d",)"
               R"("infrahub.branch.name":"main"},"related":[{"prefect.resource.role":)"
               R"("infrahub.branch","prefect.resource.id":"infrahub.branch.1",)"
               R"("infrahub.resource.label":"main"}],"payload":{"data":{"kind":"DcimDevice",)"
               R"("changelog":{"attributes":{},"relationships":{")" +
               std::string(relationship) +
               R"(":{"cardinality":"one","peer_id":"p","peer_id_previous":null}}}},"context":{}}})";
    };
    EXPECT_EQ(ask("POST", "/api/v1/events", streamed("site")).list("deliveries").size(), 1U);
    EXPECT_EQ(ask("POST", "/api/v1/events", streamed("rack")).list("deliveries").size(), 0U);
}

}  // namespace
}  // namespace herald::test
