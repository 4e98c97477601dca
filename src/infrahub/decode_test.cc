#include "infrahub/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "infrahub/names.h"
#include "infrahub/samples.h"

namespace herald::infrahub {
namespace {

const Time received = *parse_time("2025-03-13T17:00:00Z");

Result<Event> decode(std::string_view text) {
    const auto canonical = canonical_json(text);
    EXPECT_TRUE(canonical) << text;
    return decode_event(JsonView(*canonical), received, "test");
}

/// The pointers of all fields that are wrong.
std::vector<std::string> wrong_fields(std::string_view text) {
    const auto event = decode(text);
    std::vector<std::string> pointers;
    if (event) return pointers;
    for (const FieldError& error : event.error().fields) pointers.push_back(error.pointer);
    return pointers;
}

std::string example(const std::string& name) {
    std::ifstream file(HERALD_SOURCE_DIR "/examples/" + name + ".json");
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(DecodeBody, DocumentedPayloadsKeepTheirBytes) {
    for (const std::string name : {"branch_created", "node_created", "node_updated"}) {
        const std::string text = example(name);
        const auto event = decode(text);
        ASSERT_TRUE(event) << event.error().message;
        EXPECT_EQ(event->body, *canonical_json(text));
    }
}

/// What Python prints for a documented payload.
std::string printed_by_python(const std::string& name) {
    const std::string command =
        "python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1])),"
        " separators=(\",\", \":\")), end=\"\")' " HERALD_SOURCE_DIR "/examples/" +
        name + ".json";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) {
        text += static_cast<char>(c);
    }
    return text;
}

TEST(DecodeBody, DocumentedPayloadsAreSentAsPythonPrintsThem) {
    for (const std::string name : {"branch_created", "node_created", "node_updated"}) {
        const auto event = decode(example(name));
        ASSERT_TRUE(event) << event.error().message;
        EXPECT_EQ(event->body, printed_by_python(name)) << name;
    }
}

TEST(DecodeBody, DocumentedBranchEventIsGlobal) {
    const auto event = decode(example("branch_created"));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->id.text(), "2ece726f-8574-488c-92f7-ee9a56485b46");
    EXPECT_EQ(event->type, "infrahub.branch.created");
    EXPECT_EQ(event->branch, "-global-");
    EXPECT_EQ(event->account_id, "182c6918-8880-5252-3611-c51ae7e0d6a5");
    EXPECT_EQ(event->occurred_at, *parse_time("2025-03-13T16:44:32.321142Z"));
    EXPECT_EQ(event->received_at, received);
    EXPECT_EQ(event->source, "test");
    EXPECT_EQ(event->node, NodeRef{});
    EXPECT_EQ(event->level, 0U);
    EXPECT_EQ(event->extra, "");
}

TEST(DecodeBody, NodeIsReadFromTheData) {
    const auto event = decode(example("node_updated"));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->branch, "alter-interface");
    EXPECT_EQ(event->node, (NodeRef{"182c697c-9915-aa00-39b7-c5181aeb3367", "InfraInterfaceL3"}));
}

TEST(DecodeBody, NodesOfEachFamily) {
    struct Case {
        std::string_view type;
        std::string_view data;
        NodeRef node;
        std::vector<NodeRef> related;
    };
    const Case cases[] = {
        {"infrahub.artifact.created",
         R"({"node_id":"a","target_id":"t","target_kind":"Dev"})",
         {"a", "CoreArtifact"},
         {{"t", "Dev"}}},
        {"infrahub.validator.failed",
         R"({"node_id":"v","kind":"K","proposed_change_id":"p"})",
         {"v", "K"},
         {{"p", "CoreProposedChange"}}},
        {"infrahub.proposed_change.approved",
         R"({"proposed_change_id":"p"})",
         {"p", "CoreProposedChange"},
         {}},
        {"infrahub.proposed_change_thread.created",
         R"({"proposed_change_id":"p","thread_id":"t","thread_kind":"CoreChangeThread"})",
         {"t", "CoreChangeThread"},
         {{"p", "CoreProposedChange"}}},
        {"infrahub.group.member_added",
         R"({"kind":"G","node_id":"g","members":[{"id":"m","kind":"M"}],"ancestors":[{"id":"a","kind":"G"}]})",
         {"g", "G"},
         {{"m", "M"}, {"a", "G"}}},
        {"infrahub.branch.merged",
         R"({"proposed_change_id":"p"})",
         {},
         {{"p", "CoreProposedChange"}}},
        {"infrahub.node.updated",
         R"({"kind":"K","node_id":"n","changelog":{"relationships":{"one":{"peer_id":"x","peer_kind":"X","peer_id_previous":"y","peer_kind_previous":"Y"},"many":{"peers":[{"peer_id":"z","peer_kind":"Z"},{"peer_id":"n","peer_kind":"K"}]}}}})",
         {"n", "K"},
         {{"x", "X"}, {"y", "Y"}, {"z", "Z"}}},
        {"acme.deploy.done", R"({"note":"nothing known"})", {}, {}},
    };
    for (const Case& one : cases) {
        const auto event = decode(R"({"event":")" + std::string(one.type) + R"(","data":)" +
                                  std::string(one.data) + "}");
        ASSERT_TRUE(event) << event.error().message;
        EXPECT_EQ(event->node, one.node) << one.type;
        EXPECT_EQ(event->related, one.related) << one.type;
    }
}

TEST(DecodeBody, IdAndTimeAreMadeWhenLeftOut) {
    const auto a = decode(R"({"event":"acme.done","data":{}})");
    const auto b = decode(R"({"event":"acme.done","data":{}})");
    ASSERT_TRUE(a && b);
    EXPECT_NE(a->id, b->id);
    EXPECT_EQ(a->occurred_at, received);
    EXPECT_EQ(a->branch, std::nullopt);
    EXPECT_EQ(
        a->body,
        R"({"data":{},"id":")" + a->id.text() +
            R"(","branch":null,"account_id":null,"occured_at":"2025-03-13 17:00:00+00:00","event":"acme.done"})");
}

TEST(DecodeBody, OwnFormSaysMore) {
    const auto event = decode(R"({"event":"infrahub.node.updated","data":{"a":1.50},
        "id":"2ECE726F-8574-488C-92F7-EE9A56485B46","occurred_at":"2025-03-13T18:44:32+02:00",
        "branch":"main","account_id":"","parent":"11111111-2222-4333-8444-555555555555","level":2,
        "has_children":true,"origin":"merge","node":{"id":"n","kind":"K"},
        "related_nodes":[{"id":"r","kind":"R"},"bare"],
        "ancestors":[{"id":"11111111-2222-4333-8444-555555555555","event":"infrahub.branch.merged"}],
        "labels":{"site":"par1"}})");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->parent->text(), "11111111-2222-4333-8444-555555555555");
    EXPECT_EQ(event->level, 2U);
    EXPECT_TRUE(event->has_children);
    EXPECT_EQ(event->origin, "merge");
    EXPECT_EQ(event->node, (NodeRef{"n", "K"}));
    EXPECT_EQ(event->related, (std::vector<NodeRef>{{"r", "R"}, {"bare", ""}}));
    ASSERT_EQ(event->ancestors.size(), 1U);
    EXPECT_EQ(event->ancestors[0].type, "infrahub.branch.merged");
    EXPECT_EQ(event->extra, R"({"labels":{"site":"par1"}})");
    EXPECT_EQ(
        event->body,
        R"({"data":{"a":1.50},"id":"2ece726f-8574-488c-92f7-ee9a56485b46","branch":"main","account_id":"","occured_at":"2025-03-13 16:44:32+00:00","event":"infrahub.node.updated"})");
}

TEST(DecodeBody, EveryWrongFieldIsNamed) {
    const std::string long_text(1025, 'x');
    const std::pair<std::string, std::vector<std::string>> cases[] = {
        {"[]", {""}},
        {"{}", {"/event", "/data"}},
        {R"({"event":7,"data":[]})", {"/event", "/data"}},
        {R"({"event":"","data":{}})", {"/event"}},
        {R"({"event":"a b","data":{}})", {"/event"}},
        {R"({"event":"\u00fc","data":{}})", {"/event"}},
        {R"({"event":"a","data":{},"id":"x","branch":1,"account_id":[]})",
         {"/id", "/branch", "/account_id"}},
        {R"({"event":"a","data":{},"branch":")" + long_text + "\"}", {"/branch"}},
        {R"({"event":"a","data":{},"occured_at":"2025-03-13 16:44:32"})", {"/occured_at"}},
        {R"({"event":"a","data":{},"occured_at":"2025-03-13T16:44:32Z","occurred_at":"2025-03-13T16:44:32Z"})",
         {"/occurred_at"}},
        {R"({"event":"a","data":{},"level":-1,"has_children":"yes","parent":"p"})",
         {"/level", "/has_children", "/parent"}},
        {R"({"event":"a","data":{},"node":{"kind":"K"}})", {"/node"}},
        {R"({"event":"a","data":{},"node":{"id":"n","knd":"K"}})", {"/node/knd"}},
        {R"({"event":"a","data":{},"related_nodes":[{"id":1}]})", {"/related_nodes/0"}},
        {R"({"event":"a","data":{},"ancestors":[{"id":"x"}]})",
         {"/ancestors/0/id", "/ancestors/0/event"}},
        {R"({"event":"a","data":{},"labels":{"a":1}})", {"/labels/a"}},
        {R"({"event":"a","data":{},"brnach":"main"})", {"/brnach"}},
    };
    for (const auto& [text, pointers] : cases) EXPECT_EQ(wrong_fields(text), pointers) << text;
}

TEST(DecodeBody, MisspeltFieldGetsASuggestion) {
    const auto event = decode(R"({"event":"a","data":{},"brnach":"main"})");
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().message, "/brnach: is no field of an event: did you mean \"branch\"?");
}

TEST(DecodeBody, TooManyRelatedNodesAreRefused) {
    std::string text = R"({"event":"a","data":{},"related_nodes":["n")";
    for (int i = 0; i < 500; ++i) text += ",\"n" + std::to_string(i) + "\"";
    EXPECT_EQ(wrong_fields(text + "]}"), std::vector<std::string>{"/related_nodes"});
}

TEST(DecodeBody, TooLargeEventIsRefused) {
    const std::string text = R"({"event":"a","data":{"x":")" + std::string(1'500'000, 'x') + "\"}}";
    EXPECT_EQ(wrong_fields(text), std::vector<std::string>{""});
}

constexpr std::string_view streamed = R"({
  "id": "bf569ddc-2a30-4491-82f1-0689f6cdb5e1", "occurred": "2025-03-13T16:31:14.566032Z",
  "received": "2025-03-13T16:31:14.601200Z", "event": "infrahub.node.updated", "follows": null,
  "resource": {"prefect.resource.id": "infrahub.node.n1", "infrahub.node.kind": "InfraDevice",
    "infrahub.node.id": "n1", "infrahub.node.action": "updated", "infrahub.branch.name": "main",
    "infrahub.node.origin": "live"},
  "related": [
    {"prefect.resource.id": "1.11", "prefect.resource.role": "infrahub.version"},
    {"prefect.resource.id": "bf569ddc-2a30-4491-82f1-0689f6cdb5e1",
     "prefect.resource.role": "infrahub.event", "infrahub.event.has_children": "true",
     "infrahub.event.level": "1"},
    {"prefect.resource.id": "infrahub.account.a1", "prefect.resource.role": "infrahub.account",
     "infrahub.resource.id": "a1"},
    {"prefect.resource.id": "infrahub.branch.b1", "prefect.resource.role": "infrahub.branch",
     "infrahub.resource.id": "b1", "infrahub.resource.label": "main"},
    {"prefect.resource.id": "bf569ddc-2a30-4491-82f1-0689f6cdb5e1",
     "prefect.resource.role": "infrahub.child_event",
     "infrahub.event_parent.id": "11111111-2222-4333-8444-555555555555"},
    {"prefect.resource.id": "11111111-2222-4333-8444-555555555555",
     "prefect.resource.role": "infrahub.ancestor_event",
     "infrahub.ancestor_event.name": "infrahub.branch.merged"},
    {"prefect.resource.id": "n1", "prefect.resource.role": "infrahub.related.node",
     "infrahub.node.kind": "InfraDevice"},
    {"prefect.resource.id": "n2", "prefect.resource.role": "infrahub.related.node",
     "infrahub.node.kind": "InfraPlatform"}],
  "payload": {"data": {"kind": "InfraDevice", "node_id": "n1"}, "context": CONTEXT}})";

std::string with_context(const std::string& context) {
    std::string text(streamed);
    return text.replace(text.find("CONTEXT"), 7, context);
}

TEST(DecodeStreamed, LabelsAndPayloadBecomeTheEvent) {
    const auto event = decode(with_context(R"({"branch":{"name":"main"},"account_id":"a2"})"));
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->type, "infrahub.node.updated");
    EXPECT_EQ(event->node, (NodeRef{"n1", "InfraDevice"}));
    EXPECT_EQ(event->related, (std::vector<NodeRef>{{"n2", "InfraPlatform"}}));
    EXPECT_EQ(event->branch, "main");
    EXPECT_EQ(event->account_id, "a2");
    EXPECT_EQ(event->level, 1U);
    EXPECT_TRUE(event->has_children);
    EXPECT_EQ(event->parent->text(), "11111111-2222-4333-8444-555555555555");
    ASSERT_EQ(event->ancestors.size(), 1U);
    EXPECT_EQ(event->origin, "live");
    EXPECT_EQ(
        event->body,
        R"({"data":{"kind":"InfraDevice","node_id":"n1"},"id":"bf569ddc-2a30-4491-82f1-0689f6cdb5e1","branch":"main","account_id":"a2","occured_at":"2025-03-13 16:31:14.566032+00:00","event":"infrahub.node.updated"})");
    EXPECT_TRUE(JsonView(event->extra).find("resource"));
}

TEST(DecodeStreamed, BothContextsAreUnderstoodAndLabelsFillIn) {
    const std::pair<std::string, std::pair<std::string_view, std::string_view>> cases[] = {
        {R"({"branch":{"name":"dev","id":"b"},"account":{"account_id":"a3"}})",
         {R"("branch":"dev")", R"("account_id":"a3")"}},
        {R"({"branch":{"name":"-global-"},"account_id":null})",
         {R"("branch":null)", R"("account_id":null)"}},
        {R"({})", {R"("branch":"main")", R"("account_id":"a1")"}},
        {R"(null)", {R"("branch":"main")", R"("account_id":"a1")"}},
    };
    for (const auto& [context, expected] : cases) {
        const auto event = decode(with_context(context));
        ASSERT_TRUE(event) << event.error().message;
        EXPECT_NE(event->body.find(expected.first), std::string::npos) << event->body;
        EXPECT_NE(event->body.find(expected.second), std::string::npos) << event->body;
        EXPECT_EQ(event->branch, "main") << "matching looks at the label";
    }
}

TEST(DecodeStreamed, EveryWrongFieldIsNamed) {
    EXPECT_EQ(wrong_fields(R"({"resource":7,"related":{},"payload":[]})"),
              (std::vector<std::string>{"/payload/data", "/event", "/id", "/occurred", "/resource",
                                        "/related"}));
    EXPECT_EQ(wrong_fields(R"({"id":"bf569ddc-2a30-4491-82f1-0689f6cdb5e1","event":"a",
        "occurred":"2025-03-13T16:31:14Z","resource":{"infrahub.node.id":5},"related":[1,
        {"prefect.resource.role":"infrahub.event","infrahub.event.level":"x"}],
        "payload":{"data":{}}})"),
              (std::vector<std::string>{"/resource/infrahub.node.id", "/related/0",
                                        "/related/1/infrahub.event.level"}));
}

TEST(Samples, EveryCatalogueEventHasOneThatDecodes) {
    for (const EventType& type : event_types().all()) {
        const auto sample = sample_event(type.name, received);
        ASSERT_TRUE(sample) << type.name;
        const auto event = decode(*sample);
        ASSERT_TRUE(event) << type.name << ": " << event.error().message;
        EXPECT_EQ(event->type, type.name);
        if (type.carries_kind) {
            EXPECT_FALSE(event->node.kind.empty()) << type.name;
        }
        if (!type.fixed_kind.empty()) {
            EXPECT_EQ(event->node.kind, type.fixed_kind) << type.name;
        }
        if (type.fixed_branch == global_branch) {
            EXPECT_EQ(event->branch, global_branch) << type.name;
        }
    }
    EXPECT_FALSE(sample_event("infrahub.node.exploded", received));
}

TEST(Names, CatalogueKnowsWhichEventsCarryANodeKind) {
    std::vector<std::string_view> capable;
    for (const EventType& type : event_types().all()) {
        if (type.carries_kind) capable.push_back(type.name);
    }
    EXPECT_EQ(capable, (std::vector<std::string_view>{
                           "infrahub.artifact.created", "infrahub.artifact.updated",
                           "infrahub.group.member_added", "infrahub.group.member_removed",
                           "infrahub.node.created", "infrahub.node.deleted",
                           "infrahub.node.updated", "infrahub.validator.failed",
                           "infrahub.validator.passed", "infrahub.validator.started"}));
}

}  // namespace
}  // namespace herald::infrahub
