"""What a preset makes of an event, without herald: by the program jq, and by herald's own host."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "src" / "transform" / "jq"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

sys.path.insert(0, str(ROOT / "tests" / "hosts"))


@dataclass
class Made:
    """A request, as `expected` of a sample describes it."""

    method: str
    url: str
    body: str
    headers: dict = field(default_factory=dict)
    output_bytes: int = 0  # that the host wrote

    def json(self):
        return json.loads(self.body)


class Fault(Exception):
    """A transformation failed."""


def files():
    return sorted((ROOT / "presets").glob("*.json"))


@cache
def _text(name):
    return (ROOT / "presets" / f"{name}.json").read_text()


def load(name):
    return json.loads(_text(name))


def names():
    return [file.stem for file in files()]


def examples(preset):
    return {parameter["name"]: parameter["example"] for parameter in preset["parameters"]}


def filled(text, values, is_url=False):
    def value(match):
        given = values[match[1]]
        if not is_url:
            return given
        return given.rstrip("/") if match.start() == 0 and match.end() < len(text) else (
            given if match.start() == 0 else quote(given, safe="-._~"))

    return PLACEHOLDER.sub(value, text)


def expanded(value, values, member=""):
    """`value` with parameters in every text but the code."""
    if isinstance(value, dict):
        return {key: expanded(inner, values, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [expanded(inner, values) for inner in value]
    if not isinstance(value, str) or member == "source":
        return value
    return filled(value, values, member == "url")


def run_jq(transformation, event, text):
    secrets = {name: "***" for name in transformation.get("secrets", {})}
    done = subprocess.run(
        ["jq", "-c", "-L", str(ASSETS), "--argjson", "secrets", json.dumps(secrets),
         transformation["source"]],
        input=text, capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", **transformation.get("environment", {})})
    if done.returncode != 0:
        raise Fault(done.stderr)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, "must make exactly one value"
    return lines[0], {}, len(json.dumps(json.loads(lines[0])))


def run_jinja2(transformation, event, text):
    import host_client

    secrets = {name: "***" for name in transformation.get("secrets", {})}
    load = {**transformation, "secrets": secrets}
    answer = host_client.run(load, text)
    if answer is None or answer.kind not in ("B", "Q"):
        raise Fault(answer)
    if answer.kind == "B":
        return answer.payload, {}, len(answer.payload)
    return answer.json["body"], answer.json["headers"], len(answer.payload)


RUNTIMES = {"jq": run_jq, "jinja2": run_jinja2}


def make(preset, values, event):
    """The request for an event; without what needs a secret, such as a signature."""
    webhook = expanded(preset["webhook"], values)
    transformation = expanded(preset["transformation"], values)
    body = json.dumps(event, separators=(",", ":"))
    headers, output_bytes = {}, 0
    content_type = "application/json"
    if transformation:
        run = RUNTIMES[transformation["runtime"]]
        body, headers, output_bytes = run(transformation, event, body)
        content_type = transformation.get("content_type", content_type)
    fixed = {header["key"]: header["value"] for header in webhook.get("headers", [])}
    request = webhook.get("request", {})
    return Made(method=request.get("method", "POST"), url=webhook["url"],
                body=as_sent(body, request.get("encoding", "ascii")),
                output_bytes=output_bytes,
                headers={"Content-Type": request.get("content_type") or content_type,
                         **fixed, **headers})


def as_sent(body, encoding):
    """JSON as herald writes it: compact, and escaped unless the receiver wants UTF-8."""
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=encoding == "ascii")
