"""Bulk redelivery, recovery and replay, as people use them."""

import json
import time

from herald_process import example, wait_until
from test_openapi import Checked


def fail_some(herald, recorder, count=5, name="hook"):
    """A webhook whose first `count` events fail for good; gives their deliveries."""
    recorder.script = [503] * count
    never_again = {"preset": "none"}
    herald.webhook(
        recorder.url, name=name, retry=never_again, event_type="infrahub.node.updated"
    )
    deliveries = []
    for number in range(count):
        event = example("node_updated") | {"id": f"00000000-0000-4000-8000-{number:012}"}
        event["occured_at"] = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime())
        deliveries += herald.send(event).json()["deliveries"]
    for delivery in deliveries:
        herald.settled(delivery, "failed")
    time.sleep(0.01)
    return deliveries


def ended(herald, job):
    def done():
        found = herald.client.get(f"/api/v1/jobs/{job}").json()
        return found if found["state"] not in ("running", "paused") else None

    return wait_until(done)


def test_failed_deliveries_are_counted_then_repeated(herald, recorder):
    failed = fail_some(herald, recorder)
    with Checked(herald.url) as checked:
        wanted = {"kind": "redeliver", "webhooks": ["hook"], "classes": ["HTTP_SERVER_ERROR"]}
        counted = checked.post("/api/v1/jobs", json=wanted | {"dry_run": True})
        assert counted.status_code == 200
        assert counted.json()["count"] == 5 and counted.json()["capped"] is False
        assert [one["delivery"] for one in counted.json()["sample"]] == failed
        assert checked.get("/api/v1/jobs").json() == {"items": []}

        headers = {"Idempotency-Key": "once"}
        made = checked.post("/api/v1/jobs", json=wanted, headers=headers)
        assert made.status_code == 202
        again = checked.post("/api/v1/jobs", json=wanted, headers=headers)
        assert again.json()["id"] == made.json()["id"]
        job = made.json()["id"]
        assert made.headers["location"] == f"/api/v1/jobs/{job}"
        found = ended(herald, job)
        assert found["state"] == "done"
        assert found["progress"] == {"found": 5, "made": 5, "skipped": 0}
        assert checked.get(f"/api/v1/jobs/{job}").json()["id"] == job
        assert len(checked.get("/api/v1/jobs").json()["items"]) == 1
        assert checked.post(f"/api/v1/jobs/{job}/pause").status_code == 409
        assert checked.get("/api/v1/jobs/nothing").status_code == 404
    wait_until(lambda: len(recorder.requests) == 10)
    assert {r["headers"]["webhook-cause"] for r in recorder.requests[5:]} == {"retry"}
    metrics = herald.client.get("/metrics").text
    assert 'herald_job_deliveries_total{kind="redeliver"} 5' in metrics
    assert 'herald_jobs{state="done"} 1' in metrics


def test_a_job_is_paused_resumed_and_cancelled(herald, recorder):
    fail_some(herald, recorder)
    with Checked(herald.url) as checked:
        wanted = {"kind": "recover", "webhooks": ["hook"], "since": "1h", "rate": 1}
        job = checked.post("/api/v1/jobs", json=wanted).json()["id"]
        for verb, state in [("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")]:
            answer = checked.post(f"/api/v1/jobs/{job}/{verb}", json={})
            assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert checked.post(f"/api/v1/jobs/{job}/resume", json={"a": 1}).status_code == 422


def test_wrong_jobs_name_their_fields(herald):
    with Checked(herald.url) as checked:
        for body, pointers in [
            ({}, ["/kind"]),
            ({"kind": "destroy"}, ["/kind"]),
            ({"kind": "redeliver"}, ["/webhooks"]),
            ({"kind": "recover"}, ["/webhooks", "/since"]),
            ({"kind": "replay", "webhooks": ["nobody"]}, ["/webhooks"]),
            ({"kind": "cancel", "since": "soon"}, ["/since"]),
            ({"kind": "cancel", "since": "1h", "branches": ["main"]}, ["/branches"]),
            ({"kind": "redeliver", "since": "1h", "rate": 0}, ["/rate"]),
            ({"kind": "redeliver", "since": "1h", "states": ["pending"]}, ["/states"]),
            ({"kind": "redeliver", "since": "1h", "classes": ["NO"]}, ["/classes"]),
            ({"kind": "redeliver", "since": "1h", "wehbooks": []}, ["/wehbooks"]),
        ]:
            answer = checked.post("/api/v1/jobs", json=body)
            assert answer.status_code == 422, body
            assert [e["pointer"] for e in answer.json()["errors"]] == pointers, body


def test_recovery_goes_on_after_a_kill(herald, recorder):
    fail_some(herald, recorder, count=12)
    wanted = {"kind": "recover", "webhooks": ["hook"], "since": "1h", "rate": 5}
    job = herald.client.post("/api/v1/jobs", json=wanted | {"order": "newest"}).json()["id"]
    path = f"/api/v1/jobs/{job}"
    wait_until(lambda: herald.client.get(path).json()["progress"]["made"] >= 5)
    herald.kill()
    herald.start()
    assert ended(herald, job)["progress"] == {"found": 12, "made": 12, "skipped": 0}
    query = {"webhook": "hook", "limit": 250}

    def all_delivered():
        items = herald.client.get("/api/v1/deliveries", params=query).json()["items"]
        fresh = [one for one in items if one["cause"] == "retry"]
        return fresh if all(one["state"] == "delivered" for one in fresh) else None

    fresh = wait_until(all_delivered)
    assert len(fresh) == 12
    assert len({one["redelivers"] for one in fresh}) == 12


def test_commands_make_and_show_jobs(herald, recorder):
    fail_some(herald, recorder, count=2)
    counted = herald.cli("delivery", "redeliver", "--webhook", "hook", "--since", "1h", "--dry-run")
    assert json.loads(counted.stdout)["count"] == 2
    made = herald.cli("webhook", "recover", "hook", "--since", "1h", "--newest-first")
    job = json.loads(made.stdout)
    assert (job["kind"], job["order"]) == ("recover", "newest")
    assert ended(herald, job["id"])["progress"]["made"] == 2
    replayed = herald.cli("event", "replay", "--webhook", "hook", "--event-type", "infrahub.*")
    assert ended(herald, json.loads(replayed.stdout)["id"])["progress"]["made"] == 2
    wait_until(lambda: len(recorder.requests) == 6)
    assert recorder.requests[-1]["headers"]["webhook-cause"] == "replay"
    shown = herald.cli("job", "list", "--output", "table").stdout
    assert "recover" in shown and "replay" in shown
    assert json.loads(herald.cli("job", "get", job["id"]).stdout)["state"] == "done"
    late = herald.cli("job", "cancel", job["id"])
    assert late.returncode == 1 and "finished" in late.stderr
    pending = {"state": "pending"}
    wait_until(
        lambda: not herald.client.get("/api/v1/deliveries", params=pending).json()["items"]
    )
    cancelled = herald.cli("delivery", "cancel-all", "--webhook", "hook")
    assert ended(herald, json.loads(cancelled.stdout)["id"])["progress"]["found"] == 0


def test_what_is_wrong_with_a_job_is_told_by_the_options_that_were_typed(herald):
    def told(*args, code=1):
        done = herald.cli(*args)
        assert done.returncode == code
        return done.stderr

    text = told("delivery", "redeliver", "--class", "FOO", "--state", "bar", "--since", "x")
    assert "--class: must be CONFIG, " in text and "--since: must be a time" in text
    assert "--state: must be delivered, failed or cancelled" in text
    text += told("delivery", "cancel-all", "--webhook", "none", "--rate", "0")
    assert "--webhook: there is no webhook with the name or id none" in text
    assert "--rate: " in text
    text += told("webhook", "recover", "none", "--since", "1h")
    assert "herald: webhook: there is no webhook" in text
    assert "/" not in text
    for command in ("redeliver", "cancel-all"):
        text = told("delivery", command, code=2)
        assert "give at least one of --webhook, --class, --event-type, --since and --until" in text
