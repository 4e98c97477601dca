"""Nothing that was acknowledged is lost, whenever the process dies."""

import json
import random
import shutil
import threading
import time
import uuid

import httpx

from herald_process import Herald, example, wait_until
from receivers import Recorder

ROUNDS = 100


def sender(url, stop, acknowledged, seed):
    """Sends batches of fresh events until `stop`, noting which ids herald acknowledged."""
    rng = random.Random(seed)
    template = example("node_updated")
    with httpx.Client(timeout=5) as client:
        while not stop.is_set():
            batch = [
                {**template, "id": str(uuid.UUID(int=rng.getrandbits(128), version=4))}
                for _ in range(rng.randrange(1, 20))
            ]
            try:
                answer = client.post(f"{url}/api/v1/events", json=batch)
            except httpx.HTTPError:
                return
            if answer.status_code == 202:
                for result in answer.json()["results"]:
                    assert result["status"] == "accepted", result
                    acknowledged[result["id"]] = result["deliveries"][0]
            time.sleep(0.01)  # the receiver, in Python, is the slower one: leave it a chance


def test_every_acknowledged_event_arrives_over_a_hundred_kills(tmp_path):
    receiver = Recorder()
    # Small segments, so that kills also meet sealing.
    herald = Herald(tmp_path, env={"HERALD_STORE__SEGMENT_EVENTS": "256"}).start()
    herald.webhook(
        receiver.url,
        signature_profile="infrahub",
        retry={"delays": ["0s"] + ["1s"] * 30, "jitter": 0},
    )
    rng = random.Random(7)
    acknowledged = {}
    try:
        for round_number in range(ROUNDS):
            stop = threading.Event()
            threads = [
                threading.Thread(
                    target=sender, args=(herald.url, stop, acknowledged, round_number * 10 + i)
                )
                for i in range(2)
            ]
            for thread in threads:
                thread.start()
            time.sleep(rng.uniform(0.01, 0.25))
            herald.kill()
            stop.set()
            for thread in threads:
                thread.join()
            herald.start()
        assert len(acknowledged) > ROUNDS, "the test has to have sent something"

        def all_arrived():
            return set(acknowledged) <= set(receiver.event_ids())

        wait_until(all_arrived, 60, "arrival of every acknowledged event")

        # Ids stay stable: an event has one webhook-id, that of its acknowledgement, however often
        # it was sent.
        with receiver.lock:
            requests = list(receiver.requests)
        sent_as = {}
        for request in requests:
            event_id = json.loads(request["body"])["id"]
            sent_as.setdefault(event_id, set()).add(request["headers"]["webhook-id"])
        assert all(len(ids) == 1 for ids in sent_as.values())
        for event_id, delivery in acknowledged.items():
            assert sent_as[event_id] == {delivery}
        wait_until(
            lambda: herald.client.get(
                "/api/v1/deliveries", params={"state": "pending", "limit": 1}
            ).json()["items"]
            == [],
            60,
            "settlement of every delivery",
        )
    finally:
        herald.stop()
        receiver.close()


def test_parallel_sends_of_one_event_store_and_deliver_it_once(herald, recorder):
    herald.webhook(recorder.url)
    event = example("node_created")
    statuses = []
    lock = threading.Lock()

    def send():
        answer = herald.send(event)
        with lock:
            statuses.append(answer.json()["status"])

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == ["accepted"] + ["duplicate"] * 19
    wait_until(lambda: recorder.requests, what="arrival")
    time.sleep(0.3)
    assert len(recorder.requests) == 1


def test_terminate_finishes_the_request_in_hand(tmp_path):
    receiver = Recorder(delay=1.0)
    herald = Herald(tmp_path).start()
    herald.webhook(receiver.url)
    [delivery] = herald.send(example("node_updated")).json()["deliveries"]
    wait_until(lambda: receiver.requests, what="the request")
    assert herald.stop() == 0
    herald.start()
    assert herald.delivery(delivery)["state"] == "delivered"
    assert len(receiver.requests) == 1
    herald.stop()
    receiver.close()


def test_second_process_on_the_same_data_is_refused(herald):
    second = Herald(herald.folder)
    second.data = herald.data
    second.log = herald.folder / "second.log"
    try:
        second.start()
        raise AssertionError("a second herald started on the same data")
    except AssertionError as error:
        assert "herald ended" in str(error), error
    assert second.process.wait() == 1
    assert "data" in second.log.read_text()


def test_a_restored_copy_sends_no_finished_delivery_again(tmp_path, recorder):
    herald = Herald(tmp_path / "first")
    herald.folder.mkdir()
    herald.start()
    recorder.script = [200, 200, 503]
    herald.webhook(recorder.url, retry={"delays": ["0s", "2s"], "jitter": 0})
    events = [example(name) for name in ("node_created", "node_updated", "branch_created")]
    states = ["delivered", "delivered", "pending"]
    deliveries = []
    for event, state in zip(events, states):
        deliveries += herald.send(event).json()["deliveries"]
        wait_until(lambda: herald.delivery(deliveries[-1])["attempts"] == 1)
        assert herald.delivery(deliveries[-1])["state"] == state
    herald.kill()
    copy = Herald(tmp_path / "second")
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    copy.start()
    try:
        # What was owed is still owed, under its id; what was finished stays so.
        copy.settled(deliveries[2])
        assert [r["headers"]["webhook-id"] for r in recorder.requests] == [
            *deliveries,
            deliveries[2],
        ]
        for event in events:
            assert copy.send(event).status_code == 200, "it knows the event"
        assert len(recorder.requests) == 4
    finally:
        copy.stop()
