"""The three forms of an event: the webhook body, the stored and streamed one, herald's own."""

import json

from herald_process import example

PARENT = "11111111-2222-4333-8444-555555555555"
CHILD = "66666666-7777-4888-9999-000000000000"
NODE = "182c697c-9915-aa00-39b7-c5181aeb3367"
PEER = "182c697d-0000-aa00-39b7-c5181aeb3367"
ACCOUNT = "182c6918-8880-5252-3611-c51ae7e0d6a5"


def streamed(event_id=CHILD, context=None):
    """As Infrahub's broker stores and streams it."""
    related = [
        {"prefect.resource.id": "1.11", "prefect.resource.role": "infrahub.version"},
        {
            "prefect.resource.id": event_id,
            "prefect.resource.role": "infrahub.event",
            "infrahub.event.has_children": "false",
            "infrahub.event.level": "1",
        },
        {
            "prefect.resource.id": f"infrahub.account.{ACCOUNT}",
            "prefect.resource.role": "infrahub.account",
            "infrahub.resource.id": ACCOUNT,
        },
        {
            "prefect.resource.id": "infrahub.branch.b1",
            "prefect.resource.role": "infrahub.branch",
            "infrahub.resource.id": "b1",
            "infrahub.resource.label": "main",
        },
        {
            "prefect.resource.id": event_id,
            "prefect.resource.role": "infrahub.child_event",
            "infrahub.event_parent.id": PARENT,
        },
        {
            "prefect.resource.id": PARENT,
            "prefect.resource.role": "infrahub.ancestor_event",
            "infrahub.ancestor_event.name": "infrahub.group.member_added",
        },
        {
            "prefect.resource.id": PEER,
            "prefect.resource.role": "infrahub.related.node",
            "infrahub.node.kind": "InfraPlatform",
        },
    ]
    return {
        "id": event_id,
        "occurred": "2025-03-13T16:31:14Z",
        "received": "2025-03-13T16:31:14.601200Z",
        "event": "infrahub.node.updated",
        "follows": None,
        "resource": {
            "prefect.resource.id": f"infrahub.node.{NODE}",
            "infrahub.node.kind": "InfraDevice",
            "infrahub.node.id": NODE,
            "infrahub.node.action": "updated",
            "infrahub.branch.name": "main",
            "infrahub.node.origin": "live",
        },
        "related": related,
        "payload": {
            "data": {"kind": "InfraDevice", "node_id": NODE, "action": "updated"},
            "context": context or {"branch": {"name": "main"}, "account_id": ACCOUNT},
        },
    }


def found_by(herald, **filters):
    answer = herald.client.get("/api/v1/events", params=filters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def test_streamed_event_is_sent_as_the_webhook_body(herald, recorder):
    herald.webhook(recorder.url, branch_scope="default_branch", node_kind="InfraDevice")
    answer = herald.send(streamed())
    assert answer.status_code == 202, answer.text
    herald.settled(answer.json()["deliveries"][0])
    assert recorder.requests[0]["body"] == (
        b'{"data":{"kind":"InfraDevice","node_id":"%s","action":"updated"},"id":"%s",'
        b'"branch":"main","account_id":"%s","occured_at":"2025-03-13 16:31:14+00:00",'
        b'"event":"infrahub.node.updated"}'
    ) % (NODE.encode(), CHILD.encode(), ACCOUNT.encode())


def test_streamed_event_of_older_versions_names_its_account_elsewhere(herald, recorder):
    herald.webhook(recorder.url)
    older = {
        "branch": {"name": "-global-", "id": "b"},
        "account": {"authenticated": True, "account_id": "older", "auth_type": "x"},
        "event": {"name": "infrahub.node.updated", "id": CHILD, "parent_id": None},
    }
    answer = herald.send(streamed(context=older))
    herald.settled(answer.json()["deliveries"][0])
    body = json.loads(recorder.requests[0]["body"])
    assert body["account_id"] == "older"
    assert body["branch"] is None


def test_streamed_event_is_found_by_everything_it_says(herald):
    assert herald.send(streamed()).status_code == 202
    for filters in [
        {"branch": "main"},
        {"event": "infrahub.node.*"},
        {"account": ACCOUNT},
        {"node": NODE},
        {"related": PEER},
        {"related": NODE},
        {"parent": PARENT},
        {"level": 1},
        {"has_children": "false"},
        {"id": CHILD},
        {"since": "2025-03-13T16:31:14Z", "until": "2025-03-13T16:31:15Z"},
    ]:
        assert found_by(herald, **filters) == [CHILD], filters
    for filters in [
        {"branch": "dev"},
        {"event": "infrahub.branch.*"},
        {"node": PEER},
        {"level": 0},
        {"has_children": "true"},
        {"until": "2025-03-13T16:31:14Z"},
        {"branch": "main", "level": 0},
    ]:
        assert found_by(herald, **filters) == [], filters


def test_own_form_carries_the_tree_of_events(herald):
    parent = {
        "id": PARENT,
        "event": "infrahub.group.member_added",
        "data": {"kind": "CoreStandardGroup", "node_id": "g"},
        "branch": "main",
        "has_children": True,
    }
    child = {
        "id": CHILD,
        "event": "infrahub.node.updated",
        "data": {},
        "branch": "main",
        "occurred_at": "2025-03-13T18:31:14.5+02:00",
        "parent": PARENT,
        "level": 1,
        "ancestors": [{"id": PARENT, "event": "infrahub.group.member_added"}],
        "node": {"id": NODE, "kind": "InfraDevice"},
        "related_nodes": [{"id": PEER, "kind": "InfraPlatform"}],
        "labels": {"site": "par1"},
        "origin": "merge",
    }
    assert herald.send([parent, child]).json()["accepted"] == 2
    found = herald.client.get(f"/api/v1/events/{PARENT}").json()
    assert [one["id"] for one in found["children"]] == [CHILD]
    found = herald.client.get(f"/api/v1/events/{CHILD}").json()
    assert found["parent_id"] == PARENT and found["level"] == 1
    assert found["ancestors"] == child["ancestors"]
    assert found["node"] == child["node"] and found["related_nodes"] == child["related_nodes"]
    assert found["extra"] == {"labels": child["labels"]} and found["origin"] == "merge"
    assert found["occurred_at"] == "2025-03-13T16:31:14.500000Z"
    assert found["body"]["occured_at"] == "2025-03-13 16:31:14.500000+00:00"
    assert list(found["body"]) == ["data", "id", "branch", "account_id", "occured_at", "event"]


def test_same_event_in_two_forms_is_one(herald):
    assert herald.send(streamed()).json()["status"] == "accepted"
    body = herald.client.get(f"/api/v1/events/{CHILD}").json()["body"]
    assert herald.send(body).json()["status"] == "duplicate"


def test_forms_may_be_mixed_in_one_batch(herald):
    own = {"event": "infrahub.custom.thing", "data": {}}
    lines = "\n".join(json.dumps(one) for one in [example("node_created"), streamed(), own])
    for content, kind in [
        (lines, "application/x-ndjson"),
        ("[" + lines.replace("\n", ",") + "]", "application/json"),
    ]:
        answer = herald.client.post(
            "/api/v1/events", content=content, headers={"content-type": kind}
        )
        assert answer.json()["rejected"] == 0, answer.text
    assert herald.client.get("/api/v1/events?count=true").json()["count"]["value"] == 4


def test_unknown_infrahub_name_is_taken_as_it_is_and_all_wants_it(herald, recorder):
    herald.webhook(recorder.url)
    for name, deliveries in [("infrahub.future.thing", 1), ("other.thing", 0)]:
        answer = herald.send({"event": name, "data": {}})
        assert answer.status_code == 202
        assert len(answer.json()["deliveries"]) == deliveries, name
