# Helpers for transformations: import "herald" as h;   (for jq 1.6 and newer)
# All take the event's body, but for val and what stands behind it.

# What happened, without the source's name: node.updated
def short: .event | ltrimstr("infrahub.");

# The kind of the node, or null: InfraInterfaceL3
def kind: .data.kind // .data.changelog.node_kind // null;

# What it happened to, as people call it. (`label` is a reserved word.)
def subject: .data.changelog.display_label // .data.branch_name // .data.proposed_change_name
         // .data.repository_name // .data.node_id // .id;

# The branch, or "global"
def on: .branch // .data.branch_name // "global";

def _offset:
  .[-6:]
  | if .[0:1] == "+" or .[0:1] == "-"
    then ((.[1:3] | tonumber) * 3600 + (.[4:6] | tonumber) * 60)
         * (if .[0:1] == "-" then -1 else 1 end)
    else 0 end;

# When it happened: 2025-05-07T08:43:16.123456Z
def rfc3339:
  .occured_at
  | if . == null then null
    else .[0:10] + "T" + .[11:]
         | if endswith("+00:00") then .[0:-6] + "Z" else . end
    end;

# The same in whole seconds since 1970
def epoch:
  .occured_at
  | if . == null then null
    else ((.[0:10] + "T" + .[11:19] + "Z") | fromdate) - (.[19:] | _offset)
    end;

# One line: node.updated InfraInterfaceL3 Ethernet1 (branch main)
def title: short + (kind | if . == null then "" else " \(.)" end)
         + (subject | if . == null then "" else " \(.)" end) + " (branch \(on))";

# A value as people read it
def val: if . == null then "none" elif type == "string" then . else tojson end;

# A line for each attribute and relationship that changed: role: peer -> peering
def changes:
  [ (.data.changelog.attributes // {}) | to_entries[]
    | "\(.key): \(.value.value_previous | val) -> \(.value.value | val)" ]
  + [ (.data.changelog.relationships // {}) | to_entries[]
    | .key as $k | .value
    | if .cardinality == "many"
      then ((.peers // [])[] | "\($k): \(.peer_status) \(.peer_display_label // .peer_id)")
      else "\($k): \(.peer_id_previous | val) -> \(.peer_display_label // .peer_id | val)" end ];

def _swap(from; to): if contains(from) then split(from) | join(to) else . end;

# Text as Slack wants it: & < > are written out. (Not by gsub, which is slow.)
def esc: _swap("&"; "&amp;") | _swap("<"; "&lt;") | _swap(">"; "&gt;");

# The length as most receivers count it: in UTF-16 units
def units: length + ([explode[] | select(. > 65535)] | length);

# The beginning of a text, at most so many of these units
def cut($n): .[0:$n] | until(units <= $n; .[0:length - ((units - $n + 1) / 2 | floor)]);

# Bytes of a value as JSON, at most: what is not ASCII is sent escaped
def size: tojson | length + 5 * (utf8bytelength - length);

# As many of the lines as $room bytes hold, and how many more there are
def fit($room):
  reduce .[] as $line ({room: $room, lines: [], more: 0};
    ($line | size + 100) as $need
    | if .more == 0 and $need <= .room then .room -= $need | .lines += [$line]
      else .more += 1 end)
  | .lines + (if .more > 0 then ["and \(.more) more"] else [] end);
