"""Presets as a user takes them: listed, shown, tried, and made into webhooks."""

import json

import pytest

from herald_process import ROOT, example

PRESETS = {file.stem: json.loads(file.read_text()) for file in (ROOT / "presets").glob("*.json")}
KEY = {"WEBHOOK_KEY": "supersecretkey"}
# The variables that examples of secrets name.
SECRETS = {
    parameter["example"].removeprefix("env:"): "a-secret-of-32-characters-length"
    for preset in PRESETS.values()
    for parameter in preset["parameters"]
    if parameter.get("secret")
}


@pytest.fixture
def herald(make_herald):
    return make_herald(env=SECRETS | KEY).start()


def examples(name, **values):
    """Options with an example for each parameter that has no value here."""
    options = []
    for parameter in PRESETS[name]["parameters"]:
        value = values.get(parameter["name"], parameter["example"])
        options += ["--param", f"{parameter['name']}={value}"]
    return options


def names_of(herald, what):
    return {item["name"] for item in herald.client.get(f"/api/v1/{what}").json()["items"]}


def test_presets_are_listed_and_shown(herald):
    listed = json.loads(herald.cli("preset", "list").stdout)
    assert {preset["name"] for preset in listed} == set(PRESETS)
    shown = herald.cli("preset", "show", "slack")
    assert json.loads(shown.stdout) == PRESETS["slack"]
    table = herald.cli("preset", "show", "slack", "-o", "table").stdout
    assert "url" in table and "https://hooks.slack.com/services/" in table
    assert 'import "herald" as h;\n' in table, "the code can be copied"
    misspelt = herald.cli("preset", "show", "slak")
    assert misspelt.returncode == 1 and "did you mean slack?" in misspelt.stderr


def test_every_preset_makes_what_its_samples_say(herald):
    done = herald.cli("preset", "test")
    results = {row["preset"]: row["result"] for row in json.loads(done.stdout)}
    assert set(results) == set(PRESETS)
    skipped = {name for name, result in results.items() if result.startswith("skipped")}
    assert skipped == {"gitlab-trigger", "pagerduty-change"}
    assert {results[name] for name in set(PRESETS) - skipped} == {"ok"}
    assert done.returncode == 0
    for name, parameter in [("gitlab-trigger", "token"), ("pagerduty-change", "routing_key")]:
        tried = herald.cli("preset", "test", name, "--param", f"{parameter}=env:WEBHOOK_KEY")
        assert [row["result"] for row in json.loads(tried.stdout)] == ["ok"], tried.stderr


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset_becomes_a_webhook(herald, name):
    made = herald.cli("webhook", "create", "--preset", name, *examples(name), f"my {name}")
    assert made.returncode == 0, made.stderr
    webhook = json.loads(made.stdout)
    assert webhook["name"] == f"my {name}"
    [sample, *_] = PRESETS[name]["samples"]
    assert webhook["url"].split("?")[0] == sample["expected"]["url"].split("?")[0]
    transformations = names_of(herald, "transformations")
    if PRESETS[name]["transformation"] is None:
        assert webhook.get("transformation") is None and transformations == set()
    else:
        assert transformations == {webhook["transformation"]} == {f"my-{name}"}


def test_message_arrives_as_the_sample_says(herald, recorder):
    made = herald.cli("webhook", "create", "--preset", "teams", "--param", f"url={recorder.url}",
                      "--branch-scope", "all_branches", "chat")  # fmt: skip
    assert made.returncode == 0, made.stderr
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery)
    [sample] = PRESETS["teams"]["samples"]
    assert json.loads(recorder.requests[0]["body"]) == sample["expected"]["body"]


def test_options_stand_for_parameters_and_add_to_the_preset(herald, recorder, key_file):
    made = herald.cli(
        "webhook", "create", "own", "--preset", "infrahub", "--url", recorder.url,
        "--shared-key-file", key_file, "-e", "infrahub.node.*", "--timeout", "7",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    webhook = json.loads(made.stdout)
    assert webhook["url"] == recorder.url and webhook["timeout"] == 7
    assert webhook["event_type"] == "infrahub.node.*" and webhook["has_shared_key"]
    assert webhook["signature_profile"] == "infrahub"


def test_headers_come_beside_those_of_the_preset(herald):
    made = herald.cli("webhook", "create", "--preset", "github-dispatch",
                      *examples("github-dispatch"), "-H", "X-Site: par1",
                      "-H", "accept: application/json", "gh")  # fmt: skip
    assert made.returncode == 0, made.stderr
    headers = {header["key"]: header["value"] for header in json.loads(made.stdout)["headers"]}
    assert headers == {"X-GitHub-Api-Version": "2022-11-28", "X-Site": "par1",
                       "accept": "application/json"}  # fmt: skip


def test_key_is_a_reference_that_signs(herald, recorder):
    made = herald.cli("webhook", "create", "--preset", "infrahub", "--param",
                      f"url={recorder.url}", "--param", "key=env:WEBHOOK_KEY",
                      "--branch-scope", "all_branches", "signed")  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "supersecretkey" not in made.stdout
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery)
    assert recorder.requests[0]["headers"]["webhook-signature"].startswith("v1,")


def test_wrong_parameters_are_named_with_their_purpose(herald):
    wrong = herald.cli("webhook", "create", "--preset", "infrahub", "--param", "ulr=http://h/",
                       "--param", "key=hunter2", "x")  # fmt: skip
    assert wrong.returncode == 2
    assert "parameter ulr is no parameter of the preset infrahub: did you mean url?" in wrong.stderr
    assert "parameter url is missing: where the receiver listens" in wrong.stderr
    assert "parameter key is a secret: give where herald reads it" in wrong.stderr
    assert "hunter2" not in wrong.stderr and "herald preset show infrahub" in wrong.stderr
    for options in [("--preset", "infrahub", "--param", "url"), ("--param", "url=http://h/")]:
        assert herald.cli("webhook", "create", *options, "x").returncode == 2
    assert herald.cli("webhook", "create", "--preset", "none", "x").returncode == 1
    assert names_of(herald, "webhooks") == set()


def test_nothing_is_left_when_the_webhook_is_refused(herald):
    url = PRESETS["slack"]["parameters"][0]["example"]
    for _ in range(2):
        refused = herald.cli("webhook", "create", "--preset", "slack", "--param", f"url={url}",
                             "--timeout", "9999", "chat")  # fmt: skip
        assert refused.returncode != 0 and "timeout" in refused.stderr
        assert "The transformation chat was removed again." in refused.stderr
        assert names_of(herald, "transformations") == names_of(herald, "webhooks") == set()


def test_other_transformation_stands_in_place_of_the_presets(herald):
    own = {"name": "own", "runtime": "jq", "source": "{text: .event}"}
    assert herald.client.post("/api/v1/transformations", json=own).status_code == 201
    made = herald.cli("webhook", "create", "--preset", "slack", *examples("slack"),
                      "--set", "transformation=own", "chat")  # fmt: skip
    assert json.loads(made.stdout)["transformation"] == "own", made.stderr
    assert names_of(herald, "transformations") == {"own"}
