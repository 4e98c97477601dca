"""No secret is ever in a log line, an API answer, a capture, a metric or what a command prints."""

import json
import signal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from herald_process import example, wait_until

SECRETS = {
    "token": "token-7f3a9c1e5b8d2046",
    "wrong token": "wrong-token-4c1e9f7a",
    "shared key": "shared-key-5d2b8e6f",
    "environment": "environment-value-9e4d1c",
    "authorization": "authorization-3b7f2a",
    "deploy token": "deploy-token-8c6e1d",
    "userinfo": "userinfo-password-2f9b4e",
    "query": "query-token-6a3d7c",
    "cookie": "receiver-cookie-1d8f5b",
    "refused key": "refused-key-0b9e6d",
    "refused url": "refused-url-password-7e2c",
    "bearer": "bearer-of-receiver-4d9a1b",
    "replaced bearer": "replaced-bearer-8f3c6e",
}


class Receiver:
    """Sets a cookie; with `echo` answers with what it was sent, as request inspectors do."""

    def __init__(self, status=200, echo=False):
        seen = self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                seen.append({k.lower(): v for k, v in self.headers.items()} | {"path": self.path})
                text = json.dumps(seen[-1] if echo else {"status": "seen"}).encode()
                self.send_response(status)
                self.send_header("set-cookie", f"session={SECRETS['cookie']}")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receive():
    running = []

    def start(**options):
        running.append(Receiver(**options))
        return running[-1]

    yield start
    for receiver in running:
        receiver.close()


@pytest.fixture
def guarded(make_herald):
    herald = make_herald(
        env={
            "HERALD_API_TOKEN": SECRETS["token"],
            "HERALD_LOG__LEVEL": "debug",
            "RECEIVER_PASS": SECRETS["environment"],
        }
    )
    return herald.start()


def secret_webhook(herald, address, name="secret", scheme="http"):
    url = f"{scheme}://user:{SECRETS['userinfo']}@{address}/hook?token={SECRETS['query']}&site=par1"
    return herald.webhook(
        url,
        name,
        shared_key=SECRETS["shared key"],
        retry={"preset": "none"},
        headers=[
            {"key": "Authorization", "value": f"Bearer {SECRETS['authorization']}"},
            {"key": "X-Deploy-Token", "value": SECRETS["deploy token"]},
            {"key": "X-Pass", "environment": "RECEIVER_PASS"},
        ],
    )


def outputs_of(herald, delivery, event):
    """Everything that can be read of a herald: answers of the API, of commands, the log."""
    client = herald.client
    outputs = {}
    for path in [
        "/api/v1/webhooks",
        "/api/v1/webhooks/secret",
        "/api/v1/deliveries",
        f"/api/v1/deliveries/{delivery}",
        "/api/v1/events",
        f"/api/v1/events/{event}",
        "/api/v1/stats",
        "/metrics",
    ]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        outputs[path] = answer.text + str(answer.headers)
    for words in [
        ["webhook", "list"],
        ["webhook", "get", "secret"],
        ["webhook", "update", "secret", "--description", "d"],
        ["webhook", "test", "secret"],
        ["delivery", "list"],
        ["delivery", "get", delivery],
        ["delivery", "retry", delivery, "--wait"],
        ["event", "get", event],
        ["config", "print"],
        ["config", "check"],
        ["help", "environment"],
    ]:
        for output in ["json", "yaml", "table"]:
            done = herald.cli(*words, "-o", output)
            outputs[f"{' '.join(words)} -o {output}"] = done.stdout + done.stderr
    outputs["log"] = herald.log.read_text()
    return outputs


def assert_no_secret(outputs):
    found = [
        (name, where)
        for where, text in outputs.items()
        for name, secret in SECRETS.items()
        if secret in text
    ]
    assert found == []


@pytest.mark.parametrize("status", [200, 500])
def test_nothing_that_can_be_read_holds_a_secret(guarded, receive, status):
    receiver = receive(status=status)
    hook = secret_webhook(guarded, f"127.0.0.1:{receiver.port}")
    outputs = {"created": json.dumps(hook)}
    sent = guarded.send(example("node_updated")).json()
    delivery = sent["deliveries"][0]
    wait_until(lambda: guarded.delivery(delivery)["state"] != "pending")

    # The receiver got all of them: the run would prove nothing otherwise.
    seen = json.dumps(receiver.seen[0])
    for name in ["environment", "authorization", "deploy token", "query"]:
        assert SECRETS[name] in seen, name

    outputs |= outputs_of(guarded, delivery, sent["id"])
    assert_no_secret(outputs)
    attempt = guarded.delivery(delivery)["attempt_list"][0]
    assert attempt["url"].endswith("/hook?token=***&site=par1")
    sent_headers = {k.lower(): v for k, v in attempt["request_headers"].items()}
    for header in ["authorization", "x-deploy-token", "x-pass", "webhook-signature"]:
        assert sent_headers[header] == "***", header
    answered = {k.lower(): v for k, v in attempt["response_headers"]}
    assert answered["set-cookie"] == "***"


def test_receiver_that_repeats_its_request_leaves_no_secret(guarded, receive):
    secret_webhook(guarded, f"127.0.0.1:{receive(echo=True).port}")
    sent = guarded.send(example("node_updated")).json()
    found = guarded.settled(sent["deliveries"][0])
    assert_no_secret({"capture": json.dumps(found)})


def test_requests_that_are_refused_leave_no_secret(guarded):
    url = f"http://user:{SECRETS['refused url']}@h:99999/?token={SECRETS['query']}"
    key = SECRETS["refused key"]
    bodies = [
        {"name": "a", "url": url, "shared_key": key + "\n"},
        {"name": "a", "url": "http://h/", "shared_key": key, "signature_profile": "standard"},
        {"name": "a", "url": "http://h/", "shared_key": {"value": key}},
        {
            "name": "a",
            "url": "http://h/",
            "shared_key": key,
            "headers": [{"key": "X-A", "value": SECRETS["authorization"] + "\r\n"}],
        },
    ]
    outputs = {}
    for i, body in enumerate(bodies):
        answer = guarded.client.post("/api/v1/webhooks", json=body)
        assert answer.status_code == 422, answer.text
        outputs[f"body {i}"] = answer.text
    broken = guarded.client.post(
        "/api/v1/webhooks",
        content='{"shared_key":"' + key + '","shared_key":"' + key + '"}',
        headers={"content-type": "application/json"},
    )
    outputs["twice"] = broken.text
    for headers in [
        {"authorization": f"Bearer {SECRETS['wrong token']}"},
        {"authorization": SECRETS["token"]},
        {"authorization": "", "x-infrahub-key": SECRETS["wrong token"]},
    ]:
        answer = guarded.client.get("/api/v1/webhooks", headers=headers)
        assert answer.status_code == 401
        outputs[str(list(headers))] = answer.text
    outputs["log"] = guarded.log.read_text()
    assert_no_secret(outputs)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_failures_to_connect_leave_no_secret(guarded, recorder, scheme):
    address = "127.0.0.1:9" if scheme == "http" else recorder.url.split("/")[2]
    secret_webhook(guarded, address, scheme=scheme)
    sent = guarded.send(example("node_updated")).json()
    found = guarded.settled(sent["deliveries"][0], state="failed")
    assert found["failure_class"] in ("CONNECTION", "TLS")
    assert_no_secret(outputs_of(guarded, sent["deliveries"][0], sent["id"]))


def test_variable_that_is_missing_is_named_without_the_others(guarded, recorder):
    guarded.webhook(
        recorder.url,
        "secret",
        retry={"preset": "none"},
        headers=[
            {"key": "Authorization", "value": f"Bearer {SECRETS['authorization']}"},
            {"key": "X-Pass", "environment": "RECEIVER_PASS"},
            {"key": "X-None", "environment": "NOT_THERE"},
        ],
    )
    sent = guarded.send(example("node_updated")).json()
    found = guarded.settled(sent["deliveries"][0], state="failed")
    assert found["failure_class"] == "CONFIG"
    assert "NOT_THERE" in found["attempt_list"][0]["message"]
    assert_no_secret(outputs_of(guarded, sent["deliveries"][0], sent["id"]))


def test_reloads_leave_no_secret(guarded):
    guarded.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "config.reloaded" in guarded.log.read_text())
    assert guarded.stop() == 0
    assert_no_secret({"log": guarded.log.read_text()})


def test_receiver_of_the_command_line_prints_no_secret(guarded, listener):
    receiver = listener()
    secret_webhook(guarded, receiver.url.split("/")[2])
    guarded.send(example("node_updated"))
    [line] = receiver.lines(1)
    shown = json.dumps(line)
    for name in ["authorization", "deploy token", "query", "userinfo"]:
        assert SECRETS[name] not in shown, name


def files_of(herald):
    return {
        str(path): path.read_bytes().decode("latin-1")
        for path in herald.data.rglob("*")
        if path.is_file()
    }


def test_no_file_of_the_data_folder_holds_a_secret(guarded, recorder):
    secret_webhook(guarded, recorder.url.split("/")[2])
    bearer = {"type": "bearer", "token": SECRETS["bearer"]}
    guarded.webhook(recorder.url, "bearer", authentication=bearer)
    deliveries = guarded.send(example("node_updated")).json()["deliveries"]
    for delivery in deliveries:
        guarded.settled(delivery)
    assert_no_secret(files_of(guarded))

    change = {"authentication": {"token": SECRETS["replaced bearer"]}, "active": False}
    assert guarded.client.patch("/api/v1/webhooks/bearer", json=change).status_code == 200
    shown = guarded.client.get("/api/v1/webhooks/bearer").json()
    assert shown["authentication"] == {"type": "bearer", "token": "***"}
    assert_no_secret(files_of(guarded))
    assert guarded.client.delete("/api/v1/webhooks/secret").status_code == 204
    assert_no_secret(files_of(guarded))

    # What was sealed is there again after a restart, and the log tells none of it.
    assert guarded.stop() == 0
    assert_no_secret(files_of(guarded))
    guarded.start()
    guarded.client.patch("/api/v1/webhooks/bearer", json={"active": True})
    guarded.client.post("/api/v1/webhooks/bearer/test")
    used = f"Bearer {SECRETS['replaced bearer']}"
    wait_until(lambda: recorder.requests[-1]["headers"].get("authorization") == used)
    assert_no_secret({"log": guarded.log.read_text()})


def start_fails(herald):
    """Starts it, which has to fail; the end of its log."""
    before = herald.log.stat().st_size
    with pytest.raises(AssertionError, match="herald ended"):
        herald.start()
    assert herald.process.wait() == 1
    return herald.log.read_bytes()[before:].decode()


def test_wrong_or_missing_key_stops_the_start_and_changes_nothing(make_herald, recorder):
    herald = make_herald(env={"HERALD_SECRETS_KEY": "1" * 64})
    herald.start()
    herald.webhook(recorder.url)
    assert herald.stop() == 0
    database = (herald.data / "herald.db").read_bytes()
    for env in [{"HERALD_SECRETS_KEY": "2" * 64}, {}]:
        herald.env = env
        said = start_fails(herald)
        assert "sealed with the key" in said and "HERALD_SECRETS_KEY" in said, said
        assert "1" * 64 not in said and "2" * 64 not in said
        assert (herald.data / "herald.db").read_bytes() == database
        assert not (herald.data / "secrets.key").exists()
    # The old key behind a new one: everything is sealed anew, and the old one is needed no more.
    herald.env = {"HERALD_SECRETS_KEY": "2" * 64 + "," + "1" * 64}
    herald.start()
    assert herald.stop() == 0
    herald.env = {"HERALD_SECRETS_KEY": "2" * 64}
    herald.start()
    herald.send(example("node_updated"))
    wait_until(lambda: recorder.requests, what="a request signed with the key that was sealed")


def test_references_are_read_at_send_and_shown_as_such(make_herald, recorder, tmp_path):
    folder = tmp_path / "allowed"
    folder.mkdir()
    (folder / "bearer").write_text(SECRETS["bearer"] + "\n")
    master = folder / "master"
    master.write_text("1" * 64)
    master.chmod(0o600)
    herald = make_herald(
        env={
            "HERALD_LOG__LEVEL": "debug",
            "HERALD_SECRETS__DIRECTORIES": folder,
            "HERALD_SECRETS_KEY_FILE": master,
            "RECEIVER_KEY": SECRETS["environment"],
        }
    )
    herald.start()
    token = f"file:{folder}/bearer"
    hook = herald.webhook(
        recorder.url,
        "secret",
        shared_key="env:RECEIVER_KEY",
        authentication={"type": "bearer", "token": token},
    )
    assert hook["shared_key_reference"] == "env:RECEIVER_KEY"
    assert hook["shared_key_fingerprint"] is None
    assert hook["authentication"]["token"] == token
    sent = herald.send(example("node_updated")).json()
    herald.settled(sent["deliveries"][0])
    assert recorder.requests[0]["headers"]["authorization"] == f"Bearer {SECRETS['bearer']}"
    assert_no_secret(outputs_of(herald, sent["deliveries"][0], sent["id"]) | files_of(herald))

    # Neither herald's own secrets nor other files can be had by a reference.
    refused = herald.client.patch(
        "/api/v1/webhooks/secret", json={"shared_key": "env:HERALD_SECRETS_KEY_FILE"}
    )
    assert refused.status_code == 422
    for path in [master, herald.log]:
        change = {"authentication": {"token": f"file:{path}"}, "retry": {"preset": "none"}}
        assert herald.client.patch("/api/v1/webhooks/secret", json=change).status_code == 200
        sent = herald.client.post("/api/v1/webhooks/secret/test").json()
        failed = herald.settled(sent["deliveries"][0], state="failed")
        assert failed["failure_class"] == "CONFIG"
        assert "secrets.directories" in failed["attempt_list"][0]["message"]
