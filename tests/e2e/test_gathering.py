"""One delivery for many events, through the built program."""

import json
import time
import uuid

from herald_process import Herald, example, wait_until
from receivers import Recorder


def fresh_events(count):
    template = example("node_updated")
    return [{**template, "id": str(uuid.uuid4())} for _ in range(count)]


def test_what_is_gathered_survives_a_kill_in_the_quiet_period(tmp_path):
    receiver = Recorder()
    herald = Herald(tmp_path).start()
    try:
        made = herald.cli(
            *("webhook", "create", "pipeline", "--url", receiver.url),
            *("--shared-key-file", "-", "--branch-scope", "all_branches"),
            *("--set", "gathering.mode=debounce", "--set", "gathering.quiet=2s"),
            input="a key of a test",
        )
        assert made.returncode == 0, made.stderr
        gathering = json.loads(made.stdout)["gathering"]
        assert gathering == {
            "mode": "debounce",
            "key": None,
            "quiet": "2s",
            "at_most": None,
            "most": 100,
            "send": "list",
        }
        events = fresh_events(24)
        results = herald.send(events).json()["results"]
        herald.kill()
        assert not receiver.requests
        herald.start()
        wait_until(lambda: receiver.requests, 20, "the list")
        time.sleep(0.3)
        assert len(receiver.requests) == 1
        body = json.loads(receiver.requests[0]["body"])
        assert body["event"] == "herald.events.gathered"
        assert body["data"]["count"] == 24
        assert [one["id"] for one in body["data"]["events"]] == [one["id"] for one in events]
        for result in results:
            herald.settled(result["deliveries"][0], "merged")
        herald.settled(receiver.requests[0]["headers"]["webhook-id"], "delivered")
        listed = herald.cli("delivery", "list", "--state", "merged", "--limit", "50")
        assert len(json.loads(listed.stdout)) == 24

        herald.kill()
        herald.start()
        time.sleep(0.3)
        assert len(receiver.requests) == 1, "nothing is sent twice"
    finally:
        herald.stop()
        receiver.close()
