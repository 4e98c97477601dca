"""What the server answers is what its OpenAPI document says."""

import json
import re
import uuid

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from herald_process import EXAMPLES, ROOT, example, wait_until

DOCUMENT = json.loads((ROOT / "src" / "api" / "assets" / "openapi.json").read_text())
EVENT_SCHEMA = json.loads((ROOT / "src" / "api" / "assets" / "event.schema.json").read_text())
REGISTRY = Registry().with_resource(
    "urn:api", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
)
SAMPLES = [json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*.json"))]


def resolve(thing):
    while "$ref" in thing:
        at = DOCUMENT
        for part in thing["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        thing = at
    return thing


def check_schema(pointer, value):
    """Validates against the schema at a JSON pointer of the document."""
    validator = Draft202012Validator(
        {"$ref": f"urn:api#{pointer}"}, registry=REGISTRY, format_checker=FormatChecker()
    )
    errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)]
    assert errors == [], pointer


def escape(part):
    return part.replace("~", "~0").replace("/", "~1")


def find_operation(method, path):
    for pattern, item in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path) and method in item:
            return pattern, item[method]
    return None, None


class Checked(httpx.Client):
    """A client that holds each answer against the document."""

    def __init__(self, url):
        super().__init__(base_url=url, timeout=30, event_hooks={"response": [self.check]})
        self.seen = set()

    def check(self, response):
        response.read()
        method = response.request.method.lower()
        path = response.request.url.raw_path.decode().split("?")[0]
        pattern, operation = find_operation("get" if method == "head" else method, path)
        if operation is None:
            assert response.status_code in (401, 403, 404, 405), (method, path)
            check_schema("/components/schemas/Problem", response.json())
            return
        status = str(response.status_code)
        where = f"{method} {pattern} {status}"
        self.seen.add(where)
        assert status in operation["responses"], f"{where} is not described: {response.text}"
        described = operation["responses"][status]
        pointer = f"/paths/{escape(pattern)}/{method}/responses/{status}"
        if "$ref" in described:
            pointer = described["$ref"].removeprefix("#")
        described = resolve(described)
        for name, header in described.get("headers", {}).items():
            if resolve(header).get("required"):
                assert name.lower() in response.headers, f"{where}: {name}"
        if method == "head" or not described.get("content"):
            assert response.content == b"", where
            return
        kind = response.headers["content-type"].split(";")[0]
        assert kind in described["content"], f"{where}: {kind}"
        if kind.endswith("json"):
            check_schema(f"{pointer}/content/{escape(kind)}/schema", response.json())


@pytest.fixture
def checked(herald):
    with Checked(herald.url) as client:
        yield client


def test_document_is_openapi_and_is_served_as_it_is(herald):
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")
    assert herald.client.get("/api/openapi.json").json() == DOCUMENT
    served = herald.client.get("/api/v1/event-schema")
    assert served.headers["content-type"] == "application/schema+json"
    assert served.json() == EVENT_SCHEMA


def test_examples_of_the_document_fit_their_schemas():
    def walk(node, pointer):
        if isinstance(node, list):
            for i, item in enumerate(node):
                walk(item, f"{pointer}/{i}")
        if not isinstance(node, dict):
            return
        if isinstance(node.get("schema"), dict):
            examples = [one["value"] for one in node.get("examples", {}).values()]
            for value in examples + ([node["example"]] if "example" in node else []):
                check_schema(f"{pointer}/schema", value)
        for key, value in node.items():
            walk(value, f"{pointer}/{escape(key)}")

    walk(DOCUMENT, "")


def test_answers_to_events(checked):
    event = example("node_updated")
    assert checked.post("/api/v1/events", json=event).status_code == 202
    assert checked.post("/api/v1/events", json=event).status_code == 200
    assert checked.post("/api/v1/events", json=[event, {"event": "a"}, 7]).status_code == 202
    assert checked.post("/api/v1/events", json=[7]).status_code == 422
    assert checked.post("/api/v1/events", json={"event": 1, "x": 2}).status_code == 422
    assert checked.post("/api/v1/events", content=b"{}").status_code == 415
    for body, status in [(b"{", 400), (b"[]", 400), (b'{"a":1,"a":2}', 422)]:
        answer = checked.post(
            "/api/v1/events", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == status
    large = {**event, "data": {"x": "a" * 1_600_000}}
    assert checked.post("/api/v1/events", json=large).status_code == 413
    assert checked.post("/api/v1/events?x=1", json=event).status_code == 400
    headers = {"Idempotency-Key": "a"}
    new = {"event": "a", "data": {}}
    first = checked.post("/api/v1/events", json=new, headers=headers)
    again = checked.post("/api/v1/events", json=new, headers=headers)
    assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
    other = checked.post("/api/v1/events", json=event, headers=headers)
    assert other.status_code == 422
    listed = checked.get("/api/v1/events?count=true&limit=1")
    assert listed.json()["count"] == {"value": 2, "capped": False}
    assert checked.get(f"/api/v1/events?cursor={listed.json()['next_cursor']}").status_code == 200
    assert checked.get("/api/v1/events?limit=x").status_code == 400
    assert checked.get(f"/api/v1/events/{event['id']}").status_code == 200
    assert checked.get("/api/v1/events/x").status_code == 404
    assert checked.head("/api/v1/events").status_code == 200


def test_answers_to_webhooks(checked):
    body = {"name": "a", "url": "http://127.0.0.1:1/?token=x", "shared_key": "k", "active": False}
    made = checked.post("/api/v1/webhooks", json=body, headers={"Idempotency-Key": "b"})
    assert made.status_code == 201
    path = made.headers["location"]
    assert checked.get(path).headers["etag"] == made.headers["etag"]
    assert checked.post("/api/v1/webhooks", json=body).status_code == 409
    assert checked.post("/api/v1/webhooks", json={"name": 7}).status_code == 422
    replayed = checked.post("/api/v1/webhooks", json=body, headers={"Idempotency-Key": "b"})
    assert replayed.status_code == 201 and replayed.json() == made.json()
    full = {
        "name": "b",
        "kind": "custom",
        "url": "https://h/",
        "event_type": ["infrahub.node.*", "infrahub.branch.created"],
        "branch_scope": "default_branch",
        "headers": [{"key": "X-A", "value": "b"}, {"key": "X-B", "environment": "C"}],
        "retry": {"delays": ["0s", "5m"], "jitter": 0},
        "timeout": 1.5,
        "node_kind": "InfraDevice",
    }
    check_schema("/components/schemas/WebhookInput", full)
    assert checked.post("/api/v1/webhooks", json=full).status_code == 201
    assert len(checked.get("/api/v1/webhooks?limit=1").json()["items"]) == 1
    assert checked.get("/api/v1/webhooks?nam=a").status_code == 400
    tag = {"If-None-Match": made.headers["etag"]}
    assert checked.get(path, headers=tag).status_code == 304
    stale = {"If-Match": '"99"'}
    assert checked.patch(path, json={"active": False}, headers=stale).status_code == 412
    assert checked.put(path, json=made.json(), headers=stale).status_code == 412
    assert checked.delete(path, headers=stale).status_code == 412
    assert checked.put(path, json=made.json()).status_code == 200
    assert checked.patch(path, json={"url": "x"}).status_code == 422
    assert checked.patch(path, json={"description": "d"}).status_code == 200
    assert checked.patch(path, json={"name": "b"}).status_code == 409
    assert checked.post(f"{path}/test", json={"event": "x"}).status_code == 422
    assert checked.post(f"{path}/test", json={}).status_code == 202
    assert checked.delete(path).status_code == 204
    for method in ["get", "put", "patch", "delete"]:
        answer = checked.request(method, path, json={"name": "c", "url": "http://h/"})
        assert answer.status_code == 404, method
    assert checked.post(f"{path}/test").status_code == 404


def test_answers_about_what_a_webhook_wants(herald, checked):
    nobody = "http://127.0.0.1:9/"
    herald.webhook(nobody, name="asked", conditions={"expression": "event.level < 1"})
    event = {**example("node_updated"), "id": str(uuid.uuid4())}
    checked.post("/api/v1/events", json=event)
    explain, backtest = "/api/v1/webhooks/asked/explain", "/api/v1/webhooks/backtest"
    assert checked.get(f"{explain}?event={event['id']}").json()["deliveries"] != []
    assert checked.get(explain).status_code == 400
    assert checked.get("/api/v1/webhooks/none/explain?event=" + event["id"]).status_code == 404
    assert checked.post(explain, json=event).json()["fires"] is True
    assert checked.post(explain, json={}).status_code == 422
    herald.webhook(nobody, name="never", conditions={"expression": "1 > 2"})
    assert checked.get("/api/v1/lint").json()["items"] != []
    assert checked.get("/api/v1/lint?limit=x").status_code == 400
    new = {"name": "new", "kind": "custom", "url": "http://h/", "conditions": {"origins": ["a"]}}
    check_schema("/components/schemas/Backtest", {"webhook": new, "limit": 0})
    assert checked.post(backtest, json={"webhook": "asked"}).json()["items"] != []
    assert checked.post(backtest, json={"webhook": new}).status_code == 200
    changed = {"webhook": "asked", "changes": {"conditions": None}, "limit": 0}
    assert checked.post(backtest, json=changed).json()["matched"] > 0
    assert checked.post(backtest, json={}).status_code == 422


def test_answers_to_deliveries(herald, checked, recorder):
    recorder.script = [401, 500]
    herald.webhook(recorder.url, retry={"delays": ["0s", "1h"]})
    event = {**example("node_updated"), "id": str(uuid.uuid4())}
    [delivery] = herald.send(event).json()["deliveries"]
    path = f"/api/v1/deliveries/{delivery}"
    wait_until(lambda: checked.get(path).json()["attempts"] == 1)
    assert checked.get(path).json()["attempt_list"][0]["refused_profiles"] != []
    assert checked.post(f"{path}/retry", json={}).status_code == 409
    assert checked.post(f"{path}/retry", json={"a": 1}).status_code == 422
    assert checked.post(f"{path}/retry", content=b"x").status_code == 415
    assert checked.post(f"{path}/cancel").status_code == 200
    assert checked.post(f"{path}/cancel").status_code == 409
    again = checked.post(f"{path}/retry")
    assert again.status_code == 202
    herald.settled(again.json()["id"])
    assert checked.get(again.headers["location"]).json()["state"] == "delivered"
    assert len(checked.get("/api/v1/deliveries?limit=1").json()["items"]) == 1
    assert checked.get("/api/v1/deliveries?state=x").status_code == 400
    for verb in ["", "/retry", "/cancel"]:
        gone = f"/api/v1/deliveries/msg_{'0' * 32}{verb}"
        assert checked.request("post" if verb else "get", gone).status_code == 404
    found = checked.get(f"/api/v1/events/{event['id']}").json()
    assert len(found["deliveries"]) == 2 and found["changes"] != []
    checked.delete("/api/v1/webhooks/hook")
    assert checked.post(f"{path}/retry").status_code == 409


def test_answers_to_jobs(checked):
    wanted = {"kind": "cancel", "since": "1h"}
    assert checked.post("/api/v1/jobs", json=wanted | {"dry_run": True}).status_code == 200
    job = checked.post("/api/v1/jobs", json=wanted)
    assert job.status_code == 202
    path = job.headers["location"]
    wait_until(lambda: checked.get(path).json()["state"] == "done")
    assert checked.get("/api/v1/jobs").json()["items"][0]["kind"] == "cancel"
    assert checked.get("/api/v1/jobs?x=1").status_code == 400
    assert checked.post("/api/v1/jobs", json={}).status_code == 422
    assert checked.post("/api/v1/jobs", content=b"x").status_code == 415
    for verb in ["", "/pause", "/resume", "/cancel"]:
        gone = f"/api/v1/jobs/{uuid.uuid4()}{verb}"
        assert checked.request("post" if verb else "get", gone).status_code == 404
    for verb in ["pause", "resume", "cancel"]:
        assert checked.post(f"{path}/{verb}").status_code == 409


def test_answers_to_presets(checked):
    listed = checked.get("/api/v1/presets").json()["items"]
    assert "slack" in [preset["name"] for preset in listed]
    for preset in listed:
        shown = checked.get(f"/api/v1/presets/{preset['name']}").json()
        assert preset.items() <= shown.items()
    gone = checked.get("/api/v1/presets/slak")
    assert gone.status_code == 404 and "did you mean slack?" in gone.json()["detail"]
    assert checked.get("/api/v1/presets?x=1").status_code == 400


def test_answers_to_transformations(checked):
    path = "/api/v1/transformations"
    first = {"name": "a", "runtime": "jq", "source": "."}
    made = checked.post(path, json=first)
    assert made.status_code == 201
    tag = made.headers["etag"]
    assert checked.get(f"{path}/a", headers={"If-None-Match": tag}).status_code == 304
    assert checked.get(made.headers["location"]).json() == made.json()
    assert checked.post(path, json=first).status_code == 409
    wrong = checked.post(path, json={"name": "b c", "runtime": "lua", "surce": "."})
    assert wrong.status_code == 422
    pointers = [error["pointer"] for error in wrong.json()["errors"]]
    assert pointers == ["/name", "/runtime", "/source", "/surce"]
    assert checked.patch(f"{path}/a", json={"timeout": "2s"}).json()["timeout"] == "2s"
    old = checked.patch(f"{path}/a", json={"timeout": "3s"}, headers={"If-Match": tag})
    assert old.status_code == 412
    assert checked.patch(f"{path}/a", json={"name": "b"}).status_code == 422
    whole = {**made.json(), "source": "{a: 1}"}
    assert checked.put(f"{path}/a", json=whole).json()["source"] == "{a: 1}"
    hook = {"name": "h", "url": "http://127.0.0.1:9/", "kind": "custom", "transformation": "a"}
    missing = checked.post("/api/v1/webhooks", json={**hook, "transformation": "A"})
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["pointer"] == "/transformation"
    standard = {**hook, "kind": "standard", "shared_key": "k"}
    standard = checked.post("/api/v1/webhooks", json=standard)
    assert standard.status_code == 422
    assert checked.post("/api/v1/webhooks", json=hook).status_code == 201
    assert checked.get(f"{path}").json()["items"][0]["used_by"] == ["h"]
    used = checked.delete(f"{path}/a")
    assert used.status_code == 409
    assert "h" in used.json()["detail"]
    event = {"sample": "infrahub.node.updated"}
    ran = checked.post(f"{path}/a/run", json={"event": event, "webhook": "h"})
    assert ran.json()["body"] == '{"a":1}'
    assert ran.json()["url"] == "http://127.0.0.1:9/"
    ran = checked.post(f"{path}/a/run", json={"event": {"body": example("node_updated")}})
    assert ran.json()["size"] == 7
    unknown = {"event": {"sample": "no.such"}}
    assert checked.post(f"{path}/a/run", json=unknown).status_code == 422
    assert checked.post(f"{path}/b/run", json=unknown).status_code == 404
    unsaved = {"name": "u", "runtime": "jq", "source": "{a: }"}
    ran = checked.post(f"{path}/run", json={"transformation": unsaved, "event": event})
    assert ran.json()["failure"]["class"] == "CONFIG"
    assert checked.delete("/api/v1/webhooks/h").status_code == 204
    assert checked.delete(f"{path}/a").status_code == 204
    assert checked.delete(f"{path}/a").status_code == 404


def test_answers_of_the_process(checked):
    for path in ["/livez", "/readyz", "/metrics", "/api/openapi.json", "/api/v1/stats"]:
        assert checked.get(path).status_code == 200
    assert checked.get("/api/v1/stats?x=1").status_code == 400
    assert checked.get("/api/v1/event-types").status_code == 200
    assert checked.get("/api/v1/event-schema").status_code == 200
    assert checked.get("/api/v1/event-types/infrahub.node.created/sample").status_code == 200
    assert checked.get("/api/v1/event-types/x/sample").status_code == 404
    assert checked.get("/api/v1/webhooks", headers={"host": "evil.example"}).status_code == 403
    assert checked.delete("/api/v1/events").status_code == 405
    assert checked.get("/nothing").status_code == 404


def test_every_operation_is_held_against_the_document(herald, checked, recorder):
    """None is forgotten by the tests above."""
    test_answers_to_events(checked)
    test_answers_to_webhooks(checked)
    test_answers_to_deliveries(herald, checked, recorder)
    test_answers_about_what_a_webhook_wants(herald, checked)
    test_answers_to_jobs(checked)
    test_answers_to_presets(checked)
    test_answers_to_transformations(checked)
    test_answers_of_the_process(checked)
    described = {
        f"{method} {path}"
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method != "parameters"
    }
    answered = {where.rsplit(" ", 1)[0] for where in checked.seen}
    assert described - answered == set()


def schema_accepts(event):
    return Draft202012Validator(EVENT_SCHEMA, format_checker=FormatChecker()).is_valid(event)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "no-uuid"},
        {"id": 7},
        {"event": ""},
        {"event": "a b"},
        {"event": None},
        {"event": "x" * 256},
        {"data": [1]},
        {"data": None},
        {"branch": 5},
        {"account_id": {}},
        {"level": -1},
        {"level": 1.5},
        {"has_children": "yes"},
        {"parent": "x"},
        {"node": {"kind": "K"}},
        {"node": {"id": "n", "knd": "K"}},
        {"related_nodes": [{"kind": "K"}]},
        {"ancestors": [{"id": "x", "event": "a"}]},
        {"labels": {"a": 1}},
        {"brnach": "main"},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_schema_of_events_and_server_refuse_the_same(herald, change):
    event = {**example("node_updated"), **change}
    assert not schema_accepts(event)
    assert herald.send(event).status_code == 422


def test_schema_of_events_and_server_accept_the_same(herald):
    own = {
        "event": "shop.order.paid",
        "data": {},
        "branch": None,
        "account_id": "",
        "occurred_at": "2025-03-13T16:44:32.321142+02:00",
        "parent": "11111111-2222-4333-8444-555555555555",
        "level": 1,
        "has_children": False,
        "node": {"id": "n", "kind": "K"},
        "related_nodes": [{"id": "m", "kind": "K"}, "p"],
        "ancestors": [{"id": "11111111-2222-4333-8444-555555555555", "event": "a"}],
        "labels": {"a": "b"},
        "origin": "live",
    }
    types = herald.client.get("/api/v1/event-types").json()["items"]
    samples = [
        herald.client.get(f"/api/v1/event-types/{one['event']}/sample").json() for one in types
    ]
    for event in [*SAMPLES, own, {"event": "a", "data": {}}, *samples]:
        assert schema_accepts(event), event
        assert herald.send(event).status_code == 202, event
