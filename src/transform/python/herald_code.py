"""The runtime `python`: a function or a class of the user's, inline or in a file of a repository.

What kinds of classes there are is told by the module `herald_adapter`, when it is given with the
load object: `knows(cls)` and `bind(cls, load)`, which gives a function of the event's body and
whether its result is to be awaited.
"""

import difflib
import json
import os
import sys
import types

from herald_failures import Failure
from herald_modules import TextModules

INLINE = "<transformation>"


class CodeRunner:
    """Reads, runs, writes. `awaits`: the result of `call` has to be awaited."""

    def __init__(self, call, awaits, wants_data, templates):
        self.function = call
        self.awaits = awaits
        self.checks = False  # there may be tasks of the code's
        self.scan = json.JSONDecoder().scan_once
        self.encode = encoder()
        self.templates = templates
        self.body = None
        self.call = self.call_with_data if wants_data else call
        if templates is not None:
            self.write = self.write_request
        if awaits:
            import asyncio
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            self.loop.set_task_factory(self.new_task)

    def new_task(self, loop, coroutine, **named):
        import asyncio
        self.checks = True
        return asyncio.Task(coroutine, loop=loop, **named)

    def read(self, text):
        data = self.scan(text.decode(), 0)[0]
        if self.templates is not None:
            self.body = self.scan(text.decode(), 0)[0]  # the code may change its own
        return data

    def call_with_data(self, body):
        """As older versions did: the inner data, or all when there is none."""
        return self.function(body.get("data") or body)

    def write(self, result):
        return 66, self.text_of(result).encode("ascii")

    def write_request(self, result):
        request = self.templates.request_of(self.text_of(result), self.body)
        return 81, self.encode(request).encode("ascii")

    def text_of(self, result):
        try:
            return self.encode(result)
        except (TypeError, ValueError, RecursionError) as error:
            raise Failure("TRANSFORM", what_is_no_json(result, error)) from None

    async def end_tasks(self):
        """Cancels tasks that the code left; how many there were."""
        import asyncio
        self.checks = False
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)
        executor = getattr(self.loop, "_default_executor", None)
        if executor is not None:
            # Its threads wait for more work; they are the loop's, not the user's.
            executor.shutdown(wait=False)
            self.loop._default_executor = None
        return len(left)


def encoder():
    """What json.dumps does, without the part of it that is done anew for every call."""
    slow = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
    try:
        make = json.encoder.c_make_encoder
        markers = {}
        fast = make(markers, slow.default, json.encoder.encode_basestring_ascii, None, ":", ",",
                    False, False, False)
        fast([{"a": 1.5}], 0)
    except Exception:
        return slow.encode

    def encode(value):
        try:
            return "".join(fast(value, 0))
        finally:
            markers.clear()
    return encode


# --- What the result has that JSON has not --------------------------------------------------------

def what_is_no_json(result, error):
    if isinstance(error, RecursionError):
        return "the result is nested too deep for JSON"
    if "Circular" in str(error):
        return "the result contains itself, which JSON cannot write"
    found = bad_value(result, "", 0)
    if found is None:
        return f"the result cannot be written as JSON: {error}"
    place, what = found
    return f"the result is no JSON: {what} at {place or 'its top'}"


def bad_value(value, place, depth):
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return place, repr(value)
    if value is None or isinstance(value, (str, int, float)):
        return None
    if depth > 200:
        return None
    if isinstance(value, dict):
        for key, item in value.items():
            if not (key is None or isinstance(key, (str, int, float))):
                return place, f"a key of type {type(key).__name__}"
            found = bad_value(item, f"{place}.{key}", depth + 1)
            if found:
                return found
        return None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found = bad_value(item, f"{place}[{index}]", depth + 1)
            if found:
                return found
        return None
    if isinstance(value, types.CoroutineType):
        value.close()
        return place, "a coroutine (is an await missing?)"
    return place, f"a value of type {type(value).__name__}"


# --- Loading --------------------------------------------------------------------------------------

def runner_of(load, places):
    sys.meta_path.append(TextModules(load.get("modules") or {}))
    # As code that ran elsewhere expects its settings; they are not in /proc/*/environ.
    for name, value in (load.get("secrets") or {}).items():
        os.environ.setdefault(name, value)
    module = inline_module(load, places) if load.get("file") is None else file_module(load, places)
    call, awaits = bound(module, load)
    templates = None
    if load.get("url") is not None or load.get("headers"):
        from herald_templates import RequestTemplates
        templates = RequestTemplates(load, places)
    return CodeRunner(call, awaits, load.get("input") == "data", templates)


def inline_module(load, places):
    source = load.get("source") or ""
    places.add_text(INLINE, source)
    module = types.ModuleType("transformation")
    sys.modules[module.__name__] = module
    exec(compile(source, INLINE, "exec"), module.__dict__)
    return module


def file_module(load, places):
    """Imported so that `from .neighbour import x` and imports from the root work."""
    import importlib.util
    name = load["file"]
    root = (places.root or "").rstrip("/")
    path = os.path.realpath(os.path.join(root, name))
    if not root or not path.startswith(places.root):
        raise Failure("CONFIG", f"{name} is outside of its repository")
    if not os.path.isfile(path):
        raise Failure("CONFIG", f"the repository has no file {name} at this commit")
    # Behind what is installed: a file json.py of the repository does not replace json.
    sys.path.extend(dict.fromkeys((root, os.path.dirname(path))))
    stem = path[len(places.root):].rpartition(".")[0]
    parts = stem.split("/")
    dotted = ".".join(parts) if all(part.isidentifier() for part in parts) else parts[-1]
    spec = importlib.util.spec_from_file_location(dotted, path)
    if spec is None:
        raise Failure("CONFIG", f"{name} is no Python file: its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[dotted] = module
    spec.loader.exec_module(module)
    return module


def adapter():
    try:
        import herald_adapter
    except ModuleNotFoundError as error:
        if error.name != "herald_adapter":
            raise
        return None
    return herald_adapter


def bound(module, load):
    """The function to call, and whether its result is to be awaited."""
    known = adapter()
    chosen = chosen_of(module, load.get("class"), known)
    if not isinstance(chosen, type):
        return with_secrets(chosen, load), is_async(chosen)
    if known is not None and known.knows(chosen):
        return known.bind(chosen, load)
    if not callable(getattr(chosen, "transform", None)):
        raise Failure("CONFIG", f"the class {chosen.__name__} has no method transform(self, data)")
    chosen()  # what is wrong with making one is seen now
    return (lambda data: chosen().transform(data)), is_async(chosen.transform)


def is_async(function):
    from inspect import iscoroutinefunction
    return iscoroutinefunction(function)


def with_secrets(function, load):
    """A function that takes two values gets the secrets too."""
    from inspect import Parameter, signature
    try:
        wanted = [parameter for parameter in signature(function).parameters.values()
                  if parameter.default is Parameter.empty
                  and parameter.kind in (Parameter.POSITIONAL_ONLY,
                                         Parameter.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        return function
    if len(wanted) == 2:
        secrets = dict(load.get("secrets") or {})
        return lambda data: function(data, secrets)
    if len(wanted) != 1:
        raise Failure("CONFIG", f"{function.__name__} takes {len(wanted)} values: it must take "
                      "the event's body, and may take the secrets as a second one")
    return function


def chosen_of(module, wanted, known):
    """The class or function that is the transformation."""
    own = {name: value for name, value in vars(module).items()
           if isinstance(value, type) and value.__module__ == module.__name__}
    if wanted:
        found = vars(module).get(wanted)
        if callable(found):
            return found
        names = sorted(own)
        near = difflib.get_close_matches(wanted, names, 1)
        hint = f": did you mean {near[0]}?" if near else f" (it has: {', '.join(names) or 'none'})"
        raise Failure("CONFIG", f"there is no class {wanted} in the code{hint}")
    if isinstance(own.get("Transform"), type):
        return own["Transform"]
    classes = [value for value in own.values() if known is not None and known.knows(value)]
    if len(classes) == 1:
        return classes[0]
    if classes:
        names = ", ".join(sorted(value.__name__ for value in classes))
        raise Failure("CONFIG", f"there are several transformation classes ({names}): "
                      "name the one to use")
    function = vars(module).get("transform")
    if isinstance(function, types.FunctionType):
        return function
    raise Failure("CONFIG", "there is no transformation in the code: define a function "
                  "transform(data), or a class Transform with a method transform(self, data)")
