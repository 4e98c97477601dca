"""The checks of receivers find a limit that is broken: without this they might check nothing."""

import json

import pytest

import preset_events
import preset_model
import preset_receivers as receivers

# Each: a preset, and what somebody may get wrong in the body that it makes of node_updated.
BROKEN = {
    "github-dispatch": [
        lambda body: body.update(event_type="x" * 101),
        lambda body: body["client_payload"].update(eleventh=1),
        lambda body: body["client_payload"].update(data="x" * 65_535),
        lambda body: body["client_payload"].update(data="漢" * 12_000),
        lambda body: body.pop("event_type")],
    "github-workflow": [
        lambda body: body["inputs"].update(kind=None),
        lambda body: body["inputs"].update({str(n): "" for n in range(10)}),
        lambda body: body["inputs"].update(payload=json.dumps("x" * 65_535)),
        lambda body: body.pop("ref")],
    "gitlab-trigger": [
        lambda body: body["variables"].update(INFRAHUB_KIND=None),
        lambda body: body["variables"].update(INFRAHUB_KIND="x" * 10_001),
        lambda body: body.update(id="taken for the project's")],
    "slack": [
        lambda body: body["blocks"][0]["text"].update(text="x" * 151),
        lambda body: body["blocks"][0]["text"].update(text="😀" * 76),
        lambda body: body["blocks"][0]["text"].update(text=""),
        lambda body: body["blocks"][2]["text"].update(text="x" * 3_001),
        lambda body: body["blocks"][2]["text"].update(text="a -> b"),
        lambda body: body["blocks"][2]["text"].update(text="a &am"),
        lambda body: body["blocks"].extend(body["blocks"] * 17),
        lambda body: body.update(text="x" * 4_001)],
    "teams": [
        lambda body: body["attachments"][0]["content"]["body"][0].update(text="x" * 28_673),
        lambda body: body["attachments"][0]["content"]["body"][0].update(text="漢" * 5_000),
        lambda body: body["attachments"][0]["content"]["body"][0].update(text=None),
        lambda body: body["attachments"][0]["content"].pop("version")],
    "servicenow-event": [
        lambda body: body["records"][0].update(node="x" * 101),
        lambda body: body["records"][0].update(description="x" * 4_001),
        lambda body: body["records"][0].update(message_key="x" * 1_025),
        lambda body: body["records"][0].update(severity=5),
        lambda body: body["records"][0].update(severity="6"),
        lambda body: body["records"][0].update(additional_info={"id": "x"}),
        lambda body: body["records"][0].update(time_of_event="2025-03-13T16:36:25Z")],
    "pagerduty-change": [
        lambda body: body["payload"].update(summary="x" * 1_025),
        lambda body: body["payload"].update(summary="😀" * 513),
        lambda body: body["payload"]["custom_details"].update(changes="x" * 524_288),
        lambda body: body.pop("routing_key")],
    "grafana-annotation": [
        lambda body: body.update(time=1741883785),
        lambda body: body["tags"].append("x" * 101),
        lambda body: body["tags"].extend("x" * 100 for _ in range(5)),
        lambda body: body.update(text="漢" * 22_000),
        lambda body: body.pop("text")],
    "cloudevents-structured": [
        lambda body: body.update(subject=""),
        lambda body: body.update(time=None),
        lambda body: body.update(partition_key="x"),
        lambda body: body.pop("source")],
    "netbox": [lambda body: body.update(event="added"), lambda body: body.update(username=None)],
    "prefect-run": [lambda body: body["parameters"].update(event="x" * 524_288)],
    "awx-launch": [lambda body: body.update(limit="all"), lambda body: body.update(limit="*")],
}


@pytest.mark.parametrize("name, number", [(name, n) for name, broken in BROKEN.items()
                                          for n in range(len(broken))])
def test_a_broken_body_is_found(name, number):
    preset = preset_model.load(name)
    event = preset_events.all_events()["node_updated"]
    made = preset_model.make(preset, preset_model.examples(preset), event)
    check = receivers.check(preset)
    check(made, event)
    body = made.json()
    BROKEN[name][number](body)
    made.body = json.dumps(body, separators=(",", ":"))
    with pytest.raises(AssertionError):
        check(made, event)


@pytest.mark.parametrize("name, header, value", [
    ("cloudevents-binary", "ce-subject", ""),
    ("cloudevents-binary", "ce-subject", "a b"),
    ("cloudevents-binary", "ce-subject", "50%"),
    ("cloudevents-binary", "ce-id", "another"),
    ("awx-webhook", "X-GitHub-Delivery", "x" * 129)])
def test_a_broken_header_is_found(name, header, value):
    preset = preset_model.load(name)
    event = preset_events.all_events()["node_updated"]
    made = preset_model.make(preset, preset_model.examples(preset), event)
    made.headers[header] = value
    with pytest.raises(AssertionError):
        receivers.check(preset)(made, event)


def test_every_body_has_a_broken_one():
    bodies = {name for name in preset_model.names()
              if (preset_model.load(name)["transformation"] or {}).get("runtime") == "jq"}
    assert bodies == set(BROKEN)
