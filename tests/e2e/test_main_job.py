"""An event comes in and goes out: body, signature, record, search."""

import json
import re

import pytest

from herald_process import example, wait_until


@pytest.mark.parametrize("name", ["branch_created", "node_created", "node_updated"])
def test_documented_payload_arrives_byte_for_byte(herald, recorder, name):
    herald.webhook(recorder.url, signature_profile="infrahub")
    event = example(name)
    answer = herald.send(event)
    assert answer.status_code == 202, answer.text
    [delivery] = answer.json()["deliveries"]
    herald.settled(delivery)
    [request] = recorder.requests
    assert request["body"] == json.dumps(event, separators=(",", ":")).encode()
    assert request["headers"]["webhook-id"] == delivery
    assert re.fullmatch(r"msg_[0-9a-f]{32}", delivery)
    assert request["headers"]["content-type"] == "application/json"


def test_attempt_is_recorded_and_event_is_found(herald, recorder):
    hook = herald.webhook(recorder.url)
    event = example("node_updated")
    [delivery] = herald.send(event).json()["deliveries"]
    found = herald.settled(delivery)
    assert found["webhook"] == {"id": hook["id"], "name": "hook"}
    [attempt] = found["attempt_list"]
    assert attempt["number"] == 1
    assert attempt["status"] == 200
    assert attempt["failure_class"] is None
    assert attempt["response_body"] == '{"status":"seen"}'
    assert attempt["request_headers"]["webhook-signature"] == "***"

    logged = herald.client.get(f"/api/v1/events/{event['id']}").json()
    assert logged["body"] == event
    assert logged["node"] == {"id": event["data"]["node_id"], "kind": "InfraInterfaceL3"}
    assert [d["id"] for d in logged["deliveries"]] == [delivery]
    changed = {c["field"]: (c["before"], c["after"]) for c in logged["changes"]}
    assert changed["role"] == ("peer", "peering")

    page = herald.client.get(
        "/api/v1/events", params={"event": "infrahub.node.*", "branch": "alter-interface"}
    )
    assert [e["id"] for e in page.json()["items"]] == [event["id"]]


def test_same_event_is_stored_and_delivered_once_also_after_a_restart(herald, recorder):
    herald.webhook(recorder.url)
    event = example("node_created")
    [delivery] = herald.send(event).json()["deliveries"]
    herald.settled(delivery)
    again = herald.send(event)
    assert again.status_code == 200
    assert again.json()["status"] == "duplicate"
    herald.kill()
    herald.start()
    assert herald.send(event).json()["status"] == "duplicate"
    assert (
        herald.client.get("/api/v1/events", params={"count": "true"}).json()["count"]["value"] == 1
    )
    assert len(recorder.requests) == 1


def test_batch_answers_each_event_and_stores_the_good_ones(herald, recorder):
    herald.webhook(recorder.url)
    good = example("node_updated")
    bad = {**example("node_created"), "id": "not-a-uuid"}
    answer = herald.send([good, bad, good])
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (1, 1, 1)
    assert body["results"][1]["status"] == "rejected"
    assert body["results"][1]["errors"][0]["pointer"].endswith("/id")


def test_ndjson_reports_the_broken_line_only(herald, recorder):
    herald.webhook(recorder.url)
    lines = (
        json.dumps(example("node_updated"))
        + "\n{broken\n"
        + json.dumps(example("node_created"))
        + "\n"
    )
    answer = herald.client.post(
        "/api/v1/events", content=lines, headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 202, answer.text
    assert [r["status"] for r in answer.json()["results"]] == ["accepted", "rejected", "accepted"]


def test_failed_attempt_is_retried_with_the_same_id_and_a_new_timestamp(herald, recorder):
    recorder.script = [500, 503]
    herald.webhook(recorder.url, retry={"delays": ["0s", "1s", "1s"], "jitter": 0})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    found = herald.settled(delivery)
    assert [a["status"] for a in found["attempt_list"]] == [500, 503, 200]
    assert [a["failure_class"] for a in found["attempt_list"]] == [
        "HTTP_SERVER_ERROR",
        "HTTP_SERVER_ERROR",
        None,
    ]
    assert len(set(recorder.ids())) == 1
    stamps = {r["headers"]["webhook-timestamp"] for r in recorder.requests}
    assert len(stamps) == 3
    assert len({r["body"] for r in recorder.requests}) == 1


def test_delivery_that_fails_for_good_can_be_repeated(herald, recorder):
    recorder.script = [500]
    herald.webhook(recorder.url, retry={"preset": "none"})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery, "failed")
    again = herald.client.post(f"/api/v1/deliveries/{delivery}/retry", json={})
    assert again.status_code == 202, again.text
    assert again.json()["redelivers"] == delivery
    herald.settled(again.json()["id"])
    assert herald.delivery(delivery)["state"] == "failed"
    assert recorder.requests[0]["body"] == recorder.requests[1]["body"]


def test_pending_delivery_can_be_cancelled(herald, recorder):
    recorder.script = [500] * 5
    herald.webhook(recorder.url, retry={"delays": ["0s", "1h"]})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: herald.delivery(delivery)["attempts"] == 1)
    answer = herald.client.post(f"/api/v1/deliveries/{delivery}/cancel", json={})
    assert answer.status_code == 200, answer.text
    assert herald.delivery(delivery)["state"] == "cancelled"
    assert herald.client.post(f"/api/v1/deliveries/{delivery}/cancel", json={}).status_code == 409


def test_a_receiver_that_hangs_delays_no_other(herald, recorder):
    from receivers import Recorder

    slow = Recorder(delay=30)
    herald.webhook(slow.url, name="slow", timeout=20)
    herald.webhook(recorder.url, name="fast")
    for i in range(200):
        event = {**example("node_updated"), "id": f"00000000-0000-4000-8000-{i:012x}"}
        assert herald.send(event).status_code == 202
    wait_until(lambda: len(recorder.requests) == 200, 10, "all 200 at the fast receiver")
    slow.server.socket.close()


def test_change_of_the_url_takes_effect_for_the_next_attempt(herald, recorder):
    hook = herald.webhook("http://127.0.0.1:9/", retry={"delays": ["0s", "1s"], "jitter": 0})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: herald.delivery(delivery)["attempts"] == 1)
    patched = herald.client.patch(f"/api/v1/webhooks/{hook['id']}", json={"url": recorder.url})
    assert patched.status_code == 200, patched.text
    found = herald.settled(delivery)
    assert [a["failure_class"] for a in found["attempt_list"]] == ["CONNECTION", None]


def test_paused_webhook_keeps_what_is_pending_until_it_is_resumed(herald, recorder):
    recorder.script = [500]
    hook = herald.webhook(recorder.url, retry={"delays": ["0s", "1s"], "jitter": 0})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: herald.delivery(delivery)["attempts"] == 1)
    path = f"/api/v1/webhooks/{hook['id']}"
    herald.client.patch(path, json={"active": False})
    import time

    time.sleep(2)
    assert herald.delivery(delivery)["state"] == "pending"
    herald.client.patch(path, json={"active": True})
    herald.settled(delivery)


def test_removed_webhook_cancels_what_is_pending(herald, recorder):
    recorder.script = [500]
    hook = herald.webhook(recorder.url, retry={"delays": ["0s", "1h"]})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: herald.delivery(delivery)["attempts"] == 1)
    assert herald.client.delete(f"/api/v1/webhooks/{hook['id']}").status_code == 204
    herald.settled(delivery, "cancelled")


def test_header_from_the_environment_is_resolved_at_send_and_masked(make_herald, recorder):
    herald = make_herald(env={"EDA_TOKEN": "top-secret-value"}).start()
    herald.webhook(
        recorder.url,
        headers=[{"key": "X-Eda", "environment": "EDA_TOKEN"}, {"key": "X-Site", "value": "par1"}],
    )
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    found = herald.settled(delivery)
    assert recorder.requests[0]["headers"]["x-eda"] == "top-secret-value"
    shown = found["attempt_list"][0]["request_headers"]
    assert shown["X-Eda"] == "***" and shown["X-Site"] == "par1"
    assert "top-secret-value" not in herald.log.read_text()


def test_missing_environment_variable_fails_with_config(herald, recorder):
    herald.webhook(
        recorder.url, headers=[{"key": "X-Eda", "environment": "NOT_SET"}], retry={"preset": "none"}
    )
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    found = herald.settled(delivery, "failed")
    assert found["failure_class"] == "CONFIG"
    assert found["attempt_list"][0]["message"] == (
        "Webhook 'hook': could not resolve header 'X-Eda': Environment variable 'NOT_SET' not found"
    )
