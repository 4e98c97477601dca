"""Each preset is as the API takes it, makes what its samples say, and what its receiver takes."""

import json
import re
import time

import jsonschema
import pytest

import preset_events
import preset_model
import preset_receivers as receivers

NAMES = preset_model.names()
FIRST_SET = {
    "infrahub", "infrahub-seed", "standard-webhooks", "ansible-eda", "aap-event-stream",
    "awx-launch", "awx-webhook", "github-dispatch", "github-workflow", "gitlab-trigger", "slack",
    "teams", "servicenow-event", "pagerduty-change", "grafana-annotation", "cloudevents-binary",
    "cloudevents-structured", "netbox", "jenkins-gwt", "prefect-run", "generic-json"}
MEMBERS = {"name", "title", "documentation", "description", "parameters", "webhook",
           "transformation", "samples", "notes"}
REFERENCE = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)")


@pytest.fixture(params=NAMES)
def preset(request):
    return preset_model.load(request.param)


def texts(value, member=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, member)
    elif isinstance(value, str) and member != "source":
        yield member, value


def test_the_first_set_is_complete():
    assert FIRST_SET <= set(NAMES)


def test_form(preset):
    assert set(preset) == MEMBERS
    assert f"{preset['name']}.json" in {file.name for file in preset_model.files()}
    assert preset["documentation"].startswith("https://")
    assert preset["title"] and preset["description"].endswith(".") and preset["samples"]
    for parameter in preset["parameters"]:
        assert set(parameter) <= {"name", "description", "secret", "default", "example"}
        assert parameter["description"] and parameter["example"]


def test_parameters_are_declared_and_used(preset):
    parts = [preset["webhook"], preset["transformation"]]
    used = {name for part in parts for _, text in texts(part)
            for name in preset_model.PLACEHOLDER.findall(text)}
    assert used == {parameter["name"] for parameter in preset["parameters"]}


def test_holds_no_secret(preset):
    secret = {p["name"] for p in preset["parameters"] if p.get("secret")}
    for name, example in preset_model.examples(preset).items():
        assert name not in secret or REFERENCE.fullmatch(example), f"{name} must be a reference"
    for part in (preset["webhook"], preset["transformation"]):
        for member, text in texts(part):
            placeholders = set(preset_model.PLACEHOLDER.findall(text))
            if member in ("shared_key", "token", "password", "routing_key", "client_secret"):
                assert placeholders <= secret and text == "{%s}" % next(iter(placeholders))
            else:
                assert not placeholders & secret, f"{member} would show a secret"


def complaints(schema, value):
    document = json.loads(
        (preset_model.ROOT / "src" / "api" / "assets" / "openapi.json").read_text())
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": document["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_is_a_webhook_as_the_api_takes_it(preset):
    webhook = preset_model.expanded(preset["webhook"], preset_model.examples(preset))
    assert not {"name", "transformation"} & set(webhook), "those are set when it is used"
    webhook["name"] = "x"
    if preset["transformation"]:
        assert webhook["kind"] == "custom", "a transformation is for custom webhooks"
        webhook["transformation"] = "x"
    assert not complaints("WebhookInput", webhook)


def test_is_a_transformation_as_the_api_takes_it(preset):
    if preset["transformation"] is None:
        return
    transformation = preset_model.expanded(preset["transformation"], preset_model.examples(preset))
    assert not complaints("TransformationInput", {"name": "x", **transformation})


@pytest.mark.parametrize("name", NAMES)
def test_samples(name):
    preset = preset_model.load(name)
    for sample in preset["samples"]:
        made = preset_model.make(preset, preset_model.examples(preset), sample["event"])
        assert {"method": made.method, "url": made.url, "headers": made.headers,
                "body": made.json()} == sample["expected"]


@pytest.mark.parametrize("name", NAMES)
def test_receiver_takes_every_event(name):
    preset = preset_model.load(name)
    check = receivers.check(preset)
    assert check, "tests/presets/preset_receivers.py must say what the receiver takes"
    most = preset["webhook"].get("request", {}).get("max_bytes")
    limits = (preset["transformation"] or {}).get("limits", {})
    output = limits.get("output_bytes", 1_500_000)
    for event_name, event in preset_events.all_events().items():
        begun = time.monotonic()
        made = preset_model.make(preset, preset_model.examples(preset), event)
        assert made.output_bytes <= output, f"{event_name}: the result is too long"
        # A transformation has 10 seconds.
        assert time.monotonic() - begun < 8, f"{event_name} took too long"
        try:
            check(made, event)
            if preset["transformation"]:
                assert not most or len(made.body.encode()) <= most, "more than max_bytes"
        except AssertionError as error:
            raise AssertionError(f"{name} of the event {event_name}: {error}") from error
