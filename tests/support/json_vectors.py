"""Prints random JSON values as Python sees them, for src/base/json_python_test.cc.

Four lines a value: an input text (spread over lines, raw UTF-8, as a JSON string to stay on one
line), json.dumps compact, json.dumps default, and repr() of the parsed value as a JSON string.
"""

import json
import random
import struct
import sys

WORDS = [
    "name",
    "it's",
    'say "hi"',
    "both ' and \"",
    "back\\slash",
    "tab\tnew\nline\r",
    "\x00\x1f\x7f",
    "Zürich",
    "日本",
    "\U0001f600",
    "\u2028\ufeff\xad",
    "",
    "/path/",
    "\u200b\xa0",
]


def text(rng):
    if rng.random() < 0.5:
        return rng.choice(WORDS)
    out = []
    for _ in range(rng.randrange(0, 12)):
        top = rng.choice([0x80, 0x100, 0x800, 0x3000, 0xD7FF, 0x10FFFF])
        point = rng.randrange(0, top)
        out.append(chr(point) if not 0xD800 <= point <= 0xDFFF else "?")
    return "".join(out)


def number(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randrange(-1000, 1000)
    if kind == 1:
        return rng.randrange(-(10**40), 10**40)
    if kind == 2:
        return round(rng.uniform(-1000, 1000), rng.randrange(0, 6))
    if kind == 3:
        return rng.choice(
            [
                0.0,
                -0.0,
                1.0,
                1e15,
                1e16,
                1e17,
                1e-4,
                1e-5,
                1.5e-7,
                1e22,
                123456789012345680.0,
                5e-324,
                1.7976931348623157e308,
            ]
        )
    while True:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        if value == value and abs(value) != float("inf"):
            return value


def value(rng, depth=0):
    kind = rng.randrange(8 if depth < 5 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return number(rng)
    if kind in (3, 4):
        return text(rng)
    if kind == 5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    return {text(rng): value(rng, depth + 1) for _ in range(rng.randrange(20 if depth == 0 else 6))}


def main():
    rng = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[1])):
        v = value(rng)
        source = json.dumps(v, ensure_ascii=rng.random() < 0.3, indent=rng.choice([None, 1]))
        print(json.dumps(source))
        print(json.dumps(v, separators=(",", ":")))
        print(json.dumps(v))
        print(json.dumps(repr(json.loads(source))))


main()
