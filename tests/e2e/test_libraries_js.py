"""The official JavaScript libraries verify what herald sends, with no setting."""

import base64
import json
import os
import subprocess

import httpx
import pytest

from herald_process import ROOT, example

MODULES = ROOT / "build" / "node" / "node_modules"
RECEIVER = ROOT / "tests" / "e2e" / "js" / "receiver.js"
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
TEXT = {
    **example("node_created"),
    "id": "11111111-2222-4333-8444-555555555555",
    "data": {"name": "Zürich <core> & 'edge' \U0001f600 \x7f \u2028", "n": 1.5, "ok": None},
}


@pytest.fixture(params=["standardwebhooks", "svix"])
def receiver(request):
    assert MODULES.is_dir(), "scripts/test e2e installs the packages of tests/e2e/js/package.json"
    process = subprocess.Popen(
        ["node", RECEIVER, request.param, KEY],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    port = process.stdout.readline().strip()
    assert port, "the receiver did not start"
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.mark.parametrize("event", [example("node_updated"), TEXT], ids=["ascii", "non-ascii"])
def test_delivery_verifies_at_the_first_request(herald, receiver, event):
    hook = herald.webhook(receiver, shared_key=KEY)
    [delivery] = herald.send(event).json()["deliveries"]
    found = herald.settled(delivery)
    assert httpx.get(receiver).json() == [event]
    assert found["attempts"] == 1
    assert found["attempt_list"][0]["refused_profiles"] == []
    shown = herald.client.get(f"/api/v1/webhooks/{hook['id']}").json()
    assert shown["accepted_profile"] == "standard"


def test_delivery_signed_with_another_key_is_refused(herald, receiver):
    herald.webhook(receiver, shared_key=OTHER_KEY, retry={"preset": "none"})
    [delivery] = herald.send(TEXT).json()["deliveries"]
    found = herald.settled(delivery, state="failed")
    assert found["failure_class"] == "HTTP_CLIENT_ERROR"
    assert httpx.get(receiver).json() == []


def test_v1a_beside_v1_is_skipped(herald, receiver):
    """The header that a webhook sends while it moves from standard to standard-ed25519."""
    made = herald.cli("new-key", "--signature-profile", "standard-ed25519")
    hook = herald.webhook(receiver, shared_key=KEY, signature_profile="standard")
    changed = herald.client.patch(
        f"/api/v1/webhooks/{hook['id']}",
        json={
            "shared_key": json.loads(made.stdout)["shared_key"],
            "signature_profile": "standard-ed25519",
            "key_rotation": {"grace": "1h"},
        },
    )
    assert changed.status_code == 200, changed.text
    [delivery] = herald.send(TEXT).json()["deliveries"]
    assert herald.settled(delivery)["attempt_list"][0]["refused_profiles"] == []
    assert httpx.get(receiver).json() == [TEXT]
