"""What receivers document of the bodies they take: a check for each preset that makes one.

A check raises AssertionError. Characters are counted as UTF-16 units, as the strictest receivers
do.
"""

import json
import re
from datetime import datetime, timezone
from urllib.parse import unquote

REFERENCE_KEY = "***"  # what stands for a secret here


def units(text):
    return len(text.encode("utf-16-le")) // 2


def text(value, most, least=1):
    assert isinstance(value, str), f"{value!r} must be a text"
    assert least <= units(value) <= most, f"{units(value)} characters; {least} to {most} are taken"
    return value


def members(value, required, optional=()):
    """An object with these members and no other."""
    assert isinstance(value, dict), f"{value!r} must be an object"
    missing, unknown = set(required) - set(value), set(value) - set(required) - set(optional)
    assert not missing and not unknown, f"missing: {missing}, unknown: {unknown}"
    return value


def longest_json(value):
    """Characters of a value as JSON in its longest usual form."""
    return len(json.dumps(value, separators=(",", ":")))


def rfc3339(value):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value), value


def awx_launch(made, event):
    body = members(made.json(), ["extra_vars"], ["limit"])
    assert body["extra_vars"] == {"infrahub_event": event}
    # A group or a pattern would run the job on hosts that nobody meant.
    assert re.fullmatch(r"[A-Za-z0-9._-]+", body.get("limit", "host"))
    assert body.get("limit") not in ("all", "ungrouped")


def awx_webhook(made, event):
    assert made.json() == event, "the payload must be the event"
    assert text(made.headers["X-GitHub-Delivery"], 128) == event["id"]
    text(made.headers["X-GitHub-Event"], 255)


def github_dispatch(made, event):
    body = members(made.json(), ["event_type", "client_payload"])
    text(body["event_type"], 100)
    payload = body["client_payload"]
    assert isinstance(payload, dict) and len(payload) <= 10, "at most 10 members"
    assert longest_json(payload) <= 65_535, "at most 65,535 characters"
    assert payload["id"] == event["id"]


def github_workflow(made, event):
    body = members(made.json(), ["ref", "inputs"])
    text(body["ref"], 255)
    assert len(body["inputs"]) <= 10, "at most 10 inputs"
    assert all(isinstance(value, str) for value in body["inputs"].values()), "inputs are texts"
    assert longest_json(body["inputs"]) <= 65_535, "at most 65,535 characters"
    json.loads(body["inputs"]["payload"])


def gitlab_trigger(made, event):
    body = members(made.json(), ["token", "ref", "variables", "event_payload"])
    assert body["token"] == REFERENCE_KEY and "?" not in made.url, "no token in the URL"
    text(body["ref"], 255)
    for key, value in body["variables"].items():
        assert re.fullmatch(r"[A-Z_]{1,255}", key)
        text(value, 10_000, least=0)
    assert body["event_payload"] == event


def slack_text(value, most, kinds):
    members(value, ["type", "text"])
    assert value["type"] in kinds
    text(value["text"], most)
    if value["type"] == "mrkdwn":
        assert not re.search("[<>]|&(?!amp;|lt;|gt;)", value["text"]), "must be escaped"


def slack(made, event):
    body = members(made.json(), ["text", "blocks"])
    text(body["text"], 4_000)
    assert not re.search("[<>]|&(?!amp;|lt;|gt;)", body["text"]), "must be escaped"
    assert 1 <= len(body["blocks"]) <= 50
    # More than this in all is refused as msg_blocks_too_long.
    assert units(json.dumps(body["blocks"], ensure_ascii=False)) <= 13_000
    for block in body["blocks"]:
        if block["type"] == "header":
            slack_text(members(block, ["type", "text"])["text"], 150, ["plain_text"])
        elif block["type"] == "section":
            slack_text(members(block, ["type", "text"])["text"], 3_000, ["plain_text", "mrkdwn"])
        else:
            assert members(block, ["type", "elements"])["type"] == "context"
            assert 1 <= len(block["elements"]) <= 10
            for element in block["elements"]:
                slack_text(element, 3_000, ["plain_text", "mrkdwn"])


TEXT_BLOCK = ["weight", "size", "wrap", "style", "spacing"]


def teams(made, event):
    assert len(made.body.encode()) <= 28 * 1024, "at most 28 KB"
    body = members(made.json(), ["type", "attachments"])
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    members(attachment, ["contentType", "contentUrl", "content"])
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = members(attachment["content"], ["$schema", "type", "version", "body"], ["msteams"])
    assert card["type"] == "AdaptiveCard" and re.fullmatch(r"1\.[0-5]", card["version"])
    for element in card["body"]:
        if element["type"] == "TextBlock":
            text(members(element, ["type", "text"], TEXT_BLOCK)["text"], 28_000)
        else:
            assert members(element, ["type", "facts"])["type"] == "FactSet"
            for fact in element["facts"]:
                members(fact, ["title", "value"])
                text(fact["title"], 100)
                text(fact["value"], 28_000)


# em_event
SERVICENOW = {"source": 100, "event_class": 100, "node": 100, "resource": 100, "metric_name": 100,
              "type": 100, "message_key": 1024, "description": 4000, "additional_info": 4000}


def servicenow_event(made, event):
    (record,) = members(made.json(), ["records"])["records"]
    members(record, [*SERVICENOW, "severity", "time_of_event"])
    for name, most in SERVICENOW.items():
        text(record[name], most, least=0)
    assert record["source"] and record["message_key"] == event["id"]
    assert record["severity"] in ("0", "1", "2", "3", "4", "5")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", record["time_of_event"])
    assert record["time_of_event"] == event["occured_at"][:19]
    info = json.loads(record["additional_info"])
    assert all(isinstance(value, str) for value in info.values()), "texts by name"


def pagerduty_change(made, event):
    assert len(made.body.encode()) <= 512 * 1024, "at most 512 KB"
    body = members(made.json(), ["routing_key", "payload"], ["links"])
    assert body["routing_key"] == REFERENCE_KEY
    payload = members(body["payload"], ["summary"], ["source", "timestamp", "custom_details"])
    text(payload["summary"], 1024)
    rfc3339(payload["timestamp"])
    assert isinstance(payload["custom_details"], dict)


def grafana_annotation(made, event):
    body = members(made.json(), ["text"], ["time", "timeEnd", "tags", "dashboardUID", "panelId"])
    assert len(text(body["text"], 65_535).encode()) <= 65_535, "a TEXT column of MySQL"
    seconds = datetime.fromisoformat(event["occured_at"]).replace(microsecond=0)
    assert body["time"] == int(seconds.astimezone(timezone.utc).timestamp() * 1000)
    for tag in body["tags"]:
        text(tag, 100)
    assert units(json.dumps(body["tags"], ensure_ascii=False, separators=(",", ":"))) <= 500


EXTENSION = re.compile("[a-z0-9]{1,20}")


def cloudevents_binary(made, event):
    assert made.json() == event
    assert made.headers["Content-Type"] == "application/json"
    attributes = {name[3:]: value for name, value in made.headers.items() if name.startswith("ce-")}
    assert {"specversion", "id", "source", "type"} <= set(attributes)
    assert attributes["specversion"] == "1.0"
    for name, value in attributes.items():
        assert EXTENSION.fullmatch(name) and value, f"{name} must not be empty"
        assert re.fullmatch(r"(?:[!#$&-~]|%[0-9A-F]{2})+", value), f"{name}: percent-encode {value}"
        unquote(value, errors="strict")
    assert unquote(attributes["id"]) == event["id"]
    assert unquote(attributes["type"]) == event["event"]
    rfc3339(attributes["time"])


def cloudevents_structured(made, event):
    assert made.headers["Content-Type"].startswith("application/cloudevents+json")
    body = made.json()
    assert {"specversion", "id", "source", "type"} <= set(body)
    for name, value in body.items():
        if name == "data":
            assert value == event
            continue
        assert EXTENSION.fullmatch(name) and isinstance(value, str) and value, name
    assert body["specversion"] == "1.0" and body["datacontenttype"] == "application/json"
    rfc3339(body["time"])


def netbox(made, event):
    body = members(made.json(), ["event", "timestamp", "object_type", "model", "username",
                                 "request_id", "data", "snapshots"])
    assert body["event"] in ("created", "updated", "deleted")
    for name in ("timestamp", "object_type", "model", "username", "request_id"):
        text(body[name], 2_048, least=0)
    members(body["snapshots"], ["prechange", "postchange"])
    for snapshot in body["snapshots"].values():
        assert snapshot is None or isinstance(snapshot, dict)
    assert isinstance(body["data"], dict)


def prefect_run(made, event):
    body = members(made.json(), ["parameters", "idempotency_key"])
    assert body["idempotency_key"] == event["id"]
    assert list(body["parameters"]) == ["event"]
    assert longest_json(body["parameters"]) <= 512 * 1024, "at most 512 KB of parameters"


def unchanged(made, event):
    assert made.json() == event


def check(preset):
    """The check of a preset's receiver; None: nobody wrote one."""
    if preset["transformation"] is None:
        return unchanged
    return globals().get(preset["name"].replace("-", "_"))
