"""Profiles of other senders, checked by receivers as their own documents describe them."""

import base64
import hashlib
import hmac
import json
import uuid

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI, HTTPException, Request

from herald_process import EXAMPLES, example, wait_until
from receivers import documented_example, library_verifier

KEY = "supersecretkey"
TEXT = {
    **example("node_created"),
    "id": "11111111-2222-4333-8444-555555555555",
    "data": {"name": "Zürich <core> & 'edge' \U0001f600 \x7f \u2028", "n": 1e16, "ok": None},
}


def checked(check):
    """A receiver that answers 401 unless `check(headers, body)` is true."""
    app = FastAPI()
    app.state.verified = []

    @app.post("/")
    async def receive(request: Request):
        body = await request.body()
        if not app.state.check(request.headers, body):
            raise HTTPException(status_code=401, detail="wrong signature")
        app.state.verified.append(dict(request.headers))
        return {"status": "success"}

    app.state.check = check
    return app


def ansible_eda(secret, algo="sha256", header="x-hub-signature-256", form="hex"):
    """As ansible.eda.webhook does with hmac_secret, hmac_algo, hmac_header and hmac_format."""

    def check(headers, body):
        given = headers.get(header, "").removeprefix(f"{algo}=")
        digest = hmac.new(secret.encode(), body, algo).digest()
        expected = digest.hex() if form == "hex" else base64.b64encode(digest).decode()
        return hmac.compare_digest(given.encode(), expected.encode())

    return check


def github(secret):
    """As GitHub documents for those who validate its deliveries."""

    def check(headers, body):
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, headers.get("x-hub-signature-256", ""))

    return check


def netbox(secret):
    """As NetBox documents for receivers of its webhooks."""

    def check(headers, body):
        expected = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
        return hmac.compare_digest(expected, headers.get("x-hook-signature", ""))

    return check


def gitlab(token):
    return lambda headers, body: hmac.compare_digest(headers.get("x-gitlab-token", ""), token)


def v1a(public_key):
    """Standard Webhooks 1.0.0, asymmetric, over an Ed25519 that is not herald's."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))

    def check(headers, body):
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        for entry in headers["webhook-signature"].split(" "):
            version, signature = entry.split(",")
            if version != "v1a":
                continue
            try:
                key.verify(base64.b64decode(signature), signed)
            except Exception:
                continue
            return True
        return False

    return check


HMAC = {"signature_profile": "hmac"}


@pytest.mark.parametrize("event", [example("node_updated"), TEXT], ids=["ascii", "non-ascii"])
@pytest.mark.parametrize(
    ("check", "attributes"),
    [
        (github(KEY), {"signature_profile": "github"}),
        (ansible_eda(KEY), {"signature_profile": "github"}),
        (ansible_eda(KEY), HMAC),
        (
            ansible_eda(KEY, "sha512", "x-ours", "base64"),
            {
                **HMAC,
                "signature": {"header": "X-Ours", "encoding": "base64", "algorithm": "sha512"},
            },
        ),
        (
            ansible_eda(KEY, "sha1", "x-hub-signature"),
            {
                **HMAC,
                "signature": {"header": "X-Hub-Signature", "prefix": "sha1=", "algorithm": "sha1"},
            },
        ),
        (netbox(KEY), {"signature_profile": "netbox"}),
        (gitlab(KEY), {"signature_profile": "gitlab-token"}),
    ],
    ids=["github", "eda of github", "eda", "eda base64 sha512", "eda sha1", "netbox", "gitlab"],
)
def test_receiver_of_another_sender_verifies(herald, serve_app, check, attributes, event):
    receiver = checked(check)
    herald.webhook(serve_app(receiver), shared_key=KEY, **attributes)
    [delivery] = herald.send(event).json()["deliveries"]
    found = herald.settled(delivery)
    assert found["attempts"] == 1
    [headers] = receiver.state.verified
    assert headers["webhook-id"] == delivery
    assert "webhook-signature" not in headers
    if attributes["signature_profile"] == "github":
        assert headers["x-github-event"] == event["event"]
        assert uuid.UUID(headers["x-github-delivery"]).hex == delivery.removeprefix("msg_")


def test_aap_event_stream_takes_base64_in_the_default_header(herald, serve_app):
    receiver = checked(ansible_eda(KEY, form="base64"))
    herald.webhook(serve_app(receiver), **HMAC, signature={"encoding": "base64"})
    [delivery] = herald.send(TEXT).json()["deliveries"]
    herald.settled(delivery)


def test_wrong_key_is_refused_by_every_profile(herald, serve_app):
    for profile, check in [("github", github), ("netbox", netbox), ("gitlab-token", gitlab)]:
        receiver = checked(check("another key"))
        herald.webhook(
            serve_app(receiver), name=profile, signature_profile=profile, retry={"preset": "none"}
        )
    for delivery in herald.send(TEXT).json()["deliveries"]:
        assert herald.settled(delivery, "failed")["failure_class"] == "HTTP_CLIENT_ERROR"


def test_token_of_gitlab_is_in_no_record_answer_or_log(herald, recorder):
    token = "glpat-very-secret-token"
    hook = herald.webhook(recorder.url, shared_key=token, signature_profile="gitlab-token")
    [delivery] = herald.send(TEXT).json()["deliveries"]
    found = herald.settled(delivery)
    assert recorder.requests[0]["headers"]["x-gitlab-token"] == token
    recorded = found["attempt_list"][0]["request_headers"]
    sent = {name.lower(): value for name, value in recorded.items()}
    assert sent["x-gitlab-token"] == "***"
    seen = json.dumps(found) + herald.client.get(f"/api/v1/webhooks/{hook['id']}").text
    assert token not in seen + herald.log.read_text()


def test_ed25519_verifies_with_the_public_key_that_the_webhook_shows(herald, serve_app, tmp_path):
    key_file = tmp_path / "pair.txt"
    made = json.loads(
        herald.cli(
            "new-key", "--signature-profile", "standard-ed25519", "--key-file", key_file
        ).stdout
    )
    private = key_file.read_text().strip()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert private not in json.dumps(made)
    again = herald.cli("new-key", "--key-file", key_file)
    assert again.returncode == 2 and "exists" in again.stderr
    hook = herald.webhook(
        "http://127.0.0.1:1/", shared_key=private, signature_profile="standard-ed25519"
    )
    assert hook["public_key"] == made["public_key"]
    assert hook["shared_key_fingerprint"] == made["shared_key_fingerprint"]
    receiver = checked(v1a(hook["public_key"]))
    herald.client.patch(f"/api/v1/webhooks/{hook['id']}", json={"url": serve_app(receiver)})
    for event in [TEXT, example("node_updated")]:
        [delivery] = herald.send(event).json()["deliveries"]
        herald.settled(delivery)
    assert len(receiver.state.verified) == 2


# Rotation.


def new_key(herald, profile):
    return json.loads(herald.cli("new-key", "--signature-profile", profile).stdout)["shared_key"]


@pytest.mark.parametrize("library", [standardwebhooks, svix.webhooks], ids=["standard", "svix"])
def test_official_libraries_verify_with_either_key_during_a_rotation(herald, serve_app, library):
    old, new = new_key(herald, "standard"), new_key(herald, "standard")
    receiver = checked(lambda *_: True)
    hook = herald.webhook(serve_app(receiver), shared_key=old, signature_profile="standard")
    changed = herald.client.patch(
        f"/api/v1/webhooks/{hook['id']}",
        json={"shared_key": new, "key_rotation": {"grace": "24h"}},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["key_rotation"]["previous_key"] == "***"
    fingerprint = changed.json()["key_rotation"]["previous_key_fingerprint"]
    assert fingerprint == hook["shared_key_fingerprint"]
    bodies = []
    receiver.state.check = lambda headers, body: bodies.append((dict(headers), body)) or True
    [delivery] = herald.send(TEXT).json()["deliveries"]
    herald.settled(delivery)
    [(headers, body)] = bodies
    for key in [old, new]:
        assert library.Webhook(key).verify(body, headers) == TEXT
    with pytest.raises(Exception, match="[Nn]o matching signature"):
        library.Webhook(new_key(herald, "standard")).verify(body, headers)


@pytest.mark.parametrize("library", [standardwebhooks, svix.webhooks], ids=["standard", "svix"])
def test_official_libraries_skip_v1a_beside_v1(herald, serve_app, library):
    """They do not know v1a. While a webhook moves from standard to standard-ed25519, its header
    holds both, and receivers of either sort verify."""
    old, new = new_key(herald, "standard"), new_key(herald, "standard-ed25519")
    hook = herald.webhook("http://127.0.0.1:1/", shared_key=old, signature_profile="standard")
    by_library = library_verifier(
        lambda body, headers: library.Webhook(old).verify(body, headers)
    )
    changed = herald.client.patch(
        f"/api/v1/webhooks/{hook['id']}",
        json={
            "url": serve_app(by_library),
            "shared_key": new,
            "signature_profile": "standard-ed25519",
            "key_rotation": {"grace": "24h"},
        },
    ).json()
    [delivery] = herald.send(TEXT).json()["deliveries"]
    assert herald.settled(delivery)["attempt_list"][0]["refused_profiles"] == []
    assert by_library.state.verified == [TEXT]
    by_public_key = checked(v1a(changed["public_key"]))
    herald.client.patch(
        f"/api/v1/webhooks/{hook['id']}", json={"url": serve_app(by_public_key)}
    )
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    assert herald.settled(delivery)["attempt_list"][0]["refused_profiles"] == []
    [headers] = by_public_key.state.verified
    assert [e.split(",")[0] for e in headers["webhook-signature"].split(" ")] == ["v1a", "v1"]


def test_receiver_that_compares_the_whole_header_lives_through_a_rotation(herald, serve_app):
    """The documented example takes one signature only."""
    before, after = documented_example(b"old key of it"), documented_example(b"new key of it")
    hook = herald.webhook(serve_app(before), shared_key="old key of it")
    path = f"/api/v1/webhooks/{hook['id']}"
    herald.settled(herald.send(example("node_updated")).json()["deliveries"][0])
    herald.client.patch(
        path, json={"shared_key": "new key of it", "key_rotation": {"grace": "1h"}}
    )
    for event, receiver, accepted in [
        ("node_created", before, "previous"),
        ("branch_created", after, "current"),
    ]:
        if receiver is after:
            herald.client.patch(path, json={"url": serve_app(after)})
        found = herald.settled(herald.send(example(event)).json()["deliveries"][0])
        assert found["attempts"] == 1
        shown = herald.client.get(path).json()["key_rotation"]
        assert shown["accepted"] == accepted


def test_rotation_by_the_command_line_ends_by_itself(herald, serve_app, tmp_path):
    new = tmp_path / "new.txt"
    new.write_text("the key of tomorrow\n")
    receiver = checked(github(KEY))
    herald.webhook(serve_app(receiver), shared_key=KEY, signature_profile="github")
    changed = herald.cli("webhook", "update", "hook", "--shared-key-file", new, "--grace", "3s")
    assert changed.returncode == 0, changed.stderr
    found = herald.settled(herald.send(TEXT).json()["deliveries"][0])
    assert found["attempt_list"][0]["refused_profiles"] == [{"profile": "github", "status": 401}]
    shown = json.loads(herald.cli("webhook", "get", "hook").stdout)
    assert shown["key_rotation"]["accepted"] == "previous"
    assert KEY not in json.dumps(shown)

    def ended():
        return json.loads(herald.cli("webhook", "get", "hook").stdout)["key_rotation"] is None

    wait_until(ended, what="end of the grace")
    receiver.state.check = github("the key of tomorrow")
    found = herald.settled(herald.send(example("node_updated")).json()["deliveries"][0])
    assert found["attempt_list"][0]["refused_profiles"] == []
    assert KEY not in herald.log.read_text()


def test_grace_without_another_key_is_refused(herald, recorder):
    hook = herald.webhook(recorder.url)
    for body in [
        {"key_rotation": {"grace": "1h"}},
        {"shared_key": "supersecretkey", "key_rotation": {"grace": "1h"}},
        {"shared_key": "another", "key_rotation": {"grace": "721h"}},
    ]:
        answer = herald.client.patch(f"/api/v1/webhooks/{hook['id']}", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == "/key_rotation/grace"


# The command line.

PROFILES = ["standard", "standard-ed25519", "github", "hmac", "gitlab-token", "netbox"]


@pytest.mark.parametrize("profile", PROFILES)
def test_sign_verify_and_listen_agree(herald, listener, tmp_path, profile):
    key = tmp_path / "key.txt"
    made = herald.cli("new-key", "--signature-profile", profile, "--key-file", key)
    assert made.returncode == 0, made.stderr
    named = ["--key-file", key, "--signature-profile", profile]
    signed = json.loads(herald.cli("sign", *named, EXAMPLES / "node_updated.json").stdout)
    body = signed.pop("body")
    assert signed.pop("profile") == profile
    request = tmp_path / "request.txt"
    lines = [f"{name}: {value}" for name, value in signed.items()]
    request.write_bytes(("\r\n".join(["POST / HTTP/1.1", *lines, "", ""]) + body).encode())
    verified = herald.cli("verify", *named, "--request", request)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    if profile != "hmac":
        found = herald.cli("verify", "--key-file", key, "--request", request)
        assert json.loads(found.stdout) == {"verdict": "valid", "profile": profile}
    if profile == "standard-ed25519":
        key.write_text(json.loads(made.stdout)["public_key"])
        assert herald.cli("verify", *named, "--request", request).returncode == 0
    request.write_bytes(request.read_bytes().replace(b"infrahub.node", b"infrahub.nude"))
    wrong = herald.cli("verify", *named, "--request", request)
    assert wrong.returncode == (0 if profile == "gitlab-token" else 6)


def test_listen_verifies_what_is_sent(herald, listener, key_file):
    one = listener("--key-file", key_file, "--signature-profile", "github")
    herald.webhook(one.url, signature_profile="github")
    herald.settled(herald.send(example("node_updated")).json()["deliveries"][0])
    [line] = one.lines(1)
    assert (line["signature"], line["profile"]) == ("valid", "github")
    sent = herald.cli("trigger", "--url", one.url, "--key-file", key_file)
    assert sent.returncode == 5, "another profile is not accepted"


def test_options_of_hmac_need_hmac(herald, key_file):
    done = herald.cli("sign", "--key-file", key_file, "--signature-header", "X-A", input="{}")
    assert done.returncode == 2 and "--signature-profile hmac" in done.stderr
    done = herald.cli("sign", "--key-file", key_file, "--signature-profile", "githob", input="{}")
    assert done.returncode == 2 and "did you mean github" in done.stderr
