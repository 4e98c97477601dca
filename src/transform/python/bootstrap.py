import json, os
def take(size):
    text = b""
    while len(text) < size:
        part = os.read(3, size - len(text))
        if not part: os._exit(0)
        text += part
    return text
program = json.loads(take(int.from_bytes(take(4), "little"))[1:])
exec(compile(program["herald_modules"], "<herald_modules>", "exec"), {"program": program})
