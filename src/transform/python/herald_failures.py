"""What went wrong with a transformation, as people need to read it: reason, place, last lines."""

import re

MESSAGE_CHARACTERS = 400
TRACEBACK_BYTES = 2048
ENTRY_CHARACTERS = 600


class Failure(Exception):
    """A failure in our own words; `entries` are those of a traceback that people can use."""

    def __init__(self, kind, message, line=None, column=None, place="", entries=()):
        super().__init__(message)
        self.kind, self.message, self.place = kind, message, place
        self.line, self.column, self.entries = line, column, entries


def one_line(text):
    text = " ".join(text.split())
    if len(text) > MESSAGE_CHARACTERS:
        text = text[:MESSAGE_CHARACTERS - 3] + "..."
    return text


def tail(text, size=TRACEBACK_BYTES):
    """The last whole lines, at most `size` bytes."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) > size:
        raw = raw[-size:]
        raw = raw[raw.find(b"\n") + 1:] if b"\n" in raw[:-1] else raw
    return raw.decode("utf-8", "ignore").rstrip("\n")


class Redactor:
    """Replaces the values of secrets, and the forms in which programs write them."""

    def __init__(self, secrets):
        from json import dumps
        from urllib.parse import quote, quote_plus
        forms = set()
        for value in secrets.values():
            forms.update((value, dumps(value)[1:-1], dumps(value, ensure_ascii=False)[1:-1],
                          repr(value)[1:-1], quote(value), quote(value, safe=""),
                          quote_plus(value)))
        # The longest first: one secret may be the beginning of another.
        self.forms = sorted((form for form in forms if form), key=len, reverse=True)

    def __call__(self, text):
        for form in self.forms:
            if form in text:
                text = text.replace(form, "***")
        return text

    def around(self, text, at, size):
        """`size` characters before and behind a place, neither with a piece of a secret."""
        for form in self.forms:
            text = text.replace(form, "\0" * len(form))
        parts = (text[max(0, at - size):at], text[at:at + size])
        return [re.sub("\0+", "***", part) for part in parts]

    @property
    def longest(self):
        return len(self.forms[0]) if self.forms else 0


class Places:
    """Which files are the user's, and under which names they are shown."""

    def __init__(self, root=None):
        self.root = root.rstrip("/") + "/" if root else None
        self.texts = {}

    def add_text(self, name, text):
        """Code without a file: tracebacks find its lines in linecache."""
        import linecache
        self.texts[name] = text
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)

    def owns(self, filename):
        return filename in self.texts or (
            self.root is not None and filename.startswith(self.root))

    def shown(self, filename):
        if self.root is not None and filename.startswith(self.root):
            return filename[len(self.root):]
        return filename

    def short(self, text):
        return text.replace(self.root, "") if self.root else text


def reason(error):
    """`KeyError: 'x'`, also of an exception that cannot be written."""
    name = type(error).__name__
    if isinstance(error, SystemExit):
        return f"called sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, MemoryError):
        return f"{name}: it needs more memory than it may use"
    try:
        text = str(error)
    except Exception as second:
        text = f"<its message cannot be read: {type(second).__name__}>"
    return f"{name}: {text}" if text else name


def column_of(trace):
    """Where in the line the call is; only Python 3.11 and newer know."""
    code = trace.tb_frame.f_code
    if trace.tb_lasti < 0 or not hasattr(code, "co_positions"):
        return None
    for index, position in enumerate(code.co_positions()):
        if index == trace.tb_lasti // 2:
            return None if position[2] is None else position[2] + 1
    return None


def user_traces(trace, places):
    """The first and the last entry of a traceback that are in the user's files."""
    first = last = None
    while trace is not None:
        if places.owns(trace.tb_frame.f_code.co_filename):
            first = first or trace
            last = trace
        trace = trace.tb_next
    return first, last


def entries_of(error, first):
    import traceback
    try:
        return traceback.format_exception(type(error), error, first)
    except Exception as second:
        return [f"<the traceback cannot be written: {type(second).__name__}>"]


def last_lines(entries, redactor):
    """Without secrets before anything is cut: half a secret would not be found."""
    kept = []
    for entry in map(redactor, entries):
        # One long message shall not push out the lines of the code.
        kept.append(entry if len(entry) <= ENTRY_CHARACTERS else entry[:ENTRY_CHARACTERS] + "...\n")
    return tail("".join(kept)) or None


def failure_of(error, kind, places, redactor):
    """The members of the failure that an exception of the user's code is."""
    entries, place = None, ""
    if isinstance(error, Failure):
        kind, message, place = error.kind, error.message, error.place
        line, column, entries = error.line, error.column, error.entries
    else:
        first, last = user_traces(error.__traceback__, places)
        entries = map(places.short, entries_of(error, first))
        line = column = None
        where = ""
        if isinstance(error, SyntaxError) and error.lineno is not None:
            line, column = error.lineno, error.offset
            message = f"{type(error).__name__}: {error.msg}"
            where = places.shown(error.filename or "")
        else:
            message = places.short(reason(error))
            if last is not None:
                line, column = last.tb_lineno, column_of(last)
                where = places.shown(last.tb_frame.f_code.co_filename)
        place = f" ({where}, line {line})" if where and line else ""
    return {"class": kind, "message": one_line(redactor(message)) + place, "line": line,
            "column": column, "traceback": last_lines(entries, redactor)}
