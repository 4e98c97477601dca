"""Bad input: a clear error with the right status, nothing stored, nothing leaked, no crash."""

import json
import socket

import pytest

from herald_process import example

JSON = {"content-type": "application/json"}


def stored(herald):
    answer = herald.client.get("/api/v1/events", params={"count": "true"})
    return answer.json()["count"]["value"]


def post(herald, content, headers=JSON):
    return herald.client.post("/api/v1/events", content=content, headers=headers)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "value"),
        (b"{", 400, "byte 1"),
        (b"[1,]", 400, "comma"),
        (b"\xef\xbb\xbf{}", 400, "byte order mark"),
        (b"[" * 100_000, 400, ""),
        (b'{"data":' * 200 + b"1" + b"}" * 200, 422, "nested"),
        (b'{"event":"a\xff"}', 422, "UTF-8"),
        (b'{"event":"\\ud83d"}', 422, "surrogate"),
        (b'{"event":"a","event":"b"}', 422, "duplicate key"),
        (b"[]", 400, "empty"),
        (b"7", 422, "object"),
    ],
)
def test_broken_and_ambiguous_json_is_refused(herald, body, status, says):
    answer = post(herald, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert says in answer.text
    assert stored(herald) == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": "no-uuid"}, "/id"),
        ({"id": 7}, "/id"),
        ({"event": ""}, "/event"),
        ({"event": "a b"}, "/event"),
        ({"event": "x" * 300}, "/event"),
        ({"data": [1]}, "/data"),
        ({"branch": 5}, "/branch"),
        ({"account_id": {}}, "/account_id"),
        ({"occured_at": "yesterday"}, "/occured_at"),
        ({"occured_at": "2025-02-30 10:00:00+00:00"}, "/occured_at"),
        ({"brnach": "main"}, "/brnach"),
    ],
)
def test_wrong_field_is_named(herald, change, pointer):
    answer = herald.send({**example("branch_created"), **change})
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert stored(herald) == 0


def test_numbers_of_any_size_pass_as_they_are(herald, recorder):
    herald.webhook(recorder.url, signature_profile="infrahub")
    event = json.dumps({**example("branch_created"), "data": {"n": 0}}, separators=(",", ":"))
    event = event.replace('"n":0', '"n":123456789012345678901234567890,"f":1e400,"z":-0.0,"e":1E5')
    answer = post(herald, event)
    assert answer.status_code == 202, answer.text
    herald.settled(answer.json()["deliveries"][0])
    assert b'"n":123456789012345678901234567890,"f":1e400,"z":-0.0,"e":1E5' in (
        recorder.requests[0]["body"]
    )


def test_large_body_is_refused(herald):
    answer = post(herald, b'{"event":"' + b"a" * 25_000_000 + b'"}')
    assert answer.status_code == 413
    assert stored(herald) == 0


def test_million_element_batch_is_refused(herald):
    answer = post(herald, b"[" + b",".join([b"{}"] * 1_000_000) + b"]")
    assert answer.status_code == 413, answer.text
    assert "10000" in answer.text
    assert stored(herald) == 0


def test_wrong_media_type_is_refused(herald):
    answer = post(herald, b"{}", {"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": 7}, "/name"),
        ({"url": "ftp://x"}, "/url"),
        ({"url": "http://"}, "/url"),
        ({"url": "http://a b/"}, "/url"),
        ({"event_type": []}, "/event_type"),
        ({"branch_scope": "some"}, "/branch_scope"),
        ({"event_type": "infrahub.branch.created", "node_kind": "InfraDevice"}, "/node_kind"),
        ({"headers": [{"key": "X-A", "value": "a\r\nX-B: c"}]}, "/headers/0/value"),
        ({"headers": [{"key": "X A", "value": "a"}]}, "/headers/0/key"),
        ({"headers": [{"key": "Host", "value": "a"}]}, "/headers/0/key"),
        ({"headers": [{"key": "webhook-id", "value": "a"}]}, "/headers/0/key"),
        ({"headers": [{"key": "X-A", "value": "a\x00"}]}, "/headers/0/value"),
        ({"timeout": 0}, "/timeout"),
        ({"retry": {"preset": "often"}}, "/retry/preset"),
        ({"shared_key": None}, "/shared_key"),
        ({"signature_profile": "standard"}, "/signature_profile"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_wrong_attribute_of_a_webhook_is_named(herald, change, pointer):
    body = {"name": "a", "url": "http://127.0.0.1:1/", "shared_key": "supersecretkey", **change}
    answer = herald.client.post("/api/v1/webhooks", json=body)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text
    assert herald.client.get("/api/v1/webhooks").json()["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/events?limit=0",
        "/api/v1/events?limit=251",
        "/api/v1/events?cursor=abc",
        "/api/v1/events?brnach=main",
        "/api/v1/events?since=today",
        "/api/v1/events?level=-1",
        "/api/v1/events?order=up",
        "/api/v1/deliveries?state=gone",
        "/api/v1/deliveries?class=OOPS",
    ],
)
def test_wrong_query_is_refused(herald, path):
    answer = herald.client.get(path)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]


def test_cursor_of_another_list_is_refused(herald):
    for i in range(3):
        herald.send({**example("branch_created"), "id": f"00000000-0000-4000-8000-00000000000{i}"})
    cursor = herald.client.get("/api/v1/events?limit=1").json()["next_cursor"]
    assert herald.client.get("/api/v1/events", params={"cursor": cursor}).status_code == 200
    assert herald.client.get("/api/v1/deliveries", params={"cursor": cursor}).status_code == 400


def test_unknown_paths_and_methods(herald):
    assert herald.client.get("/api/v1/nothing").status_code == 404
    answer = herald.client.delete("/api/v1/events")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert herald.client.get("/api/v1/events/not-an-id").status_code in (400, 404)
    assert herald.client.get("/api/v1/deliveries/msg_1").status_code in (400, 404)


def test_foreign_host_and_origin_are_refused_without_a_token(herald):
    assert (
        herald.client.get("/api/v1/webhooks", headers={"host": "evil.example"}).status_code == 403
    )
    answer = herald.client.get("/api/v1/webhooks", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


def test_token_is_needed_when_there_is_one(make_herald):
    token = "0123456789abcdef0123456789abcdef"
    herald = make_herald(env={"HERALD_API_TOKEN": token}).start()
    import httpx

    assert httpx.get(f"{herald.url}/api/v1/webhooks").status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert httpx.get(f"{herald.url}/api/v1/webhooks", headers=wrong).status_code == 401
    infrahub = {"X-INFRAHUB-KEY": token}
    assert httpx.get(f"{herald.url}/api/v1/webhooks", headers=infrahub).status_code == 200
    assert httpx.get(f"{herald.url}/livez").status_code == 200
    assert herald.client.get("/api/v1/webhooks").status_code == 200
    assert token not in herald.log.read_text()


def test_no_secret_in_answers_and_log(herald, recorder):
    hook = herald.webhook(
        recorder.url + "?token=query-secret",
        headers=[{"key": "Authorization", "value": "Bearer header-secret"}],
    )
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    herald.settled(delivery)
    texts = [
        json.dumps(hook),
        herald.client.get("/api/v1/webhooks").text,
        herald.client.get(f"/api/v1/deliveries/{delivery}").text,
        herald.client.get("/metrics").text,
        herald.log.read_text(),
    ]
    for secret in ["supersecretkey", "query-secret", "header-secret"]:
        assert all(secret not in text for text in texts), secret
    assert recorder.requests[0]["headers"]["authorization"] == "Bearer header-secret"
    assert recorder.requests[0]["path"] == "/hook?token=query-secret"


def test_garbage_on_the_socket_does_no_harm(herald):
    host, port = herald.url.removeprefix("http://").split(":")
    for garbage in [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"\x00" * 10_000,
        b"POST / HTTP/9\r\n\r\n",
    ]:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(garbage)
            connection.settimeout(5)
            try:
                connection.recv(1000)
            except (TimeoutError, ConnectionError):
                pass
    assert herald.client.get("/livez").status_code == 200
