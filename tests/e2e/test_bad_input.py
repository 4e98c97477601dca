"""Bad input: a clear error with the right status, nothing stored, nothing leaked, no crash."""

import json
import re
import socket
from pathlib import Path

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


def test_one_event_that_is_too_large_is_refused(herald):
    answer = herald.send({"event": "a", "data": {"x": "a" * 1_600_000}})
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("an event may have at most 1500000 bytes")
    assert stored(herald) == 0


def test_id_of_zeros_is_refused_because_it_would_be_stored_under_another(herald):
    answer = herald.send({"event": "a", "data": {}, "id": "00000000-0000-0000-0000-000000000000"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/id"]


def test_number_of_errors_in_one_answer_is_bounded(herald):
    many = {f"k{i}": 1 for i in range(1_000)}
    for answer in [
        herald.send(many),
        herald.client.post("/api/v1/webhooks", json=many),
        herald.client.get("/api/v1/events", params=many),
    ]:
        assert answer.status_code in (400, 422)
        assert 0 < len(answer.json()["errors"]) <= 32
        assert len(answer.text) < 20_000


def test_mask_is_not_taken_for_a_secret(herald):
    herald.webhook("http://127.0.0.1:1/?token=secret", active=False)
    path = "/api/v1/webhooks/hook"
    for change in [
        {"shared_key": "***"},
        {"url": "http://127.0.0.1:2/?token=***"},
        {"headers": [{"key": "Authorization", "value": "***"}]},
    ]:
        answer = herald.client.patch(path, json=change)
        assert answer.status_code == 422, answer.text
        assert "***" in answer.json()["errors"][0]["detail"]


def test_partly_bad_batch_stores_the_good_events_and_reports_each_bad_one(herald):
    good = example("branch_created")
    bad = [7, {"event": "x"}, {**good, "id": "x"}, {**good, "brnach": 1}]
    lone = b'{"event":"a","data":{"x":"\\ud800"}}'
    wrong_text = b'{"event":"a","data":{"x":"\xff"}}'
    twice = b'{"event":"a","data":{"x":1,"x":2}}'
    pieces = [json.dumps(one).encode() for one in [good, *bad]] + [lone, wrong_text, twice]
    answer = post(herald, b"[" + b",".join(pieces) + b"]")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (1, 0, 7)
    pointers = [[e["pointer"] for e in r["errors"]] for r in body["results"][1:]]
    assert pointers == [["/1"], ["/2/data"], ["/3/id"], ["/4/brnach"], ["/5"], ["/6"], ["/7"]]
    assert [r["index"] for r in body["results"][1:]] == list(range(1, 8))
    assert stored(herald) == 1
    lines = post(
        herald,
        b"\n".join([*pieces, b"{", b""]),
        {"content-type": "application/x-ndjson"},
    )
    assert lines.status_code == 202
    assert [r["status"] for r in lines.json()["results"]] == ["duplicate"] + ["rejected"] * 8
    assert "line 9" in lines.json()["results"][8]["errors"][0]["detail"]
    assert stored(herald) == 1


def test_broken_array_stores_nothing(herald):
    good = json.dumps(example("branch_created")).encode()
    assert post(herald, b"[" + good + b",{]").status_code == 400
    assert post(herald, b"[" + good).status_code == 400
    assert post(herald, b"[" + good + b"] {}").status_code == 400
    assert stored(herald) == 0


def resident_bytes(herald):
    text = Path(f"/proc/{herald.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) * 1024


def test_body_that_is_too_large_is_refused_before_it_is_read(herald):
    host, port = herald.url.removeprefix("http://").split(":")
    before = resident_bytes(herald)
    head = (
        b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head + b"Content-Length: 2000000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(200):
                connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
    assert resident_bytes(herald) - before < 64 * 1024 * 1024
    assert herald.client.get("/livez").status_code == 200
