"""Receivers as they are in the field verify with no setting."""

import base64
import json

import pytest
import standardwebhooks
import svix.webhooks

from herald_process import example
from receivers import documented_example, library_verifier, raw_body_verifier

KEY = "supersecretkey"
TEXT = {
    **example("node_created"),
    "id": "11111111-2222-4333-8444-555555555555",
    "data": {"name": "Zürich <core> & 'edge' \U0001f600 \x7f \u2028", "n": 1e16, "ok": None},
}


@pytest.mark.parametrize("event", [example("node_updated"), TEXT], ids=["ascii", "non-ascii"])
@pytest.mark.parametrize(
    ("receiver", "profile"),
    [
        (documented_example(KEY.encode()), "infrahub-repr"),
        (raw_body_verifier(KEY.encode()), "infrahub"),
        (
            raw_body_verifier(KEY.encode(), lambda x: json.dumps(x, separators=(",", ":"))),
            "infrahub",
        ),
        (raw_body_verifier(KEY.encode(), json.dumps), "infrahub-spaced"),
    ],
    ids=["documented example", "raw body", "compact re-serialiser", "default re-serialiser"],
)
def test_text_key_verifies_with_no_setting(herald, serve_app, receiver, profile, event):
    receiver.state.verified.clear()
    hook = herald.webhook(serve_app(receiver), shared_key=KEY)
    [delivery] = herald.send(event).json()["deliveries"]
    found = herald.settled(delivery)
    assert receiver.state.verified == [event]
    assert found["attempts"] == 1, "negotiation happens within one attempt"
    assert herald.client.get(f"/api/v1/webhooks/{hook['id']}").json()["accepted_profile"] == profile


STANDARD_KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("event", [example("node_updated"), TEXT], ids=["ascii", "non-ascii"])
@pytest.mark.parametrize(
    "verify",
    [
        lambda body, headers: standardwebhooks.Webhook(STANDARD_KEY).verify(body, headers),
        lambda body, headers: svix.webhooks.Webhook(STANDARD_KEY).verify(body, headers),
    ],
    ids=["standardwebhooks", "svix"],
)
def test_official_libraries_verify_with_no_setting(herald, serve_app, verify, event):
    receiver = library_verifier(verify)
    hook = herald.webhook(serve_app(receiver), shared_key=STANDARD_KEY)
    [delivery] = herald.send(event).json()["deliveries"]
    herald.settled(delivery)
    assert receiver.state.verified == [event]
    assert (
        herald.client.get(f"/api/v1/webhooks/{hook['id']}").json()["accepted_profile"] == "standard"
    )


def test_text_key_verifies_in_a_library_as_whsec_of_its_base64(herald, serve_app):
    as_library_wants_it = "whsec_" + base64.b64encode(KEY.encode()).decode()
    receiver = library_verifier(
        lambda body, headers: standardwebhooks.Webhook(as_library_wants_it).verify(body, headers)
    )
    herald.webhook(serve_app(receiver), shared_key=KEY)
    [delivery] = herald.send(TEXT).json()["deliveries"]
    herald.settled(delivery)
    assert receiver.state.verified == [TEXT]


def test_accepted_profile_is_remembered_and_forgotten_with_the_key(herald, serve_app):
    receiver = documented_example(KEY.encode())
    hook = herald.webhook(serve_app(receiver), shared_key=KEY)
    path = f"/api/v1/webhooks/{hook['id']}"
    [first] = herald.send(example("node_updated")).json()["deliveries"]
    refused = herald.settled(first)["attempt_list"][0]["refused_profiles"]
    assert [r["profile"] for r in refused] == ["infrahub"]
    [second] = herald.send(example("node_created")).json()["deliveries"]
    assert herald.settled(second)["attempt_list"][0]["refused_profiles"] == []
    herald.client.patch(path, json={"shared_key": "another key entirely"})
    assert herald.client.get(path).json()["accepted_profile"] is None


def test_receiver_that_refuses_all_is_an_ordinary_failure_and_not_probed_at_every_retry(
    herald, recorder
):
    recorder.script = [403] * 10
    herald.webhook(recorder.url, retry={"delays": ["0s", "1s", "1s"], "jitter": 0})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    found = herald.settled(delivery, "failed")
    assert found["failure_class"] == "HTTP_CLIENT_ERROR"
    assert [len(a["refused_profiles"]) for a in found["attempt_list"]] == [2, 0, 0]
    assert len(recorder.requests) == 5


def test_custom_webhook_without_key_is_not_signed(herald, recorder):
    herald.webhook(recorder.url, kind="custom", shared_key=None)
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery)
    sent = {name for name in recorder.requests[0]["headers"] if name.startswith("webhook-")}
    assert sent == {"webhook-cause", "webhook-attempt"}
