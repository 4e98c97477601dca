#include "core/gathering.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "core/limits.h"
#include "support/builders.h"

namespace herald {

namespace {

using namespace std::chrono_literals;
using test::event_id;
using test::make_event;

Gathering read(std::string_view json, std::vector<FieldError>& wrong) {
    return read_gathering(JsonView(json), JsonView{}, wrong);
}

std::string written(const Gathering& gathering) {
    std::string out;
    append_gathering(out, gathering, SecretForm::plain);
    return out;
}

/// The only thing that is wrong with it, and where.
FieldError refusal(std::string_view json) {
    std::vector<FieldError> wrong;
    std::ignore = read(json, wrong);
    EXPECT_EQ(wrong.size(), 1U) << json;
    return wrong.empty() ? FieldError{} : wrong[0];
}

TEST(Gathering, ComesBackAsItWasWritten) {
    Gathering gathering;
    gathering.mode = GatherMode::debounce;
    gathering.key = GatherKey::node;
    gathering.quiet = 2s;
    gathering.at_most = 1min;
    gathering.most = 24;
    gathering.send = GatherSend::last;
    const std::string text = written(gathering);
    EXPECT_EQ(text, R"({"mode":"debounce","key":"node","quiet":"2s","at_most":"1m","most":24,)"
                    R"("send":"last"})");
    std::vector<FieldError> wrong;
    EXPECT_EQ(read(text, wrong), gathering);
    EXPECT_EQ(read(written({}), wrong), Gathering{});
    EXPECT_TRUE(wrong.empty());
}

TEST(Gathering, WhatIsLeftOutFollowsFromTheRest) {
    std::vector<FieldError> wrong;
    const Gathering debounce = read(R"({"mode":"debounce","quiet":"30s"})", wrong);
    EXPECT_EQ(debounce.by(), GatherKey::webhook);
    EXPECT_EQ(debounce.longest(), 5min);
    EXPECT_EQ(read(R"({"mode":"settle"})", wrong).by(), GatherKey::root);
    // The longest quiet has its ten times too.
    EXPECT_LE(read(R"({"quiet":"10m"})", wrong).longest(), limits::gathering_max);
    EXPECT_TRUE(wrong.empty());
}

TEST(Gathering, WhatIsWrongIsNamedWithItsBounds) {
    EXPECT_EQ(refusal(R"({"mode":"batch"})").pointer, "/gathering/mode");
    EXPECT_EQ(refusal(R"({"key":"device"})").pointer, "/gathering/key");
    EXPECT_EQ(refusal(R"({"mode":"settle","key":"node"})").pointer, "/gathering/key");
    EXPECT_EQ(refusal(R"({"quiet":"99ms"})").pointer, "/gathering/quiet");
    EXPECT_EQ(refusal(R"({"quiet":"11m"})").pointer, "/gathering/quiet");
    EXPECT_EQ(refusal(R"({"quiet":"30s","at_most":"29s"})").pointer, "/gathering/at_most");
    EXPECT_EQ(refusal(R"({"at_most":"3h"})").pointer, "/gathering/at_most");
    EXPECT_EQ(refusal(R"({"most":1})").pointer, "/gathering/most");
    EXPECT_EQ(refusal(R"({"most":1001})").pointer, "/gathering/most");
    EXPECT_EQ(refusal(R"({"send":"first"})").pointer, "/gathering/send");
    EXPECT_EQ(refusal(R"({"quite":"10s"})").pointer, "/gathering/quite");
}

TEST(GatherKey, OfTheWebhookIsOneForAll) {
    EXPECT_EQ(gather_key(GatherKey::webhook, make_event(1)),
              gather_key(GatherKey::webhook, make_event(2)));
}

TEST(GatherKey, OfANodeIsTheNodeOnItsBranch) {
    Event one = make_event(1);
    Event other = make_event(2);
    EXPECT_NE(gather_key(GatherKey::node, one), gather_key(GatherKey::node, other));
    other.node = one.node;
    EXPECT_EQ(gather_key(GatherKey::node, one), gather_key(GatherKey::node, other));
    other.branch = "add-site";
    EXPECT_NE(gather_key(GatherKey::node, one), gather_key(GatherKey::node, other));
    // Events about no node have nothing in common.
    one.node = {};
    other.node = {};
    EXPECT_NE(gather_key(GatherKey::node, one), gather_key(GatherKey::node, other));
}

TEST(GatherKey, OfARootIsTheSameForItsWholeTree) {
    const Event root = make_event(1);
    Event child = make_event(2);
    child.parent = root.id;
    Event grandchild = make_event(3);
    grandchild.parent = child.id;
    grandchild.ancestors = {{child.id, child.type}, {root.id, root.type}};
    EXPECT_EQ(root_of(root), root.id);
    for (const Event& event : {root, child, grandchild}) {
        EXPECT_EQ(gather_key(GatherKey::root, event), root_key(root.id));
    }
    EXPECT_NE(gather_key(GatherKey::root, make_event(4)), root_key(root.id));
}

TEST(GatherRules, DueWhenQuietOrTooLongOnTheWay) {
    Gathering rules;
    rules.quiet = 10s;
    const Gathered::Steady start{1h};
    EXPECT_EQ(due_at(rules, {start, start}), start + 10s);
    EXPECT_EQ(due_at(rules, {start, start + 4s}), start + 14s) << "each event begins it anew";
    EXPECT_EQ(due_at(rules, {start, start + 99s}), start + 100s) << "but not for ever";
    rules.at_most = 12s;
    EXPECT_EQ(due_at(rules, {start, start + 4s}), start + 12s);
}

TEST(GatherRules, AGroupIsFullByNumberAndAListByBytesToo) {
    Gathering rules;
    rules.most = 3;
    EXPECT_FALSE(is_full(rules, {.events = 2, .bytes = 10}, 10));
    EXPECT_TRUE(is_full(rules, {.events = 3, .bytes = 10}, 10));
    EXPECT_FALSE(is_full(rules, {.events = 1, .bytes = 600'000}, 400'000));
    EXPECT_TRUE(is_full(rules, {.events = 1, .bytes = 600'000}, 400'001));
    EXPECT_FALSE(is_full(rules, {}, limits::event_bytes)) << "one alone always goes";
    rules.send = GatherSend::last;
    EXPECT_FALSE(is_full(rules, {.events = 1, .bytes = 600'000}, 400'001));
    EXPECT_LT(limits::gathered_bytes + 10'000, limits::event_bytes);
}

TEST(GatherRules, AfterARestartTheAgeCountsButOneQuietPeriodIsLeft) {
    Gathering rules;
    rules.quiet = 10s;
    const Gathered::Steady now{1h};
    EXPECT_EQ(began(rules, 0s, now), now);
    EXPECT_EQ(began(rules, 30s, now), now - 30s);
    EXPECT_EQ(due_at(rules, {began(rules, 24h, now), now}), now + 10s);
    EXPECT_EQ(began(rules, -1h, now), now) << "the wall clock was set back";
}

TEST(GatheredData, ListsTheBodiesInOrderWithWhatTheyShare) {
    Gathering rules;
    rules.key = GatherKey::node;
    Event one = make_event(1);
    Event other = make_event(2);
    other.node = one.node;
    const std::string data = gathered_data(rules, {&one, &other});
    EXPECT_EQ(data, R"({"key":"node","value":"node-1","first_at":"2026-03-13T12:00:01.003000Z",)"
                    R"("last_at":"2026-03-13T12:00:02.003000Z","count":2,"events":[)" +
                        one.body + "," + other.body + "]}");
    EXPECT_EQ(canonical_json(data).value_or(""), data) << "it is canonical";
    rules.key = GatherKey::webhook;
    EXPECT_TRUE(gathered_data(rules, {&one}).starts_with(R"({"key":"webhook","value":null,)"));
    rules.key = GatherKey::root;
    EXPECT_NE(gathered_data(rules, {&one}).find(one.id.text()), std::string::npos);
}

}  // namespace

}  // namespace herald
