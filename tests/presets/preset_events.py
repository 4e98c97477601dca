"""Events that presets are tried with: ordinary ones, and those that break what was not careful."""

import json
from functools import cache
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

ODD = "é & < > \" \\ \n\t\u0001 \u007f 漢 😀 *_`~ {{ x }} ${y} %s"


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def node_event(attributes=None, relationships=None, label="Ethernet1", **members):
    """As infrahub.node.updated, with these changes."""
    event = example("node_updated")
    changelog = event["data"]["changelog"]
    changelog["display_label"] = label
    if attributes is not None:
        changelog["attributes"] = attributes
        event["data"]["fields"] = list(attributes)
    if relationships is not None:
        changelog["relationships"] = relationships
    event.update(members)
    return event


def attribute(value, previous=None):
    return {"value": value, "value_previous": previous, "kind": "Text", "properties": {}}


def nulls():
    """Null wherever herald lets it through: an event has an id, a type and a time always."""
    data = {name: None for name in (
        "kind", "action", "fields", "node_id", "changelog", "branch_name", "branch_id",
        "proposed_change_name", "repository_name")}
    return {"data": data, "id": "2ece726f-8574-488c-92f7-ee9a56485b46", "branch": None,
            "account_id": None, "occured_at": "2025-03-13 16:44:32+00:00",
            "event": "infrahub.node.updated"}


def hollow():
    """Changes that say nothing."""
    return node_event(
        {"gone": None, "empty": {}, "null": attribute(None)},
        {"gone": None, "one": {"cardinality": "one", "peer_id": None},
         "many": {"cardinality": "many", "peers": None},
         "few": {"cardinality": "many", "peers": [None, {}]}},
        label=None, branch=None, account_id=None)


def odd():
    """Text that somebody may take for markup, code or the end of a string."""
    return node_event({"text": attribute(ODD, {"a": [1.5, True, None, ODD]})},
                      label=ODD, branch="ünï/" + "漢😀" * 40, account_id=ODD)


def many():
    """A changed attribute for each of thousands of names."""
    return node_event({f"attribute_{n}": attribute(f"{n} {ODD}" * 2, n) for n in range(4000)})


def long():
    """Few texts, but each as long as it can be."""
    labels = "漢😀" * 146  # 1,022 bytes
    event = node_event({"text": attribute("&<😀\"" * 30_000, "\\" * 200_000),
                        "wide": attribute("漢" * 60_000)},
                       label="<&" * 50_000, branch=labels, account_id=labels,
                       event="infrahub." + "x" * 246)
    event["data"]["kind"] = event["data"]["node_id"] = labels
    return event


def longest():
    """As large as herald takes, of what is escaped once more in a text."""
    return node_event({"text": attribute("\\\"" * 370_000)})


def edges():
    """Lengths around the limits of a header, a summary and a text, in each width of character."""
    made = []
    for sign in ("a", "&", "é", "😀"):
        for length in (99, 100, 101, 149, 150, 151, 1023, 1024, 1025):
            made.append(node_event({"x": attribute(sign * length)}, label=sign * length))
    return made


def peers():
    """A relationship with thousands of peers."""
    return node_event({}, {"tags": {"cardinality": "many", "peers": [
        {"peer_id": f"id-{n}", "peer_status": "added", "peer_display_label": f"tag {n} {ODD}"}
        for n in range(4000)]}})


@cache
def all_events():
    """By name; read, never changed."""
    named = {name: example(name) for name in ("branch_created", "node_created", "node_updated")}
    for make in (nulls, hollow, odd, many, long, longest, peers):
        named[make.__name__] = make()
    named.update({f"edge_{n}": event for n, event in enumerate(edges())})
    for name, event in named.items():
        size = len(json.dumps(event, separators=(",", ":")))
        assert size <= 1_500_000, f"{name} is larger than herald takes"
    return named
