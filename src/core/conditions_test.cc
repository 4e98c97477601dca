#include "core/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr BodyPlaces places = {
    .data = "data",
    .attributes = "data.changelog.attributes",
    .value = "value",
    .previous = "value_previous",
    .relationships = "data.changelog.relationships",
    .peer = "peer_id",
    .previous_peer = "peer_id_previous",
    .peers = "peers",
    .peer_status = "peer_status",
    .removed = "removed",
    .changed_names = "data.fields",
    .target_kind = "data.target_kind",
};
const EventTypes types("infrahub.", {}, places);

/// A device whose status, height and site changed, and which lost a tag for another.
Event device_updated() {
    Event event;
    event.type = "infrahub.node.updated";
    event.account_id = "ada";
    event.origin = "live";
    event.node = {"d-1", "DcimDevice"};
    event.related = {{"s-2", "LocationSite"}, {"t-1", "BuiltinTag"}};
    event.body = R"({"data":{"changelog":{"attributes":{)"
                 R"("status":{"value":"active","value_previous":"planned"},)"
                 R"("height":{"value":2.0,"value_previous":null}},"relationships":{)"
                 R"("site":{"peer_id":"s-2","peer_id_previous":"s-1"},)"
                 R"("tags":{"peers":[{"peer_id":"t-1","peer_status":"added"},)"
                 R"({"peer_id":"t-0","peer_status":"removed"}]}}}}})";
    return event;
}

Event artifact_updated() {
    Event event;
    event.type = "infrahub.artifact.updated";
    event.node = {"a-1", "CoreArtifact"};
    event.body = R"({"data":{"target_id":"d-1","target_kind":"DcimDevice"}})";
    return event;
}

Conditions read(std::string_view json) {
    const auto canonical = canonical_json(json);
    std::vector<FieldError> wrong;
    Conditions conditions = read_conditions(JsonView(canonical.value()), wrong);
    EXPECT_THAT(wrong, IsEmpty()) << json << ": " << (wrong.empty() ? "" : wrong[0].detail);
    return conditions;
}

bool held(std::string_view json, const Event& event) {
    const Conditions conditions = read(json);
    EventFacts facts(event, types);
    const bool holds = hold(conditions, facts);
    bool all = true;
    for (const ConditionCheck& one : check(conditions, facts)) {
        EXPECT_FALSE(one.reason.empty());
        all = all && one.holds;
    }
    EXPECT_EQ(all, holds) << json << " is not explained as it is decided";
    return holds;
}

struct Case {
    std::string_view json;
    bool holds;
};

void check_all(std::span<const Case> cases, const Event& event) {
    for (const Case& c : cases) EXPECT_EQ(held(c.json, event), c.holds) << c.json;
}

TEST(Conditions, NoneHoldForEveryEvent) {
    EXPECT_TRUE(held("{}", Event{}));
    EXPECT_TRUE(held("null", Event{}));
    EXPECT_TRUE(read("{}").empty());
    for (const std::string_view given :
         {R"({"changed_fields":{"only":["a"]}})", R"({"changed_fields":{"ignore":["a"]}})",
          R"({"values":[{"field":"a","value":1}]})", R"({"accounts":["a"]})",
          R"({"origins":["a"]})", R"({"related_kinds":["a"]})", R"({"target_kinds":["a"]})",
          R"({"expression":"true"})"}) {
        EXPECT_FALSE(read(given).empty()) << given;
    }
}

// Infrahub users: opsmill/infrahub #9409, only_fields and ignore_fields of node.updated.
TEST(Conditions, Issue9409FiltersNodeUpdatesByChangedFieldOrRelationship) {
    constexpr Case cases[] = {
        {R"({"changed_fields":{"only":["status"]}})", true},
        {R"({"changed_fields":{"only":["site"]}})", true},
        {R"({"changed_fields":{"only":["tags"]}})", true},
        {R"({"changed_fields":{"only":["name"]}})", false},
        {R"({"changed_fields":{"only":["name","status"]}})", true},
        {R"({"changed_fields":{"only":["stat*"]}})", true},
        {R"({"changed_fields":{"only":["Status"]}})", false},
        {R"({"changed_fields":{"ignore":["status"]}})", true},
        {R"({"changed_fields":{"ignore":["status","height","site"]}})", true},
        {R"({"changed_fields":{"ignore":["status","height","site","tags"]}})", false},
        {R"({"changed_fields":{"ignore":["*"]}})", false},
        {R"({"changed_fields":{"only":["status"],"ignore":["s*","height"]}})", true},
        {R"({"changed_fields":{"only":["status"],"ignore":["s*","height","tags"]}})", false},
    };
    check_all(cases, device_updated());
}

TEST(Conditions, Issue9409HoldsAlsoWhereTheEventNamesItsFieldsOnly) {
    Event event;
    event.body = R"({"data":{"fields":["artifacts","member_of_groups"]}})";
    EXPECT_FALSE(held(R"({"changed_fields":{"ignore":["artifacts","member_of_groups"]}})", event));
    EXPECT_TRUE(held(R"({"changed_fields":{"only":["artifacts"]}})", event));
}

TEST(Conditions, ChangedFieldsHoldForNoEventThatSaysNothingOfChanges) {
    EXPECT_FALSE(held(R"({"changed_fields":{"only":["*"]}})", artifact_updated()));
    EXPECT_FALSE(held(R"({"changed_fields":{"ignore":["a"]}})", artifact_updated()));
}

// Infrahub users: opsmill/infrahub #6325, artifact events by what they were made for.
TEST(Conditions, Issue6325FiltersArtifactsByTheKindOfTheirTarget) {
    EXPECT_TRUE(held(R"({"target_kinds":["DcimDevice"]})", artifact_updated()));
    EXPECT_TRUE(held(R"({"target_kinds":["InfraVLAN","Dcim*"]})", artifact_updated()));
    EXPECT_FALSE(held(R"({"target_kinds":["InfraVLAN"]})", artifact_updated()));
    EXPECT_FALSE(held(R"({"target_kinds":["*"]})", Event{})) << "nothing is no kind";
    EXPECT_FALSE(held(R"({"target_kinds":["CoreArtifact"]})", artifact_updated()));
}

TEST(Conditions, ValuesAskForWhatAnAttributeBecameAndWas) {
    constexpr Case cases[] = {
        {R"({"values":[{"field":"status","value":"active"}]})", true},
        {R"({"values":[{"field":"status","value":"planned"}]})", false},
        {R"({"values":[{"field":"status","previous":"planned"}]})", true},
        {R"({"values":[{"field":"status","value":"active","previous":"planned"}]})", true},
        {R"({"values":[{"field":"status","value":"active","previous":"drained"}]})", false},
        {R"({"values":[{"field":"name","value":"active"}]})", false},
        {R"({"values":[{"field":"*","value":"active"}]})", true},
        {R"({"values":[{"field":"height","value":2}]})", true},
        {R"({"values":[{"field":"height","value":"2"}]})", false},
        {R"({"values":[{"field":"height","previous":null}]})", true},
        {R"({"values":[{"field":"status","previous":null}]})", false},
        {R"({"values":[{"field":"site","value":"s-2","previous":"s-1"}]})", true},
        {R"({"values":[{"field":"tags","value":"t-1"}]})", true},
        {R"({"values":[{"field":"tags","previous":"t-0"}]})", true},
        {R"({"values":[{"field":"tags","value":"t-0"}]})", false},
        {R"({"values":[{"field":"tags","value":"t-1","previous":"t-0"}]})", false},
        {R"({"values":[{"field":"status","value":"active"},{"field":"height","value":2}]})", true},
        {R"({"values":[{"field":"status","value":"active"},{"field":"height","value":3}]})", false},
    };
    check_all(cases, device_updated());
}

TEST(Conditions, AccountsOriginsAndRelatedKindsAreAlternativesAndGlobs) {
    constexpr Case cases[] = {
        {R"({"accounts":["ada"]})", true},
        {R"({"accounts":["eve","a*"]})", true},
        {R"({"accounts":["eve"]})", false},
        {R"({"origins":["live"]})", true},
        {R"({"origins":["merge","rebase"]})", false},
        {R"({"related_kinds":["LocationSite"]})", true},
        {R"({"related_kinds":["Location*"]})", true},
        {R"({"related_kinds":["DcimDevice"]})", false},
        {R"({"accounts":["ada"],"origins":["live"],"related_kinds":["BuiltinTag"]})", true},
        {R"({"accounts":["ada"],"origins":["merge"],"related_kinds":["BuiltinTag"]})", false},
        {R"~({"accounts":["ada"],"expression":"changed(\"status\")"})~", true},
        {R"~({"accounts":["ada"],"expression":"changed(\"name\")"})~", false},
    };
    check_all(cases, device_updated());
    EXPECT_FALSE(held(R"({"accounts":["*"]})", Event{}));
}

TEST(Conditions, ChecksSayWhatTheEventHas) {
    const Event event = device_updated();
    EventFacts facts(event, types);
    const auto checks =
        check(read(R"({"changed_fields":{"only":["name"]},"accounts":["eve"],"origins":["live"],)"
                   R"("values":[{"field":"status","value":"x"},{"field":"name","value":1}],)"
                   R"("related_kinds":["x"],"target_kinds":["x"],)"
                   R"("expression":"event.level == 0 and data.x == 1"})"),
              facts);
    std::string told;
    for (const ConditionCheck& one : checks) {
        told += one.name + (one.holds ? " yes: " : " no: ") + one.reason + "\n";
    }
    EXPECT_EQ(told,
              "origins yes: its origin is \"live\"\n"
              "accounts no: its account is \"ada\"\n"
              "related_kinds no: the kinds of its related nodes are LocationSite, BuiltinTag\n"
              "target_kinds no: the event has no target kind\n"
              "changed_fields.only no: what changed: status, height, site, tags\n"
              "values no: status is \"active\" and was \"planned\"\n"
              "values no: name did not change\n"
              "expression yes: event.level == 0: event.level is 0\n"
              "expression no: data.x == 1: data.x is null\n");
}

TEST(Conditions, ComeBackAsTheyWereWritten) {
    const Conditions conditions =
        read(R"({"changed_fields":{"only":["a"],"ignore":["b","c*"]},)"
             R"("values":[{"field":"d","previous":null},{"field":"e","value":1.50}],)"
             R"("accounts":["f"],"origins":["g"],"related_kinds":["h"],"target_kinds":["i"],)"
             R"("expression":"data.x == \"y\""})");
    std::string written;
    append_conditions(written, conditions);
    EXPECT_EQ(read(written), conditions);
    EXPECT_NE(conditions, Conditions{});
    EXPECT_EQ(written,
              R"({"changed_fields":{"only":["a"],"ignore":["b","c*"]},)"
              R"("values":[{"field":"d","previous":null},{"field":"e","value":1.50}],)"
              R"("accounts":["f"],"origins":["g"],"related_kinds":["h"],"target_kinds":["i"],)"
              R"("expression":"data.x == \"y\""})");
    std::string none;
    append_conditions(none, {});
    EXPECT_EQ(read(none), Conditions{});
}

TEST(Conditions, WhatIsWrongIsNamed) {
    const std::string long_list = R"({"accounts":[)" +
                                  std::string(2 * limits::condition_values, ' ') + R"("a")" +
                                  [] {
                                      std::string more;
                                      for (std::size_t i = 0; i < limits::condition_values; ++i)
                                          more += R"(,"a")";
                                      return more;
                                  }() +
                                  "]}";
    struct Wrong {
        std::string json;
        std::string pointer;
        std::string detail;
    };
    const Wrong cases[] = {
        {"[]", "/conditions", "must be an object"},
        {R"({"acounts":["a"]})", "/conditions/acounts", "did you mean accounts"},
        {R"({"accounts":"a"})", "/conditions/accounts", "must be an array of texts"},
        {R"({"accounts":[1]})", "/conditions/accounts/0", "must be a text"},
        {R"({"origins":["a",""]})", "/conditions/origins/1", "must not be empty"},
        {long_list, "/conditions/accounts", "at most 100"},
        {R"({"related_kinds":[")" + std::string(limits::label_bytes + 1, 'x') + R"("]})",
         "/conditions/related_kinds/0", "at most 1024 bytes"},
        {R"({"changed_fields":[]})", "/conditions/changed_fields", "must be an object"},
        {R"({"changed_fields":{"onyl":[]}})", "/conditions/changed_fields/onyl", "only"},
        {R"({"values":{}})", "/conditions/values", "must be an array of objects"},
        {R"({"values":[1]})", "/conditions/values/0", "must be an object"},
        {R"({"values":[{"value":1}]})", "/conditions/values/0/field", "is required"},
        {R"({"values":[{"field":"a"}]})", "/conditions/values/0", "must have a value"},
        {R"({"values":[{"field":"a","value":[1]}]})", "/conditions/values/0/value",
         "must be a text, a number"},
        {R"({"values":[{"field":"a","value":1,"was":2}]})", "/conditions/values/0/was",
         "is no attribute"},
        {R"({"expression":1})", "/conditions/expression", "must be a text"},
        {R"({"expression":"event.type = 1"})", "/conditions/expression",
         "at column 12: = is not known here"},
    };
    for (const Wrong& c : cases) {
        std::vector<FieldError> wrong;
        const auto canonical = canonical_json(c.json);
        (void)read_conditions(JsonView(canonical.value()), wrong);
        ASSERT_EQ(wrong.size(), 1U) << c.json;
        EXPECT_EQ(wrong[0].pointer, c.pointer) << c.json;
        EXPECT_THAT(wrong[0].detail, HasSubstr(c.detail)) << c.json;
    }
}

}  // namespace
}  // namespace herald
