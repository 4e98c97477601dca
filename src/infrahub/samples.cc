#include "infrahub/samples.h"

#include <algorithm>

#include "base/ids.h"
#include "base/json.h"
#include "base/time.h"

namespace herald::infrahub {

namespace {

struct Sample {
    std::string_view type;
    std::string_view branch;  ///< "": the global one
    std::string_view data;
};

constexpr std::string_view account = "182c6918-8880-5252-3611-c51ae7e0d6a5";

constexpr std::string_view branch_data =
    R"({"branch_name":"add-site","branch_id":"182c6a84-4af4-736b-35a6-c514e640ca8b","sync_with_git":false})";
constexpr std::string_view branch_change =
    R"({"branch_name":"add-site","branch_id":"182c6a84-4af4-736b-35a6-c514e640ca8b"})";
constexpr std::string_view node_updated =
    R"({"kind":"InfraInterfaceL3","action":"updated","fields":["description","role"],"node_id":"182c697c-9915-aa00-39b7-c5181aeb3367","changelog":{"node_id":"182c697c-9915-aa00-39b7-c5181aeb3367","node_kind":"InfraInterfaceL3","display_label":"Ethernet1","hfid":["atl1-edge2","Ethernet1"],"attributes":{"role":{"kind":"Dropdown","name":"role","value":"peering","properties":{},"value_previous":"peer","value_update_status":"updated"},"description":{"kind":"Text","name":"description","value":"Connected to IX","properties":{},"value_previous":"Connected to atl1-edge2::Ethernet1","value_update_status":"updated"}},"relationships":{}}})";
constexpr std::string_view node_created =
    R"({"kind":"OrganizationProvider","action":"created","fields":["name"],"node_id":"182c69ca-75cc-dff2-39ba-c51db89f91bd","changelog":{"node_id":"182c69ca-75cc-dff2-39ba-c51db89f91bd","node_kind":"OrganizationProvider","display_label":"Google Fibre","hfid":["Google Fibre"],"attributes":{"name":{"kind":"Text","name":"name","value":"Google Fibre","properties":{"is_protected":{"name":"is_protected","value":false,"value_type":"Boolean","value_previous":null,"value_update_status":"added"}},"value_previous":null,"value_update_status":"added"}},"relationships":{}}})";
constexpr std::string_view node_deleted =
    R"({"kind":"BuiltinTag","action":"deleted","fields":["name"],"node_id":"182c6b10-11f3-4a60-39b1-c5132f7f0d11","changelog":{"node_id":"182c6b10-11f3-4a60-39b1-c5132f7f0d11","node_kind":"BuiltinTag","display_label":"red","hfid":["red"],"attributes":{"name":{"kind":"Text","name":"name","value":null,"properties":{},"value_previous":"red","value_update_status":"removed"}},"relationships":{}}})";
constexpr std::string_view member_added =
    R"({"kind":"CoreStandardGroup","node_id":"182c6c01-2f0a-77a0-39b5-c5190cf5a001","action":"created","members":[{"id":"182c697c-9915-aa00-39b7-c5181aeb3367","kind":"InfraInterfaceL3"}],"ancestors":[]})";
constexpr std::string_view member_removed =
    R"({"kind":"CoreStandardGroup","node_id":"182c6c01-2f0a-77a0-39b5-c5190cf5a001","action":"deleted","members":[{"id":"182c697c-9915-aa00-39b7-c5181aeb3367","kind":"InfraInterfaceL3"}],"ancestors":[]})";
constexpr std::string_view auto_created =
    R"({"idp":"keycloak","triggering_user_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","triggering_user_name":"ada","protocol":"oidc","group_id":"182c6c02-2f0a-77a0-39b5-c5190cf5a002","group_name":"network-team","source_pattern":"^infrahub-(.*)$","origin_value":"infrahub-network-team"})";
constexpr std::string_view auto_rejected =
    R"({"idp":"keycloak","triggering_user_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","triggering_user_name":"ada","protocol":"oidc","rejected_claim_value":"admins"})";
constexpr std::string_view auto_capped =
    R"({"idp":"keycloak","triggering_user_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","triggering_user_name":"ada","protocol":"oidc","cap_value":50,"dropped_claims":["team-51"],"dropped_count":1})";
constexpr std::string_view branch_deleted =
    R"({"branch_name":"add-site","branch_id":"182c6a84-4af4-736b-35a6-c514e640ca8b","sync_with_git":false,"proposed_change_id":null})";
constexpr std::string_view branch_merged =
    R"({"branch_name":"add-site","branch_id":"182c6a84-4af4-736b-35a6-c514e640ca8b","proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10"})";
constexpr std::string_view schema_updated =
    R"({"branch_name":"main","schema_hash":"1c8d0d2e5e1f4b6f9a7c3b2d1e0f9a8b"})";
constexpr std::string_view update_commit =
    R"({"commit":"9f2c1e7b5d3a4c6e8f0a1b2c3d4e5f6a7b8c9d0e","repository_id":"182c6e20-6b4c-7d50-39b3-c51e5f802b20","repository_name":"network-automation"})";
constexpr std::string_view artifact_created =
    R"({"node_id":"182c6f30-7c5d-7e60-39b4-c51f60913c30","artifact_definition_id":"182c6f31-7c5d-7e60-39b4-c51f60913c31","artifact_definition_name":"startup-config","target_id":"182c6f32-7c5d-7e60-39b4-c51f60913c32","target_kind":"InfraDevice","checksum":"60d39063fb7e6fcb7a5c1d3f2e8b9a04","checksum_previous":null,"storage_id":"182c6f33-7c5d-7e60-39b4-c51f60913c33","storage_id_previous":null})";
constexpr std::string_view artifact_updated =
    R"({"node_id":"182c6f30-7c5d-7e60-39b4-c51f60913c30","artifact_definition_id":"182c6f31-7c5d-7e60-39b4-c51f60913c31","artifact_definition_name":"startup-config","target_id":"182c6f32-7c5d-7e60-39b4-c51f60913c32","target_kind":"InfraDevice","checksum":"ba1f2511fc30423bdbb183fe33f3dd0f","checksum_previous":"60d39063fb7e6fcb7a5c1d3f2e8b9a04","storage_id":"182c6f34-7c5d-7e60-39b4-c51f60913c34","storage_id_previous":"182c6f33-7c5d-7e60-39b4-c51f60913c33"})";
constexpr std::string_view validator =
    R"({"node_id":"182c7040-8d6e-7f70-39b5-c52071a24d40","kind":"CoreDataValidator","proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10"})";
constexpr std::string_view approved =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","reviewer_account_id":"182c7150-9e7f-7080-39b6-c52182b35e50","reviewer_account_name":"grace","reviewer_decision":"approved"})";
constexpr std::string_view rejected =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","reviewer_account_id":"182c7150-9e7f-7080-39b6-c52182b35e50","reviewer_account_name":"grace","reviewer_decision":"rejected"})";
constexpr std::string_view approval_revoked =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","reviewer_account_id":"182c7150-9e7f-7080-39b6-c52182b35e50","reviewer_account_name":"grace","reviewer_former_decision":"approved"})";
constexpr std::string_view rejection_revoked =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","reviewer_account_id":"182c7150-9e7f-7080-39b6-c52182b35e50","reviewer_account_name":"grace","reviewer_former_decision":"rejected"})";
constexpr std::string_view approvals_revoked =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","reviewer_accounts":{"182c7150-9e7f-7080-39b6-c52182b35e50":"grace"}})";
constexpr std::string_view review_requested =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","requested_by_account_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","requested_by_account_name":"ada"})";
constexpr std::string_view change_merged =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"merged","merged_by_account_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","merged_by_account_name":"ada"})";
constexpr std::string_view thread_created =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","thread_id":"182c7260-af80-7190-39b7-c52293c46f60","thread_kind":"CoreChangeThread","action":"created"})";
constexpr std::string_view thread_updated =
    R"({"proposed_change_id":"182c6d10-5a3b-7c40-39b2-c51d4e7f1a10","proposed_change_name":"Add site par1","proposed_change_state":"open","thread_id":"182c7260-af80-7190-39b7-c52293c46f60","thread_kind":"CoreChangeThread","action":"updated"})";
constexpr std::string_view logged_in =
    R"({"kind":"CoreAccount","account_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","account_name":"ada","account_type":"User","auth_method":"password","session_id":"182c7370-b091-72a0-39b8-c523a4d57070","groups":["network-team"],"roles":["Anonymous User"],"identity_source":null,"client_ip":"192.0.2.10","user_agent":"Mozilla/5.0","timestamp":"2025-03-13T16:44:32.321142+00:00"})";
constexpr std::string_view logged_out =
    R"({"kind":"CoreAccount","account_id":"182c6918-8880-5252-3611-c51ae7e0d6a5","account_name":"ada","session_id":"182c7370-b091-72a0-39b8-c523a4d57070","logout_type":"user_initiated","client_ip":"192.0.2.10","user_agent":"Mozilla/5.0","timestamp":"2025-03-13T17:44:32.321142+00:00"})";

constexpr std::string_view source_lost =
    R"({"source":"broker","reason":"the connection was refused"})";
constexpr std::string_view webhook_disabled =
    R"({"webhook":{"id":"7d9c1c1e-1d5e-4b0e-9a55-0c2f6a8d3b41","name":"chat"},"state":"disabled","since":"2025-03-18T16:44:32.000000Z","failing_since":null,"failure_streak":412,"last_class":"CONNECTION","last_success":"2025-03-13T16:12:08.000000Z","last_failure":"2025-03-18T16:44:32.000000Z","reason":"failed for 5 days"})";
constexpr std::string_view webhook_exhausted =
    R"({"webhook":{"id":"7d9c1c1e-1d5e-4b0e-9a55-0c2f6a8d3b41","name":"chat"},"delivery":"msg_00000000000000079d1f3a5b7c9e2d40","event":{"id":"2ece726f-8574-488c-92f7-ee9a56485b46","type":"infrahub.node.updated"},"attempts":5,"last_class":"HTTP_SERVER_ERROR","last_status":503,"reason":"answered 503","untold":0})";
constexpr std::string_view webhook_failing =
    R"({"webhook":{"id":"7d9c1c1e-1d5e-4b0e-9a55-0c2f6a8d3b41","name":"chat"},"state":"failing","since":"2025-03-13T16:44:32.000000Z","failing_since":null,"failure_streak":10,"last_class":"CONNECTION","last_success":"2025-03-13T16:12:08.000000Z","last_failure":"2025-03-13T16:44:32.000000Z","reason":"10 failures in a row"})";
constexpr std::string_view webhook_recovered =
    R"({"webhook":{"id":"7d9c1c1e-1d5e-4b0e-9a55-0c2f6a8d3b41","name":"chat"},"state":"healthy","since":"2025-03-13T17:02:10.000000Z","failing_since":"2025-03-13T16:44:32.000000Z","failure_streak":14,"last_class":"CONNECTION","last_success":"2025-03-13T17:02:10.000000Z","last_failure":"2025-03-13T17:01:40.000000Z","reason":"10 failures in a row"})";

constexpr Sample samples[] = {
    {"herald.source.lost", "", source_lost},
    {"herald.webhook.disabled", "", webhook_disabled},
    {"herald.webhook.exhausted", "", webhook_exhausted},
    {"herald.webhook.failing", "", webhook_failing},
    {"herald.webhook.recovered", "", webhook_recovered},
    {"infrahub.account.logged_in", "", logged_in},
    {"infrahub.account.logged_out", "", logged_out},
    {"infrahub.artifact.created", "main", artifact_created},
    {"infrahub.artifact.updated", "main", artifact_updated},
    {"infrahub.branch.created", "", branch_data},
    {"infrahub.branch.deleted", "", branch_deleted},
    {"infrahub.branch.merged", "main", branch_merged},
    {"infrahub.branch.migrated", "add-site", branch_change},
    {"infrahub.branch.rebased", "add-site", branch_change},
    {"infrahub.group.auto_create_capped", "main", auto_capped},
    {"infrahub.group.auto_create_rejected", "main", auto_rejected},
    {"infrahub.group.auto_created", "main", auto_created},
    {"infrahub.group.member_added", "main", member_added},
    {"infrahub.group.member_removed", "main", member_removed},
    {"infrahub.node.created", "main", node_created},
    {"infrahub.node.deleted", "main", node_deleted},
    {"infrahub.node.updated", "main", node_updated},
    {"infrahub.proposed_change.approval_revoked", "main", approval_revoked},
    {"infrahub.proposed_change.approvals_revoked", "main", approvals_revoked},
    {"infrahub.proposed_change.approved", "main", approved},
    {"infrahub.proposed_change.merged", "main", change_merged},
    {"infrahub.proposed_change.rejected", "main", rejected},
    {"infrahub.proposed_change.rejection_revoked", "main", rejection_revoked},
    {"infrahub.proposed_change.review_requested", "main", review_requested},
    {"infrahub.proposed_change_thread.created", "add-site", thread_created},
    {"infrahub.proposed_change_thread.updated", "add-site", thread_updated},
    {"infrahub.repository.update_commit", "main", update_commit},
    {"infrahub.schema.updated", "main", schema_updated},
    {"infrahub.validator.failed", "add-site", validator},
    {"infrahub.validator.passed", "add-site", validator},
    {"infrahub.validator.started", "add-site", validator},
};

}  // namespace

std::optional<std::string> sample_event(std::string_view type, Time now) {
    const auto* found = std::ranges::find(samples, type, &Sample::type);
    if (found == std::end(samples)) return std::nullopt;
    std::string event = R"({"id":")" + Uuid::random().text() + R"(","event":")";
    event += type;
    event += R"(","branch":)";
    if (found->branch.empty()) {
        event += "null";
    } else {
        append_json_string(event, found->branch);
    }
    event += R"(,"account_id":")" + std::string(account) + R"(","occurred_at":")" +
             to_rfc3339(now) + R"(","data":)";
    event += found->data;
    event += '}';
    return event;
}

}  // namespace herald::infrahub
