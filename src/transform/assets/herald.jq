# Helpers for recipes: import "herald" as h; then h::title. Works with jq 1.6.

# node.updated
def short: .event | ltrimstr("infrahub.");
def kind: .data.kind // .data.changelog.node_kind // null;
# What it is about, as people call it.
def subject:
  .data.changelog.display_label // .data.branch_name // .data.proposed_change_name
  // .data.repository_name // .data.node_id // .id;
def on: .branch // .data.branch_name // "global";
def rfc3339: .occured_at | sub(" "; "T") | sub("\\+00:00$"; "Z");
def epoch:
  .occured_at | sub("\\.[0-9]+"; "") | sub("\\+00:00$"; "Z") | sub(" "; "T") | fromdate;
# node.updated InfraInterfaceL3 Ethernet1 (branch main)
def title:
  ([short, kind, subject] | map(select(. != null)) | join(" ")) + " (branch \(on))";
def val: if . == null then "none" elif type == "string" then . else tojson end;
# One text for each attribute and relationship that changed: "role: peer -> peering".
def changes:
  [ (.data.changelog.attributes // {}) | to_entries[]
    | "\(.key): \(.value.value_previous | val) -> \(.value.value | val)" ]
  + [ (.data.changelog.relationships // {}) | to_entries[]
    | .key as $name | .value
    | if .cardinality == "many"
      then ((.peers // [])[] | "\($name): \(.peer_status) \(.peer_display_label // .peer_id)")
      else "\($name): \(.peer_id_previous | val) -> \(.peer_display_label // .peer_id | val)"
      end ];
# For Slack and others of its kind.
def esc: gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;");
