#include "infrahub/names.h"

#include "core/event.h"
#include "core/operator_events.h"

namespace herald::infrahub {

namespace {

constexpr std::string_view artifact = "CoreArtifact";
constexpr std::string_view proposed_change = "CoreProposedChange";

/// name, node kind filter allowed, branch it is always emitted on, kind it always has, whether it
/// says what changed, and for what it was made (contract 2.1, 2.5, 2.6, 2.7).
constexpr EventType catalogue[] = {
    // herald's own (docs/operator-events.md). `all` does not stand for them.
    {source_lost_type, false, global_branch},
    {webhook_disabled_type, false, global_branch},
    {webhook_exhausted_type, false, global_branch},
    {webhook_failing_type, false, global_branch},
    {webhook_recovered_type, false, global_branch},
    {"infrahub.account.logged_in", false, ""},
    {"infrahub.account.logged_out", false, ""},
    {"infrahub.artifact.created", true, "", artifact, false, true},
    {"infrahub.artifact.updated", true, "", artifact, false, true},
    {"infrahub.branch.created", false, global_branch},
    {"infrahub.branch.deleted", false, global_branch},
    // The global branch in older versions, the default branch in newer ones: no warning is sure.
    {"infrahub.branch.merged", false, ""},
    {"infrahub.branch.migrated", false, ""},
    {"infrahub.branch.rebased", false, ""},
    {"infrahub.group.auto_create_capped", false, ""},
    {"infrahub.group.auto_create_rejected", false, ""},
    {"infrahub.group.auto_created", false, ""},
    {"infrahub.group.member_added", true, ""},
    {"infrahub.group.member_removed", true, ""},
    {"infrahub.node.created", true, "", "", true},
    {"infrahub.node.deleted", true, "", "", true},
    {"infrahub.node.updated", true, "", "", true},
    {"infrahub.proposed_change.approval_revoked", false, "", proposed_change},
    {"infrahub.proposed_change.approvals_revoked", false, "", proposed_change},
    {"infrahub.proposed_change.approved", false, "", proposed_change},
    {"infrahub.proposed_change.merged", false, the_default_branch, proposed_change},
    {"infrahub.proposed_change.rejected", false, "", proposed_change},
    {"infrahub.proposed_change.rejection_revoked", false, "", proposed_change},
    {"infrahub.proposed_change.review_requested", false, "", proposed_change},
    {"infrahub.proposed_change_thread.created", false, ""},
    {"infrahub.proposed_change_thread.updated", false, ""},
    {"infrahub.repository.update_commit", false, ""},
    {"infrahub.schema.updated", false, ""},
    {"infrahub.validator.failed", true, ""},
    {"infrahub.validator.passed", true, ""},
    {"infrahub.validator.started", true, ""},
};

/// Contract 2.1 and 2.5. An artifact event names its target in data.
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

}  // namespace

const EventTypes& event_types() {
    static const EventTypes types("infrahub.", catalogue, places);
    return types;
}

}  // namespace herald::infrahub
