"""Talks to a host as herald does: frames over a socket that is the child's descriptor 3."""

import json
import os
import select
import socket
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "src/transform/python"
STAND_INS = ROOT / "src/infrahub/python"
PATIENCE_SECONDS = 20


def program():
    """The frame H: the texts of the host."""
    return {path.stem: path.read_text() for path in sorted(PYTHON.glob("herald_*.py"))}


def stand_ins():
    """The load object's `modules`, by dotted names."""
    modules = {}
    for path in sorted(STAND_INS.rglob("*.py")):
        parts = path.relative_to(STAND_INS).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return modules


# Debian's own, with its Jinja2, when it is there: what herald starts when nothing else is said.
PYTHON_WITHOUT_SDK = os.environ.get("HERALD_HOST_PYTHON") or (
    "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable)


def python_command(python=PYTHON_WITHOUT_SDK):
    bootstrap = (PYTHON / "bootstrap.py").read_text()
    return [python, "-I", "-B", "-X", "utf8", "-c", bootstrap]


def event(name="node_updated"):
    return json.loads((ROOT / "examples" / f"{name}.json").read_text())


class Answer:
    def __init__(self, kind, payload, notes):
        self.kind, self.payload, self.notes = kind, payload, notes

    @property
    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        return f"{self.kind} {self.payload[:2000]!r} notes={self.notes!r}"


class Host:
    """One child. `load` is the load object; members that are not given have their defaults."""

    def __init__(self, load, command=None, first=None, environment=None):
        ours, theirs = socket.socketpair()
        self.socket = ours
        fd = theirs.fileno()

        def take_three():
            os.dup2(fd, 3)
        self.process = subprocess.Popen(
            command or python_command(), preexec_fn=take_three, pass_fds=(3, fd),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment or {})
        theirs.close()
        self.buffer = b""
        if first is None:
            first = program()
        if first:
            self.send("H", json.dumps(first))
        whole = {"runtime": "python", "source": None, "file": None, "root": None, "class": None,
                 "branch": "main", "input": "body", "secrets": {}, "url": None, "headers": {},
                 "content_type": "application/json", "modules": {}}
        self.send("L", json.dumps({**whole, **load}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def send(self, kind, payload):
        raw = payload.encode() if isinstance(payload, str) else payload
        self.socket.sendall(struct.pack("<I", len(raw) + 1) + kind.encode() + raw)

    def frame(self):
        """The next frame; None at the end."""
        while True:
            if len(self.buffer) >= 5:
                size = struct.unpack_from("<I", self.buffer)[0] + 4
                if len(self.buffer) >= size:
                    kind, payload = self.buffer[4:5].decode(), self.buffer[5:size]
                    self.buffer = self.buffer[size:]
                    return kind, payload
            if not select.select([self.socket], [], [], PATIENCE_SECONDS)[0]:
                raise TimeoutError("no frame from the host")
            part = self.socket.recv(1 << 20)
            if not part:
                return None
            self.buffer += part

    def answer(self):
        """The next answer with the notes that belong to it; None at the end."""
        notes = None
        while True:
            frame = self.frame()
            if frame is None:
                return None
            if frame[0] != "N":
                return Answer(frame[0], frame[1].decode(), notes)
            assert notes is None
            notes = frame[1].decode()

    def loaded(self):
        answer = self.answer()
        assert answer is not None and answer.kind == "R", answer
        return self

    def ask(self, body):
        self.send("T", body if isinstance(body, (str, bytes)) else json.dumps(body))
        return self.answer()


def run(load, body=None, **options):
    """One event; the answer to it, or to the load object when that failed."""
    with Host(load, **options) as host:
        answer = host.answer()
        if answer is None or answer.kind != "R":
            return answer
        return host.ask(event() if body is None else body)
