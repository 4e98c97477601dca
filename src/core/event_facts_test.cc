#include "core/event_facts.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr BodyPlaces places = {
    .data = "data",
    .attributes = "data.log.attributes",
    .value = "now",
    .previous = "before",
    .relationships = "data.log.relationships",
    .peer = "peer",
    .previous_peer = "peer_before",
    .peers = "peers",
    .peer_status = "status",
    .removed = "gone",
    .changed_names = "data.fields",
    .target_kind = "data.target",
};
const EventTypes types("shop.", {}, places);

Event event(std::string body) {
    Event made;
    made.type = "shop.order.changed";
    made.body = std::move(body);
    return made;
}

/// "name: value < previous", one line a change.
std::string told(const std::string& body) {
    const Event made = event(body);
    EventFacts facts(made, types);
    std::string text;
    for (const Change& change : facts.changes()) {
        text += change.name + ": " + std::string(change.value ? change.value->raw() : "-") + " < " +
                std::string(change.previous ? change.previous->raw() : "-") + "\n";
    }
    return text;
}

TEST(EventFacts, AttributesHaveValueAndPrevious) {
    EXPECT_EQ(told(R"({"data":{"log":{"attributes":{"state":{"now":"paid","before":null},)"
                   R"("\u00e9":{}}}}})"),
              "state: \"paid\" < null\n\xc3\xa9: - < -\n");
}

TEST(EventFacts, RelationshipsHaveTheIdsOfTheirPeers) {
    EXPECT_EQ(
        told(R"({"data":{"log":{"relationships":{"buyer":{"peer":"a","peer_before":"b"},)"
             R"("tags":{"peers":[{"peer":"x","status":"added"},{"peer":"y","status":"gone"}]},)"
             R"("none":{"peers":[]}}}}})"),
        "buyer: \"a\" < \"b\"\ntags: \"x\" < -\ntags: - < \"y\"\nnone: - < -\n");
}

TEST(EventFacts, NamesAloneAreTakenWhereNothingElseIsSaid) {
    EXPECT_EQ(told(R"({"data":{"fields":["a","b",3]}})"), "a: - < -\nb: - < -\n");
    EXPECT_EQ(told(R"({"data":{"fields":["a"],"log":{"attributes":{"b":{"now":1}}}}})"),
              "b: 1 < -\n");
}

TEST(EventFacts, OtherBodiesSayNothing) {
    for (const std::string body : {"", "{}", R"({"data":1})", R"({"data":{"log":null}})",
                                   R"({"data":{"log":{"attributes":[1],"relationships":"x"}}})",
                                   R"({"data":{"fields":{"a":1}}})"}) {
        EXPECT_EQ(told(body), "") << body;
    }
    const Event bare = event(R"({"data":{"log":{"attributes":{"a":1}},"target":"K"}})");
    const EventTypes none;
    EventFacts facts(bare, none);
    EXPECT_TRUE(facts.changes().empty());
    EXPECT_TRUE(facts.data().is_null());
    EXPECT_EQ(facts.target_kind(), "");
}

TEST(EventFacts, TargetKindIsAText) {
    const Event good = event(R"({"data":{"target":"ShopLabel"}})");
    EXPECT_EQ(EventFacts(good, types).target_kind(), "ShopLabel");
    const Event bad = event(R"({"data":{"target":7}})");
    EXPECT_EQ(EventFacts(bad, types).target_kind(), "");
}

}  // namespace
}  // namespace herald
