"""Reads frames from herald, has the transformation answer them, writes the answers.

A frame, both ways: length of what follows (u32, little-endian), kind (one byte), payload. To the
host go `L` (what to run, once: a JSON object) and `T` (an event's body); each is answered in
order, `L` by `R` or `F`, `T` by `B`, `Q` or `F`. `N` is what the code printed, before its answer.
"""

import _thread
import gc
import io
import json
import os
import signal
import struct
import sys
import time

from herald_failures import Failure, Places, Redactor, failure_of

READ_BYTES = 1 << 18
WRITE_BYTES = 1 << 18       # of answers that wait for each other
WRITE_AFTER_SECONDS = 0.002  # answers wait no longer, whatever the code does meanwhile
NOTES_BYTES = 4096
THREAD_GRACE_SECONDS = 0.05

frame_head = struct.Struct("<IB").pack
frame_size = struct.Struct("<I").unpack_from


class Notes(io.TextIOBase):
    """Stands for stdout and stderr; keeps the beginning of what is written."""

    def __init__(self):
        self.parts = []
        self.room = 2 * NOTES_BYTES
        self.cut = False

    encoding = "utf-8"

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = text[:self.room]
        if kept:
            self.parts.append(kept)
            self.room -= len(kept)
        self.cut = self.cut or len(kept) < len(text)
        return len(text)

    @property
    def buffer(self):
        return BinaryNotes(self)

    def take(self, redactor):
        text = "".join(self.parts)
        if self.cut and redactor.longest:
            text = text[:-redactor.longest]  # the cut may have gone through a secret
        self.parts.clear()
        self.room = 2 * NOTES_BYTES
        self.cut = False
        raw = redactor(text).encode("utf-8", "backslashreplace")[:NOTES_BYTES]
        return raw.decode("utf-8", "ignore").encode()


class BinaryNotes(io.RawIOBase):
    def __init__(self, notes):
        self.notes = notes

    def writable(self):
        return True

    def write(self, data):
        self.notes.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


class Link:
    """The socket to herald. Answers are written together; none waits while the code runs long."""

    def __init__(self, fd):
        self.fd = fd
        self.pending = []
        self.writing = False
        self.armed = False
        signal.signal(signal.SIGALRM, self.alarm)

    def add(self, frames):
        self.pending.append(frames)
        if not self.armed:
            self.armed = True
            signal.setitimer(signal.ITIMER_REAL, WRITE_AFTER_SECONDS)

    def alarm(self, *_):
        # Who hangs or crashes is blamed for the first answer that is missing, so those before it
        # have to be out.
        self.armed = False
        if not self.writing:
            self.flush()

    def flush(self):
        self.writing = True
        data = b"".join(self.pending)
        self.pending.clear()
        try:
            while data:
                data = data[os.write(self.fd, data):]
        except OSError:
            leave(1)
        self.writing = False


real_exit = os._exit


def leave(status):
    """The end without Python's own: that would wait for threads and run what the code left."""
    real_exit(status)


class Host:
    def __init__(self, link):
        self.link = link
        self.notes = Notes()
        self.redactor = Redactor({})
        self.places = Places()
        self.runner = None
        self.busy = False   # with an event that has no answer yet
        self.last = False   # the answer given is the last one
        self.threads = 0    # there were when the code had been loaded
        self.encode = json.JSONEncoder(separators=(",", ":")).encode
        sys.stdout = sys.stderr = self.notes
        self.flush_before_exit()

    def flush_before_exit(self):
        def flushed(end):
            def call(*arguments):
                if not self.link.writing:
                    self.link.flush()
                end(*arguments)
            return call
        os._exit = flushed(os._exit)
        os.abort = flushed(os.abort)

    # --- Answers --------------------------------------------------------------------------------

    def answer(self, kind, payload):
        head = frame_head(len(payload) + 1, kind)
        if self.notes.parts:
            notes = self.notes.take(self.redactor)
            head = frame_head(len(notes) + 1, 78) + notes + head
        self.busy = False
        self.link.add(head + payload)

    def fail(self, error, kind):
        if isinstance(error, MemoryError):
            self.last = True
        members = failure_of(error, kind, self.places, self.redactor)
        self.answer(70, self.encode(members).encode("ascii"))

    # --- What comes from herald -----------------------------------------------------------------

    def load(self, text):
        """Makes the runner of the load object. What is wrong with the code is CONFIG here."""
        try:
            load = json.loads(text)
            self.redactor = Redactor(load.get("secrets") or {})
            root = load.get("root")
            self.places = Places(os.path.realpath(root) if root else None)
            if load.get("runtime") == "jinja2":
                from herald_templates import runner_of
            else:
                from herald_code import runner_of
            self.runner = runner_of(load, self.places)
        except BaseException as error:
            self.fail(error, "CONFIG")
            return
        # What has been loaded stays: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        self.threads = _thread._count()
        self.answer(82, b"")

    async def serve(self, frames):
        """Answers all events. Awaits only for runners that are asynchronous."""
        runner = self.runner
        read, call, write = runner.read, runner.call, runner.write
        awaits = runner.awaits
        for text in frames:
            self.busy = True
            try:
                result = call(read(text))
                if awaits:
                    result = await result
                kind, payload = write(result)
                if runner.checks or _thread._count() != self.threads:
                    await self.check_left(runner)
            except BaseException as error:
                self.fail(error, "TRANSFORM")
                try:
                    await self.check_left(runner)
                except Failure:
                    self.last = True
            else:
                self.answer(kind, payload)
            if self.last:
                break
        self.link.flush()

    async def check_left(self, runner):
        """Refuses what goes on after the answer: it would be of no event, and nobody sees it."""
        tasks = await runner.end_tasks() if runner.awaits else 0
        until = time.monotonic() + THREAD_GRACE_SECONDS
        while _thread._count() > self.threads:
            if time.monotonic() > until:
                self.last = True
                count = _thread._count() - self.threads
                raise Failure("TRANSFORM", f"left {count} thread{'s' * (count > 1)} running: "
                              "wait for them (join) before you return")
            time.sleep(0.001)
        if tasks:
            raise Failure("TRANSFORM", f"left {tasks} asyncio task{'s' * (tasks > 1)} running: "
                          "await them before you return")

    def frames(self, fd):
        """The payloads of the frames `T`; loads the code when `L` comes."""
        data = b""
        while True:
            at, end = 0, len(data)
            while end - at >= 5:
                stop = at + 4 + frame_size(data, at)[0]
                if stop > end:
                    break
                kind, text = data[at + 4], data[at + 5:stop]
                at = stop
                if kind == 84:
                    yield text
                    if len(self.link.pending) > 64:
                        self.link.flush()
                elif kind == 76:
                    self.load(text)
                    self.link.flush()
                    yield None
            missing = stop - end if end - at >= 5 else 0
            data = self.more(fd, data[at:], missing)
            if data is None:
                return

    def more(self, fd, rest, missing):
        """`rest` and what follows it: at least `missing` bytes. None at the end."""
        if self.link.pending:
            self.link.flush()
        parts = [rest]
        while True:
            part = os.read(fd, READ_BYTES)
            if not part:
                return None
            parts.append(part)
            missing -= len(part)
            if missing <= 0:
                return b"".join(parts)


def main(fd):
    host = Host(Link(fd))
    frames = host.frames(fd)
    for _ in frames:
        break
    if host.runner is None:
        leave(0)
    serving = host.serve(frames)
    try:
        if host.runner.awaits:
            host.runner.loop.run_until_complete(serving)
        else:
            serving.send(None)
    except StopIteration:
        pass
    except BaseException as error:
        # SystemExit in a task of its own ends the loop and not just the task.
        if host.busy:
            host.fail(error, "TRANSFORM")
    host.link.flush()
    leave(0)
