"""Conditions, explain, lint and backtest as a user types them."""

import json
import uuid


def update(field, value, previous):
    """An update of one attribute of a device."""
    changed = {"name": field, "value": value, "value_previous": previous}
    return {
        "id": str(uuid.uuid4()),
        "event": "infrahub.node.updated",
        "branch": "main",
        "data": {
            "kind": "DcimDevice",
            "node_id": str(uuid.uuid4()),
            "changelog": {"attributes": {field: changed}, "relationships": {}},
        },
    }


def create(herald, recorder, name, *settings):
    args = [arg for setting in settings for arg in ("--set", setting)]
    made = herald.cli("webhook", "create", name, "--url", recorder.url, "--kind", "custom", *args)
    assert made.returncode == 0, made.stderr
    return made


def test_expression_decides_and_explain_says_why(herald, recorder):
    create(herald, recorder, "status", 'conditions.expression=value("status") == "active"')
    held, kept = update("status", "active", "planned"), update("status", "drained", "active")
    for event in (held, kept):
        herald.send(event)
    why = json.loads(herald.cli("webhook", "explain", "status", held["id"]).stdout)
    assert why["fires"] is True
    assert len(why["deliveries"]) == 1
    table = herald.cli("webhook", "explain", "status", kept["id"], "-o", "table").stdout
    assert "status does not fire for this event: expression does not hold." in table
    assert 'value("status") is "drained"' in table
    not_stored = herald.cli(
        "webhook", "explain", "status", "--file", "-", input=json.dumps(update("name", "a", "b"))
    )
    assert json.loads(not_stored.stdout)["first_not_held"] == "expression"
    assert herald.cli("webhook", "explain", "status").returncode == 2


def test_wrong_expression_is_refused_with_its_place(herald):
    refused = herald.cli(
        "webhook", "create", "wrong", "--url", "http://127.0.0.1:9/", "--kind", "custom",
        "--set", "conditions.expression=event.type = 1",
    )  # fmt: skip
    assert refused.returncode == 1
    assert "/conditions/expression" in refused.stderr
    assert "at column 12: = is not known here: write == to compare" in refused.stderr


def test_lint_ends_with_seven_where_a_webhook_can_never_fire(herald, recorder):
    create(herald, recorder, "fine")
    assert herald.cli("webhook", "lint").returncode == 0
    create(herald, recorder, "never", "conditions.expression=1 > 2")
    found = herald.cli("webhook", "lint")
    assert found.returncode == 7
    [finding] = json.loads(found.stdout)
    assert (finding["webhook"], finding["kind"]) == ("never", "never_fires")
    assert herald.cli("webhook", "lint", "fine").returncode == 0
    create(herald, recorder, "idle", 'conditions.accounts=["nobody"]')
    herald.send(update("status", "a", "b"))
    assert herald.cli("webhook", "lint", "idle").returncode == 0
    strict = herald.cli("webhook", "lint", "idle", "--strict")
    assert strict.returncode == 7
    assert json.loads(strict.stdout)[0]["kind"] == "never_fired"


def test_backtest_shows_what_would_be_sent_and_sends_nothing(herald, recorder, tmp_path):
    events = [update("status" if n % 2 else "role", "x", "y") for n in range(10)]
    for event in events:
        herald.send(event)
    new = {"name": "new", "kind": "custom", "url": recorder.url}
    new["conditions"] = {"changed_fields": {"only": ["status"]}}
    file = tmp_path / "webhook.json"
    file.write_text(json.dumps(new))
    done = herald.cli("webhook", "backtest", "--file", file, "--since", "24h", "--limit", "3")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["events"] == {"value": 10, "capped": False}
    assert (told["examined"], told["matched"]) == (10, 5)
    assert [item["id"] for item in told["items"]] == [events[n]["id"] for n in (9, 7, 5)]
    assert json.loads(told["items"][0]["request"]["body"])["id"] == events[9]["id"]
    assert recorder.requests == []
    create(herald, recorder, "stored", 'conditions.changed_fields.only=["nothing"]')
    changed = herald.cli(
        "webhook", "backtest", "stored", "--set", 'conditions.changed_fields.only=["role"]',
        "-o", "table",
    )  # fmt: skip
    assert "5 of 10 events would be sent; nothing was" in changed.stderr
    assert recorder.requests == []
    assert herald.cli("webhook", "backtest").returncode == 2
