"""The server as it is configured, reloaded, guarded and stopped."""

import json
import signal
import socket
import subprocess
import time

import httpx
import pytest

from herald_process import HERALD, clean_environment, example, wait_until

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


def log_lines(herald):
    return [json.loads(line) for line in herald.log.read_text().splitlines()]


def events_of_log(herald):
    return [line["event"] for line in log_lines(herald)]


def metric(herald, name, **kwargs):
    """The value of the only series of that name."""
    text = httpx.get(f"{herald.url}/metrics", **kwargs).text
    [value] = [line.split()[-1] for line in text.splitlines() if line.startswith(name)]
    return float(value)


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def serve(*args, env=None, seconds=10):
    """A `herald serve` that is expected to end at once."""
    return subprocess.run(
        [HERALD, "serve", *map(str, args)],
        capture_output=True,
        text=True,
        env=clean_environment(**(env or {})),
        timeout=seconds,
    )


@pytest.fixture
def configured(make_herald, tmp_path):
    """A herald with a configuration file, and what writes that file."""
    file = tmp_path / "herald.toml"

    def write(text):
        file.write_text(text)

    write("")
    herald = make_herald(args=("--config", file))
    herald.write = write
    return herald


def reload(herald):
    before = len(events_of_log(herald))
    herald.process.send_signal(signal.SIGHUP)
    return wait_until(
        lambda: [
            line
            for line in log_lines(herald)[before:]
            if line["event"] in ("config.reloaded", "config.reload_failed")
        ]
    )[0]


# Reload.


def test_sighup_puts_new_tokens_and_levels_in_force(configured):
    configured.write(f'[api]\ntokens = ["{TOKEN}"]\n')
    configured.start()
    old, new = {"X-INFRAHUB-KEY": TOKEN}, {"X-INFRAHUB-KEY": OTHER}
    path = f"{configured.url}/api/v1/webhooks"
    assert httpx.get(path, headers=old).status_code == 200
    assert metric(configured, "herald_config_last_reload_successful ", headers=old) == 1
    configured.write(f'[api]\ntokens = ["{OTHER}"]\n[log]\nlevel = "error"\n')
    configured.process.send_signal(signal.SIGHUP)
    wait_until(lambda: httpx.get(path, headers=old).status_code == 401)
    assert events_of_log(configured)[-1] != "config.reloaded", "the new level holds for it"
    assert httpx.get(path, headers=new).status_code == 200


def test_sighup_with_a_wrong_file_keeps_the_old_configuration(configured):
    configured.write(f'[api]\ntokens = ["{TOKEN}"]\n')
    configured.start()
    headers = {"X-INFRAHUB-KEY": TOKEN}
    began = metric(
        configured, "herald_config_last_reload_success_timestamp_seconds ", headers=headers
    )
    assert abs(began - time.time()) < 60
    for wrong in ['lisen = "x"\n', "[api\n", '[api]\ntokens = ["short"]\n']:
        configured.write(wrong)
        line = reload(configured)
        assert line["event"] == "config.reload_failed" and line["level"] == "error"
        assert "herald.toml" in line["error"]
        assert metric(configured, "herald_config_last_reload_successful ", headers=headers) == 0
    configured.write(f'[api]\ntokens = ["{TOKEN}"]\n')
    assert reload(configured)["event"] == "config.reloaded"
    assert metric(configured, "herald_config_last_reload_successful ", headers=headers) == 1


def test_sighup_does_not_drop_the_token_of_a_wide_listener(make_herald, tmp_path):
    file = tmp_path / "herald.toml"
    file.write_text(f'[api]\ntokens = ["{TOKEN}"]\n')
    herald = make_herald(args=("--config", file))
    herald.host = "0.0.0.0"
    herald.start()
    file.write_text("")
    line = reload(herald)
    assert line["event"] == "config.reload_failed"
    port = herald.url.rsplit(":", 1)[1]
    assert httpx.get(f"http://127.0.0.1:{port}/api/v1/webhooks").status_code == 401


def test_sighup_says_what_needs_a_restart(configured):
    configured.start()
    assert reload(configured)["needs_restart"] == ""
    configured.write('default_branch = "trunk"\n[store]\nsegment_events = 1000\n')
    for _ in range(2):
        line = reload(configured)
        assert line["needs_restart"] == "default_branch,store.segment_events"


def test_sighup_answers_everything_in_hand(configured, recorder):
    configured.start()
    configured.webhook(recorder.url)
    for i in range(20):
        configured.process.send_signal(signal.SIGHUP)
        event = {**example("node_updated"), "id": f"00000000-0000-4000-8000-0000000000{i:02}"}
        assert configured.send(event).status_code == 202
    wait_until(lambda: len(recorder.requests) == 20)


# Stop.


def test_sigterm_finishes_what_is_in_flight(make_herald, recorder):
    herald = make_herald().start()
    recorder.delay = 1.0
    herald.webhook(recorder.url)
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: recorder.requests)
    assert herald.stop() == 0
    ended = events_of_log(herald)
    assert "herald.stopping" in ended and ended[-1] == "herald.stopped"
    herald.start()
    assert herald.delivery(delivery)["state"] == "delivered"
    assert herald.delivery(delivery)["attempts"] == 1
    assert len(recorder.requests) == 1


def test_sigterm_keeps_for_later_what_does_not_finish_in_time(make_herald, recorder):
    herald = make_herald(env={"HERALD_SHUTDOWN_GRACE": "300ms"}).start()
    recorder.delay = 5.0
    herald.webhook(recorder.url)
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: recorder.requests)
    began = time.monotonic()
    assert herald.stop() == 0
    assert time.monotonic() - began < 4
    recorder.delay = 0
    herald.start()
    herald.settled(delivery)
    assert recorder.ids() == [delivery, delivery], "the same id both times"


def test_sigterm_answers_the_request_that_is_being_served(make_herald):
    herald = make_herald().start()
    host, port = herald.url.removeprefix("http://").split(":")
    body = json.dumps(example("node_updated")).encode()
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = (
            "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:10])
        time.sleep(0.2)
        herald.process.terminate()
        time.sleep(0.2)
        connection.sendall(body[10:])
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")
    assert herald.process.wait(timeout=10) == 0


def test_second_signal_ends_at_once(make_herald, recorder):
    herald = make_herald().start()
    recorder.delay = 20.0
    herald.webhook(recorder.url, timeout=30)
    herald.send(example("node_updated"))
    wait_until(lambda: recorder.requests)
    herald.process.terminate()
    wait_until(lambda: "herald.stopping" in events_of_log(herald))
    herald.process.terminate()
    assert herald.process.wait(timeout=5) == -signal.SIGTERM


def test_interrupt_stops_as_sigterm_does(make_herald):
    herald = make_herald().start()
    herald.process.send_signal(signal.SIGINT)
    assert herald.process.wait(timeout=10) == 0


def test_service_manager_is_told(make_herald, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(10)
        herald = make_herald(env={"NOTIFY_SOCKET": path}).start()
        assert notify.recv(100) == b"READY=1"
        herald.process.terminate()
        assert notify.recv(100) == b"STOPPING=1"
        herald.process.wait(timeout=10)


# Who may come in.


def test_without_a_token_only_loopback_is_listened_on(tmp_path):
    for address in ["0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"]:
        done = serve("--listen", address, "--data-dir", tmp_path / "data")
        assert done.returncode == 2, address
        assert "HERALD_API_TOKEN" in done.stderr
    assert not (tmp_path / "data").exists()
    done = serve(env={"HERALD_LISTEN": "0.0.0.0:0", "HERALD_DATA_DIR": tmp_path / "data"})
    assert done.returncode == 2


def test_empty_token_file_does_not_open_the_server(tmp_path):
    (tmp_path / "token").write_text("\n")
    done = serve(env={"HERALD_API_TOKEN_FILE": tmp_path / "token"})
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_tokens_come_from_a_file_and_open_by_either_header(make_herald, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN},{OTHER}\n")
    herald = make_herald(env={"HERALD_API_TOKEN_FILE": tmp_path / "token"}).start()
    path = f"{herald.url}/api/v1/webhooks"
    for token in [TOKEN, OTHER]:
        assert httpx.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert httpx.get(path, headers={"X-INFRAHUB-KEY": token}).status_code == 200
    refused = httpx.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    for path in ["/metrics", "/api/openapi.json", "/api/v1/stats", "/nothing"]:
        assert httpx.get(herald.url + path).status_code == 401, path
    for path in ["/livez", "/readyz"]:
        assert httpx.get(herald.url + path).status_code == 200, path
    done = herald.cli("webhook", "list", "--token-file", tmp_path / "token")
    assert done.returncode == 0, done.stderr


def test_pages_of_a_browser_cannot_use_a_server_without_a_token(make_herald):
    herald = make_herald(env={"HERALD_API__ALLOWED_HOSTS": "herald.example"}).start()
    port = herald.url.rsplit(":", 1)[1]
    event = example("node_updated")
    for headers, status in [
        ({"host": f"localhost:{port}"}, 202),
        ({"host": "herald.example"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": f"127.0.0.1.nip.example:{port}"}, 403),
        ({"origin": f"http://127.0.0.1:{port}"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ]:
        answer = herald.client.post("/api/v1/events", json=event, headers=headers)
        assert answer.status_code == status, (headers, answer.text)
    assert herald.client.get("/metrics", headers={"host": "rebound.example"}).status_code == 403
    # A form of another page can send this type without asking first: it is not taken.
    form = {"content-type": "text/plain"}
    assert herald.client.post("/api/v1/events", content="{}", headers=form).status_code == 415


# Start.


def test_everything_has_a_default(tmp_path):
    process = subprocess.Popen(
        [HERALD, "serve"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
        text=True,
    )
    line = json.loads(process.stderr.readline())
    process.terminate()
    stdout, rest = process.communicate(timeout=10)
    if "Address already in use" in rest:
        pytest.skip("the default port is taken on this machine")
    assert line["event"] == "herald.started"
    assert line["url"] == "http://127.0.0.1:8300"
    assert (tmp_path / "herald-data").is_dir()
    assert stdout == "", "the log is on stderr"
    assert process.returncode == 0


def test_address_or_folder_in_use_is_named(make_herald, tmp_path):
    herald = make_herald().start()
    port = herald.url.rsplit(":", 1)[1]
    done = serve("--listen", f"127.0.0.1:{port}", "--data-dir", tmp_path / "other")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and "in use" in done.stderr
    done = serve("--listen", "127.0.0.1:0", "--data-dir", herald.data)
    assert done.returncode == 1
    assert "in use by another herald" in done.stderr


def test_default_branch_is_configuration(make_herald, recorder):
    herald = make_herald(env={"HERALD_DEFAULT_BRANCH": "trunk"}).start()
    herald.webhook(recorder.url, branch_scope="default_branch")
    event = example("node_updated")
    assert herald.send({**event, "branch": "main"}).json()["deliveries"] == []
    moved = {**event, "branch": "trunk", "id": "00000000-0000-4000-8000-000000000001"}
    [delivery] = herald.send(moved).json()["deliveries"]
    herald.settled(delivery)


def test_log_is_json_lines_with_levels(make_herald, recorder):
    recorder.script = [500]
    herald = make_herald(env={"HERALD_LOG__LEVEL": "debug"}).start()
    herald.webhook(recorder.url, name='a "name"', retry={"preset": "none"})
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery, state="failed")
    assert herald.stop() == 0
    lines = log_lines(herald)
    for line in lines:
        assert {"ts", "level", "event"} <= line.keys()
        assert line["level"] in ("debug", "info", "warn", "error")
    assert any(line.get("webhook") == 'a "name"' for line in lines)


def test_log_level_holds(make_herald):
    herald = make_herald().start()
    port = int(herald.url.rsplit(":", 1)[1])
    herald.stop()
    assert "herald.started" in events_of_log(herald)
    quiet = subprocess.Popen(
        [HERALD, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", herald.data],
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(HERALD_LOG__LEVEL="error"),
    )
    wait_until(lambda: answers(f"{herald.url}/livez"))
    quiet.terminate()
    _, text = quiet.communicate(timeout=10)
    assert text == "" and quiet.returncode == 0


def test_ready_once_it_has_started(make_herald):
    herald = make_herald().start()
    assert herald.client.get("/readyz").json() == {"status": "ready"}
    assert herald.client.get("/livez").json() == {"status": "alive"}
