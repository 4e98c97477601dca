#include "core/filter.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace herald {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using enum BranchScope;

// Shaped like a real catalogue: kinds, no kinds, a fixed kind, fixed branches.
constexpr EventType table[] = {
    {"infrahub.node.created", true, ""},
    {"infrahub.node.updated", true, ""},
    {"infrahub.branch.created", false, "-global-"},
    {"infrahub.branch.deleted", false, "-global-"},
    {"infrahub.schema.updated", false, ""},
    {"infrahub.artifact.created", true, "", "CoreArtifact"},
    {"infrahub.artifact.updated", true, "", "CoreArtifact"},
    {"infrahub.proposed_change.merged", false, the_default_branch, "CoreProposedChange"},
    {"infrahub.proposed_change.approved", false, "", "CoreProposedChange"},
};
const EventTypes types("infrahub.", table);

constexpr std::string_view capable = "infrahub.node.created";
constexpr std::string_view not_capable = "infrahub.schema.updated";

Event event(std::string_view type, std::optional<std::string> branch, std::string kind = "") {
    Event e;
    e.type = type;
    e.branch = std::move(branch);
    e.node.kind = std::move(kind);
    return e;
}

bool fires(const Filter& filter, const Event& e) { return wants(filter, e, types, "main"); }

// Contract 3.3, every combination. The tables are the contract's words, not the code's.
TEST(Filter, FollowsTheContractInEveryCombination) {
    struct Scope {
        BranchScope scope;
        std::array<bool, 4> fires;  // by label: default, other, global, none
    };
    const Scope scopes[] = {
        {default_branch, {true, false, false, false}},
        {other_branches, {false, true, true, false}},
        {all_branches, {true, true, true, true}},
    };
    const std::array<std::optional<std::string>, 4> labels{"main", "feature", "-global-",
                                                           std::nullopt};
    struct Kind {
        std::string wanted;
        bool capable;
        bool fires;
    };
    const Kind kinds[] = {
        {"", true, true},
        {"", false, true},
        {"InfraDevice", true, true},
        {"InfraDevice", false, true},
        {"InfraCircuit", true, false},
        {"InfraCircuit", false, true},
    };
    int combinations = 0;
    for (const Scope& scope : scopes) {
        for (std::size_t label = 0; label < labels.size(); ++label) {
            for (const Kind& kind : kinds) {
                const std::string_view name = kind.capable ? capable : not_capable;
                const Filter filter{{std::string(name)}, scope.scope, kind.wanted};
                EXPECT_EQ(fires(filter, event(name, labels[label], "InfraDevice")),
                          scope.fires[label] && kind.fires)
                    << to_text(scope.scope) << " " << labels[label].value_or("(none)") << " "
                    << kind.wanted << " " << name;
                ++combinations;
            }
        }
    }
    EXPECT_EQ(combinations, 3 * 4 * 3 * 2);
}

TEST(Filter, EventWithoutAKindFailsAKindFilterOfCapableTypes) {
    EXPECT_FALSE(
        fires({{std::string(capable)}, all_branches, "InfraDevice"}, event(capable, "main")));
}

TEST(Filter, AllAsksForThePrefix) {
    const Filter all{{"all"}, all_branches, ""};
    EXPECT_TRUE(fires(all, event("infrahub.node.created", "main")));
    EXPECT_TRUE(fires(all, event("infrahub.invented.tomorrow", "main")));
    EXPECT_FALSE(fires(all, event("prefect.flow-run.Completed", "main")));
    EXPECT_FALSE(fires(all, event("infrahub", "main")));
}

TEST(Filter, AllAndGlobsAskForTheKindOfEveryEvent) {
    for (const char* entry : {"all", "infrahub.*", "*.updated"}) {
        const Filter filter{{entry}, all_branches, "InfraDevice"};
        EXPECT_TRUE(fires(filter, event("infrahub.node.updated", "x", "InfraDevice"))) << entry;
        EXPECT_FALSE(fires(filter, event("infrahub.node.updated", "x", "InfraCircuit"))) << entry;
        EXPECT_FALSE(fires(filter, event("infrahub.schema.updated", "x"))) << entry;
    }
    EXPECT_TRUE(fires({{"all"}, all_branches, "CoreProposedChange"},
                      event("infrahub.proposed_change.merged", "main", "CoreProposedChange")));
}

TEST(Filter, ListFiresWhenOneEntryMatchesInFull) {
    const Filter filter{
        {"infrahub.node.*", "infrahub.schema.updated"}, all_branches, "InfraDevice"};
    EXPECT_TRUE(fires(filter, event("infrahub.node.created", "x", "InfraDevice")));
    EXPECT_FALSE(fires(filter, event("infrahub.node.created", "x", "InfraCircuit")));
    EXPECT_TRUE(fires(filter, event("infrahub.schema.updated", "x")));
    EXPECT_FALSE(fires(filter, event("infrahub.branch.created", "-global-")));
}

TEST(Filter, NameBesideAGlobThatMatchesTooStillNeedsNoKind) {
    const Filter filter{{"infrahub.*", "infrahub.schema.updated"}, all_branches, "InfraDevice"};
    EXPECT_TRUE(fires(filter, event("infrahub.schema.updated", "x")));
}

TEST(Filter, UnknownNameMatchesByNameAndAsksForTheKind) {
    EXPECT_TRUE(fires({{"infrahub.artifact.deleted"}, all_branches, ""},
                      event("infrahub.artifact.deleted", "x")));
    const Filter kind{{"infrahub.artifact.deleted"}, all_branches, "CoreArtifact"};
    EXPECT_TRUE(fires(kind, event("infrahub.artifact.deleted", "x", "CoreArtifact")));
    EXPECT_FALSE(fires(kind, event("infrahub.artifact.deleted", "x", "InfraDevice")));
}

TEST(Filter, EmptyListWantsNothing) {
    EXPECT_FALSE(fires({{}, all_branches, ""}, event(capable, "main")));
}

TEST(Filter, ComparesWithTheNameOfTheDefaultBranch) {
    const Filter filter{{"all"}, default_branch, ""};
    EXPECT_TRUE(wants(filter, event(capable, "trunk"), types, "trunk"));
    EXPECT_FALSE(wants(filter, event(capable, "main"), types, "trunk"));
    EXPECT_FALSE(wants(filter, event(capable, "Trunk"), types, "trunk"));
}

TEST(Filter, DefaultsToAllOnTheDefaultBranch) {
    EXPECT_EQ(Filter{}, (Filter{{"all"}, default_branch, ""}));
}

TEST(BranchScope, TextGoesBothWays) {
    for (const BranchScope scope : {default_branch, other_branches, all_branches}) {
        EXPECT_EQ(parse_branch_scope(to_text(scope)), scope);
    }
    EXPECT_EQ(to_text(other_branches), "other_branches");
    EXPECT_EQ(parse_branch_scope("Default Branch"), std::nullopt);
    EXPECT_EQ(parse_branch_scope(""), std::nullopt);
}

TEST(TakesNodeKind, OnlyWhatMayCarryOne) {
    struct Case {
        std::string_view entry;
        std::string_view kind;
        bool takes;
    };
    const Case cases[] = {
        {"all", "InfraDevice", true},
        {"infrahub.node.created", "InfraDevice", true},
        {"infrahub.node.*", "InfraDevice", true},
        {"infrahub.*.created", "InfraDevice", true},
        {"infrahub.schema.updated", "InfraDevice", false},
        {"infrahub.branch.*", "InfraDevice", false},
        {"infrahub.artifact.deleted", "CoreArtifact", true},
        {"other.*", "InfraDevice", true},
        {"infrahub.proposed_change.merged", "CoreProposedChange", false},
        {"infrahub.proposed_change.*", "CoreProposedChange", true},
        {"infrahub.proposed_change.*", "InfraDevice", false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(takes_node_kind(c.entry, c.kind, types), c.takes) << c.entry << " " << c.kind;
    }
}

std::vector<std::string> warned(const Filter& filter) { return warnings(filter, types, "main"); }

TEST(FilterWarnings, NothingToSayAboutAFilterThatCanFire) {
    const Filter fine[] = {
        {},
        {{"all"}, other_branches, "InfraDevice"},
        {{"all"}, all_branches, "CoreArtifact"},
        {{"infrahub.branch.created"}, other_branches, ""},
        {{"infrahub.branch.created"}, all_branches, ""},
        {{"infrahub.branch.*", "infrahub.schema.updated"}, all_branches, ""},
        {{"infrahub.*"}, default_branch, ""},
        {{"infrahub.proposed_change.merged"}, default_branch, ""},
        {{"infrahub.artifact.created"}, all_branches, "CoreArtifact"},
        {{"infrahub.node.updated", "infrahub.schema.updated"}, all_branches, "InfraDevice"},
        {{"infrahub.proposed_change.*"}, other_branches, "CoreProposedChange"},
    };
    for (const Filter& filter : fine) EXPECT_THAT(warned(filter), IsEmpty());
}

TEST(FilterWarnings, GlobalEventsNeverFireOnTheDefaultBranch) {
    EXPECT_THAT(
        warned({{"infrahub.branch.created"}, default_branch, ""}),
        ElementsAre(AllOf(HasSubstr("\"infrahub.branch.created\" never fires"),
                          HasSubstr("branch_scope default_branch"), HasSubstr("global branch"),
                          HasSubstr("use branch_scope other_branches or all_branches"))));
    EXPECT_THAT(warned({{"infrahub.branch.*"}, default_branch, ""}),
                ElementsAre(HasSubstr("\"infrahub.branch.*\" never fires")));
}

TEST(FilterWarnings, DefaultBranchEventsNeverFireOnOthers) {
    EXPECT_THAT(warned({{"infrahub.proposed_change.merged"}, other_branches, ""}),
                ElementsAre(AllOf(HasSubstr("never fires with branch_scope other_branches"),
                                  HasSubstr("\"main\""),
                                  HasSubstr("use branch_scope default_branch or all_branches"))));
}

TEST(FilterWarnings, AFixedKindExcludesOthers) {
    for (const char* entry : {"infrahub.artifact.created", "infrahub.artifact.*"}) {
        EXPECT_THAT(warned({{entry}, all_branches, "InfraDevice"}),
                    ElementsAre(AllOf(HasSubstr("never fires with node_kind \"InfraDevice\""),
                                      HasSubstr("always of kind \"CoreArtifact\""))))
            << entry;
    }
}

TEST(FilterWarnings, GlobOfTypesWithoutAKindNeverFiresWithOne) {
    EXPECT_THAT(warned({{"infrahub.branch.*"}, all_branches, "InfraDevice"}),
                ElementsAre(AllOf(HasSubstr("never fires with node_kind"),
                                  HasSubstr("carry no node kind"))));
}

TEST(FilterWarnings, BranchAndKindTogetherCanExcludeEverything) {
    constexpr EventType both[] = {{"x.global", false, "-global-"}, {"x.kind", true, ""}};
    const auto found = warnings({{"x.*"}, default_branch, "K"}, EventTypes("x.", both), "main");
    EXPECT_THAT(found, IsEmpty());
    constexpr EventType split[] = {{"x.global", true, "-global-"}, {"x.plain", false, ""}};
    EXPECT_THAT(warnings({{"x.*"}, default_branch, "K"}, EventTypes("x.", split), "main"),
                ElementsAre(HasSubstr("\"x.*\" never fires")));
}

TEST(FilterWarnings, NamesOutsideTheCatalogueAreSaidToDependOnTheSource) {
    EXPECT_THAT(
        warned({{"infrahub.artifact.deleted", "infrahub.validator.member_removed",
                 "infrahub.node.created", "nothing.*"},
                all_branches,
                ""}),
        ElementsAre("\"infrahub.artifact.deleted\" is not in the catalogue: it fires only "
                    "if the source sends it",
                    HasSubstr("infrahub.validator.member_removed"), HasSubstr("nothing.*")));
}

TEST(FilterWarnings, EachEntryIsJudgedAlone) {
    EXPECT_THAT(warned({{"infrahub.branch.created", "infrahub.node.created"}, default_branch, ""}),
                ElementsAre(HasSubstr("infrahub.branch.created")));
}

TEST(FilterWarnings, WithoutACatalogueAllIsFine) {
    EXPECT_THAT(warnings({}, EventTypes(), "main"), IsEmpty());
}

}  // namespace
}  // namespace herald
