"""Starts the built herald and talks to it as a user's program would."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
HERALD = Path(os.environ.get("HERALD_BINARY", ROOT / "build" / "release" / "herald"))
EXAMPLES = ROOT / "examples"


def wait_until(check, seconds=20.0, what="condition"):
    """Calls `check` until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def clean_environment(**extra):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HERALD_")}
    env.update({k: str(v) for k, v in extra.items()})
    return env


class Herald:
    """One `herald serve` on a data folder of its own; may be killed and started again."""

    def __init__(self, folder: Path, env=None, args=()):
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "herald.log"
        self.env = env or {}
        self.args = list(args)
        self.host = "127.0.0.1"
        self.process = None
        self.url = ""
        self.client = None

    def start(self, port=0):
        with open(self.log, "ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                [
                    HERALD,
                    "serve",
                    "--data-dir",
                    self.data,
                    "--listen",
                    f"{self.host}:{port}",
                    *self.args,
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=clean_environment(HERALD_LOG__FORMAT="json", **self.env),
            )
        self.url = wait_until(lambda: self._started(offset), what=f"start of herald ({self.log})")
        token = self.env.get("HERALD_API_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.Client(base_url=self.url, timeout=30, headers=headers)
        return self

    def _started(self, offset):
        text = self.log.read_bytes()[offset:].decode()
        found = re.search(r'"url":"(http://[^"]+)"', text)
        if found:
            return found.group(1)
        assert self.process.poll() is None, f"herald ended: {text}"
        return None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=40)
        if self.client:
            self.client.close()
        return code

    # What tests say most.

    def webhook(self, url, name="hook", **attributes):
        body = {
            "name": name,
            "url": url,
            "event_type": "all",
            "branch_scope": "all_branches",
            "shared_key": "supersecretkey",
            **attributes,
        }
        answer = self.client.post("/api/v1/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, event, **kwargs):
        return self.client.post("/api/v1/events", json=event, **kwargs)

    def delivery(self, delivery_id):
        return self.client.get(f"/api/v1/deliveries/{delivery_id}").json()

    def settled(self, delivery_id, state="delivered", seconds=20):
        """The delivery, once it has that state."""

        def check():
            found = self.delivery(delivery_id)
            return found if found["state"] == state else None

        return wait_until(check, seconds, f"state {state} of {delivery_id}")

    def cli(self, *args, input=None, env=None):
        full = clean_environment(HERALD_ADDRESS=self.url, **{**self.env, **(env or {})})
        return subprocess.run(
            [HERALD, *map(str, args)],
            input=input,
            capture_output=True,
            text=True,
            env=full,
            timeout=90,
        )


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text())


class Listener:
    """One `herald listen` on a free port; prints a JSON line for each request."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [HERALD, "listen", "--port", "0", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self.url = re.search(r"http://[^,]+", self.process.stderr.readline()).group(0) + "/"

    def lines(self, count):
        """The next lines, as objects."""
        return [json.loads(self.process.stdout.readline()) for _ in range(count)]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        self.process.stderr.close()
