"""Filters and tests that people know from Ansible and expect in a template of a webhook."""

import base64
import datetime
import hashlib
import json
import re
import urllib.parse

from jinja2.exceptions import FilterArgumentError, UndefinedError
from jinja2.runtime import Undefined

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"


def defined(value):
    """Fails for what is not there, where json and others would say less."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    return value


def plain(value):
    """What JSON does not know, when a filter has made it."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


compact = json.JSONEncoder(separators=(",", ":"), default=plain, allow_nan=False).encode


def to_json(value, indent=None, sort_keys=False, ensure_ascii=True):
    if indent is None and not sort_keys and ensure_ascii:
        return compact(value)
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii,
                      separators=separators, default=plain, allow_nan=False)


def to_nice_json(value, indent=4, sort_keys=True, ensure_ascii=True):
    return to_json(value, indent, sort_keys, ensure_ascii)


def from_json(value):
    return json.loads(defined(value))


def b64encode(value, encoding="utf-8"):
    raw = value if isinstance(value, bytes) else str(defined(value)).encode(encoding)
    return base64.b64encode(raw).decode("ascii")


def b64decode(value, encoding="utf-8"):
    return base64.b64decode(str(defined(value))).decode(encoding)


def flags_of(ignorecase, multiline):
    return (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)


def regex_replace(value, pattern="", replacement="", ignorecase=False, multiline=False, count=0):
    flags = flags_of(ignorecase, multiline)
    return re.compile(pattern, flags).sub(replacement, str(defined(value)), count)


def regex_search(value, pattern, *groups, ignorecase=False, multiline=False):
    """The match; with groups ("\\\\1" or "\\\\g<name>") the list of these; none: nothing."""
    found = re.compile(pattern, flags_of(ignorecase, multiline)).search(str(defined(value)))
    if found is None:
        return None
    if not groups:
        return found.group()
    wanted = []
    for group in groups:
        named = re.fullmatch(r"\\g<(\w+)>|\\(\d+)", str(group))
        if named is None:
            raise FilterArgumentError(f"regex_search: {group} is no group")
        wanted.append(found.group(named[1] or int(named[2])))
    return wanted


def regex_findall(value, pattern, ignorecase=False, multiline=False):
    return re.compile(pattern, flags_of(ignorecase, multiline)).findall(str(defined(value)))


def regex_escape(value):
    return re.escape(str(defined(value)))


def merged(left, right):
    out = dict(left)
    for key, value in right.items():
        before = out.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        out[key] = merged(before, value) if both else value
    return out


def combine(value, *others, recursive=False):
    out = dict(defined(value))
    for other in others:
        if not isinstance(defined(other), dict):
            raise FilterArgumentError("combine: wants mappings")
        out = merged(out, other) if recursive else {**out, **other}
    return out


def dict2items(value, key_name="key", value_name="value"):
    return [{key_name: key, value_name: item} for key, item in defined(value).items()]


def items2dict(value, key_name="key", value_name="value"):
    return {item[key_name]: item[value_name] for item in defined(value)}


def ternary(value, true_value, false_value, none_value=None):
    if value is None and none_value is not None:
        return none_value
    return true_value if value else false_value


def mandatory(value, message=None):
    if isinstance(value, Undefined):
        raise UndefinedError(message or f"{value._undefined_name or 'a value'} is mandatory")
    return value


def hash_of(value, algorithm="sha1"):
    """As Ansible's `hash`, which takes SHA-1 when nothing is said."""
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise FilterArgumentError(f"hash: there is no algorithm {algorithm}")
    return hashlib.new(algorithm, str(defined(value)).encode()).hexdigest()


def to_bool(value):
    defined(value)
    if value is None or isinstance(value, bool):
        return value
    return str(value).strip().lower() in ("yes", "on", "1", "true", "y", "t")


def to_datetime(value, pattern=None):
    """With a pattern as strptime has it; without one a time as events have it (ISO 8601)."""
    text = str(defined(value))
    if pattern is not None:
        return datetime.datetime.strptime(text, pattern)
    text = re.sub(r"[zZ]$", "+00:00", text)
    # Before Python 3.11 fractions of a second must have three or six digits.
    text = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), text)
    return datetime.datetime.fromisoformat(text)


def strftime(value, second=None, utc=True):
    """`time | strftime(pattern)`, and as Ansible has it `pattern | strftime(seconds)`."""
    if isinstance(defined(value), (datetime.datetime, datetime.date)):
        return value.strftime(second or DATE_FORMAT)
    if isinstance(value, (int, float)):
        return moment(value, utc).strftime(second or DATE_FORMAT)
    if "%" in value:
        if isinstance(second, (datetime.datetime, datetime.date)):
            return second.strftime(value)
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now if second is None else moment(float(second), utc)).strftime(value)
    return to_datetime(value).strftime(second or DATE_FORMAT)


def moment(seconds, utc):
    zone = datetime.timezone.utc if utc else None
    return datetime.datetime.fromtimestamp(seconds, zone)


def quote(value):
    """For a shell, as Ansible's `quote`."""
    import shlex
    return shlex.quote(str(defined(value)))


def urlsplit(value, part=None):
    pieces = urllib.parse.urlsplit(str(defined(value)))
    parts = {name: getattr(pieces, name) for name in (
        "scheme", "netloc", "path", "query", "fragment", "username", "hostname", "port")}
    return parts if part is None else parts[part]


def matches(value, pattern, ignorecase=False, multiline=False):
    return re.match(pattern, str(defined(value)), flags_of(ignorecase, multiline)) is not None


def searches(value, pattern, ignorecase=False, multiline=False):
    return re.search(pattern, str(defined(value)), flags_of(ignorecase, multiline)) is not None


FILTERS = {
    "tojson": to_json, "to_json": to_json, "to_nice_json": to_nice_json, "from_json": from_json,
    "b64encode": b64encode, "b64decode": b64decode,
    "regex_replace": regex_replace, "regex_search": regex_search,
    "regex_findall": regex_findall, "regex_escape": regex_escape,
    "combine": combine, "dict2items": dict2items, "items2dict": items2dict,
    "ternary": ternary, "mandatory": mandatory, "hash": hash_of, "bool": to_bool,
    "strftime": strftime, "to_datetime": to_datetime, "quote": quote, "urlsplit": urlsplit,
}
TESTS = {"match": matches, "search": searches}
