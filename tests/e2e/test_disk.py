"""A full, read-only or broken disk: nothing false is acknowledged, nothing is lost, and what can
heal heals without a restart."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from herald_process import example, wait_until
from receivers import Recorder


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The library that fails in the disk's place."""
    library = tmp_path_factory.mktemp("shim") / "faulty_disk.so"
    source = Path(__file__).parent / "faulty_disk.c"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


class Disk:
    def __init__(self, herald, shim):
        self.fault = herald.folder / "fault"
        herald.env |= {
            "LD_PRELOAD": shim,
            "FAULTY_DISK": self.fault,
            "FAULTY_DISK_FOLDER": herald.data,
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }

    def fail(self, how):
        """full, read-only or no-sync."""
        self.fault.with_suffix(".new").write_text(how)
        self.fault.with_suffix(".new").rename(self.fault)

    def heal(self):
        self.fault.unlink()


@pytest.fixture
def on_disk(make_herald, shim):
    # Small segments, so that a full disk also meets the making of new ones.
    herald = make_herald(env={"HERALD_STORE__SEGMENT_EVENTS": "16"})
    return herald, Disk(herald, shim)


def fresh_event():
    return {**example("node_updated"), "id": str(uuid.uuid4())}


@pytest.mark.parametrize("fault, status", [("full", 507), ("read-only", 503)])
def test_disk_that_cannot_be_written_refuses_loses_nothing_and_heals(on_disk, fault, status):
    herald, disk = on_disk
    receiver = Recorder()
    herald.start()
    herald.webhook(receiver.url)
    accepted = []

    def send():
        event = fresh_event()
        answer = herald.send(event)
        if answer.status_code == 202:
            accepted.append(event["id"])
        return event["id"], answer

    for _ in range(20):
        assert send()[1].status_code == 202
    wait_until(lambda: len(receiver.requests) == 20, what="arrival before the fault")
    refused = []
    receiver.delay = 0.3
    assert send()[1].status_code == 202
    wait_until(lambda: len(receiver.requests) == 21, what="a request on its way")
    disk.fail(fault)
    for _ in range(20):
        identity, answer = send()
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        refused.append(identity)
    changed = herald.client.post(
        "/api/v1/webhooks",
        json={"name": "other", "url": receiver.url, "event_type": "all", "shared_key": "k"},
    )
    assert changed.status_code == status
    # Reading goes on.
    assert len(herald.client.get("/api/v1/events").json()["items"]) == 21
    assert herald.client.get("/livez").status_code == 200
    assert herald.process.poll() is None, "it lives"

    receiver.delay = 0
    disk.heal()
    wait_until(lambda: send()[1].status_code == 202, what="healing without a restart")
    for _ in range(20):
        assert send()[1].status_code == 202
    wait_until(lambda: set(receiver.event_ids()) == set(accepted), what="every arrival")
    assert not set(refused) & set(receiver.event_ids()), "what was refused was not stored"
    pending = {"state": "pending", "limit": 1}
    wait_until(
        lambda: not herald.client.get("/api/v1/deliveries", params=pending).json()["items"],
        what="the outcomes, also that of the request that was on its way",
    )
    assert sorted(receiver.event_ids()) == sorted(accepted), "nothing was sent twice"
    receiver.close()


def test_nothing_is_acknowledged_that_is_not_synced(on_disk, recorder):
    herald, disk = on_disk
    herald.start()
    herald.webhook(recorder.url)
    assert herald.send(fresh_event()).status_code == 202
    wait_until(lambda: recorder.requests, what="arrival")
    disk.fail("no-sync")
    event = fresh_event()
    answer = None
    try:
        answer = herald.send(event)
    except Exception:  # the process may be gone before it answers
        pass
    assert answer is None or answer.status_code >= 500
    assert herald.process.wait(timeout=20) != 0, "what is on disk is unknown: it ends"
    disk.heal()
    herald.start()
    # Nobody was told that it was stored; told again, it is stored and sent once.
    assert herald.send(event).status_code in (200, 202)
    wait_until(lambda: event["id"] in recorder.event_ids(), what="arrival")


def test_disk_that_is_full_at_the_start_is_said(on_disk):
    herald, disk = on_disk
    herald.data.mkdir()
    disk.fail("full")
    with pytest.raises(AssertionError, match="herald ended"):
        herald.start()
    assert herald.process.wait() == 1
    assert "the disk is full" in herald.log.read_text() or "No space left" in herald.log.read_text()
    disk.heal()
    herald.start()
    assert herald.send(fresh_event()).status_code == 202


@pytest.mark.parametrize("name", ["herald.db", "segments/000001.db"])
@pytest.mark.parametrize("damage", ["torn", "overwritten", "no header", "emptied"])
def test_damaged_file_at_the_start_is_named_and_changes_nothing(make_herald, name, damage):
    herald = make_herald()
    herald.start()
    herald.webhook("http://127.0.0.1:9/")
    for _ in range(50):
        herald.send(fresh_event())
    assert herald.stop() == 0
    path = herald.data / name
    good = path.read_bytes()
    bad = {
        "torn": good[: len(good) // 2 - 100],
        "overwritten": b"x" * len(good),
        "no header": bytes(100) + good[100:],
        "emptied": b"",
    }[damage]
    path.write_bytes(bad)
    offset = herald.log.stat().st_size
    with pytest.raises(AssertionError, match="herald ended"):
        herald.start()
    assert herald.process.wait() == 1, "an answer, not a crash"
    said = herald.log.read_bytes()[offset:].decode()
    assert name in said, said
    path.write_bytes(good)
    herald.start()
    assert len(herald.client.get("/api/v1/events").json()["items"]) == 50


def test_torn_write_ahead_log_is_cut_to_what_is_whole(make_herald, recorder):
    herald = make_herald()
    herald.start()
    herald.webhook(recorder.url)
    events = [fresh_event() for _ in range(10)]
    for event in events:
        assert herald.send(event).status_code == 202
    wait_until(lambda: len(recorder.requests) == 10, what="arrival")
    herald.kill()
    wal = herald.data / "segments" / "000001.db-wal"
    # As a power cut in the middle of a write leaves it: half of the last frame.
    with open(wal, "r+b") as file:
        file.truncate(wal.stat().st_size - 4_000)
    herald.start()
    assert herald.client.get(f"/api/v1/events/{events[0]['id']}").status_code == 200
    assert herald.send(fresh_event()).status_code == 202


def test_terminate_with_slow_requests_ends_within_the_grace_and_releases_them(make_herald):
    receiver = Recorder(delay=60)
    herald = make_herald(env={"HERALD_SHUTDOWN_GRACE": "1s"})
    herald.start()
    herald.webhook(receiver.url, timeout=90)
    deliveries = [herald.send(fresh_event()).json()["deliveries"][0] for _ in range(5)]
    wait_until(lambda: len(receiver.requests) == 5, what="the requests")
    herald.process.terminate()
    assert herald.process.wait(timeout=15) == 0
    assert sorted(receiver.ids()) == sorted(deliveries)
    receiver.delay = 0
    herald.start()
    for delivery in deliveries:
        herald.settled(delivery)
    assert sorted(receiver.ids()) == sorted(deliveries * 2), "released, and under the same ids"
    receiver.close()
