"""Events about herald itself, through the built program."""

import json
import uuid

from herald_process import Herald, example, wait_until
from receivers import Recorder



def test_a_failed_delivery_is_told_to_who_asks_for_it(tmp_path):
    chat = Recorder()
    herald = Herald(tmp_path).start()
    try:
        broken = herald.webhook(
            "http://127.0.0.1:1/secret-path", "broken", retry={"preset": "none"}
        )
        herald.webhook(chat.url, "chat", event_type="herald.*")
        event = {**example("node_updated"), "id": str(uuid.uuid4())}
        delivery = herald.send(event).json()["deliveries"][0]
        herald.settled(delivery, "failed")
        wait_until(lambda: chat.requests, 20, "the operator event")
        body = json.loads(chat.requests[0]["body"])
        assert body["event"] == "herald.webhook.exhausted"
        assert body["data"]["webhook"] == {"id": broken["id"], "name": "broken"}
        assert body["data"]["delivery"] == delivery
        assert body["data"]["last_class"] == "CONNECTION"
        assert "secret" not in chat.requests[0]["body"].decode()
        logged = herald.cli("event", "list", "--event", "herald.*")
        assert [one["event"] for one in json.loads(logged.stdout)] == ["herald.webhook.exhausted"]
    finally:
        herald.stop()
        chat.close()
