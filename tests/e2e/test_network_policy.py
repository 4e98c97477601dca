"""Where herald does not call, and how it notices that it calls itself (docs/network-policy.md)."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from herald_process import example, wait_until

TOKEN = "a-token-of-the-network-tests"


class Forwarder:
    """A proxy in front of herald, as nginx would be: another port, the same requests."""

    def __init__(self, target):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                answer = httpx.post(target + self.path, content=body, headers=headers)
                self.send_response(answer.status_code)
                for name in ["content-type", "content-length", "herald-node"]:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def create(herald, url, name="hook"):
    return herald.client.post(
        "/api/v1/webhooks",
        json={
            "name": name,
            "kind": "custom",
            "url": url,
            "event_type": "all",
            "branch_scope": "all_branches",
            "retry": {"preset": "none"},
        },
    )


def why_refused(answer):
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/url"
    return error["detail"]


def send_one(herald):
    sent = herald.send(example("node_updated"))
    assert sent.status_code == 202, sent.text
    (delivery,) = sent.json()["deliveries"]
    return delivery


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://0xa9fea9fe/", "http://[::ffff:169.254.169.254]/"]
)
def test_metadata_address_is_refused_when_it_is_written(herald, url):
    assert "169.254.169.254 is the metadata address" in why_refused(create(herald, url))


def test_own_listener_is_refused_when_it_is_written_and_when_it_is_called(herald):
    port = herald.url.rsplit(":", 1)[1]
    for host in ["127.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost"]:
        url = f"http://{host}:{port}/api/v1/events"
        assert "where herald itself listens" in why_refused(create(herald, url)), host


def test_delivery_that_comes_back_through_a_proxy_is_a_loop(herald):
    proxy = Forwarder(herald.url)
    try:
        assert create(herald, proxy.url).status_code == 201
        delivery = herald.settled(send_one(herald), "failed")
        (attempt,) = delivery["attempt_list"]
        assert attempt["status"] == 508
        assert attempt["failure_class"] == "CONFIG"
        assert "leads back to this herald" in attempt["message"]
        assert len(herald.client.get("/api/v1/events?event=infrahub.*").json()["items"]) == 1
    finally:
        proxy.close()


def test_two_heralds_that_send_to_each_other_do_not_loop(make_herald):
    heralds = [make_herald().start(), make_herald().start()]
    for one, other in [heralds, heralds[::-1]]:
        assert create(one, f"{other.url}/api/v1/events").status_code == 201
    first = send_one(heralds[0])
    heralds[0].settled(first)

    def sent_back():
        items = heralds[1].client.get("/api/v1/deliveries").json()["items"]
        return len(items) == 1 and items[0]["state"] == "delivered"

    wait_until(sent_back, what="the delivery back")
    for herald in heralds:
        assert len(herald.client.get("/api/v1/events").json()["items"]) == 1
        assert len(herald.client.get("/api/v1/deliveries").json()["items"]) == 1


def test_loopback_is_closed_on_a_herald_that_others_reach_unless_it_is_allowed(
    make_herald, recorder
):
    env = {"HERALD_API_TOKEN": TOKEN}
    wide = make_herald(env=env)
    wide.host = "0.0.0.0"
    wide.start()
    assert "name it in network.allow" in why_refused(create(wide, recorder.url))
    opened = make_herald(env={**env, "HERALD_NETWORK__ALLOW": "127.0.0.0/8"})
    opened.host = "0.0.0.0"
    opened.start()
    assert create(opened, recorder.url).status_code == 201
    opened.settled(send_one(opened))
    port = opened.url.rsplit(":", 1)[1]
    for address in ["127.0.0.1", "127.0.0.9", "[::1]"]:
        url = f"http://{address}:{port}/"
        assert "where herald itself listens" in why_refused(create(opened, url, "own"))


def test_delivery_and_webhook_test_are_refused_by_the_address_of_the_name(make_herald, recorder):
    herald = make_herald().start()
    assert create(herald, recorder.url.replace("127.0.0.1", "localhost")).status_code == 201
    herald.stop()
    herald.env["HERALD_NETWORK__DENY"] = "127.0.0.0/8,::1"
    herald.start()
    delivery = herald.settled(send_one(herald), "failed")
    (attempt,) = delivery["attempt_list"]
    assert attempt["failure_class"] == "CONFIG"
    assert attempt["message"].startswith("The network policy refuses the host localhost: ")
    assert "in network.deny" in attempt["message"]
    done = herald.cli("webhook", "test", "hook", "-o", "json")
    assert done.returncode == 5, done.stderr
    assert "in network.deny" in done.stdout
    assert recorder.requests == []


def test_wrong_entry_is_named_with_its_key_and_the_fix(make_herald):
    herald = make_herald()
    done = herald.cli("config", "check", env={"HERALD_NETWORK__DENY": "10.0.0.1/8"})
    assert done.returncode == 2
    assert "network.deny" in done.stderr and "write 10.0.0.0/8" in done.stderr
    done = herald.cli("config", "print", env={"HERALD_NETWORK__ALLOW": "*.lab.example,::1"})
    assert '[network]\nallow = ["*.lab.example", "::1"]' in done.stdout
    schema = json.loads(herald.cli("config", "schema").stdout)
    assert schema["properties"]["network"]["properties"]["deny"]["type"] == "array"
