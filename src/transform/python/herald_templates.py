"""The runtime `jinja2`, and the templates of URL and headers for every runtime of this host."""

import json
import os

from herald_failures import Failure, Redactor

try:
    import jinja2
    from jinja2 import sandbox
except ModuleNotFoundError:
    raise Failure("CONFIG", "Jinja2 is not installed for this Python (Debian: python3-jinja2, "
                  "else: pip install jinja2)") from None

from herald_filters import FILTERS, TESTS

BODY = "<template>"
EXCERPT_CHARACTERS = 40
# What a Python program would have; a template does not need more, and a product of ranges would
# keep its process busy until its time is over.
MAX_RANGE = 100_000
MAX_TEXT = 16 << 20


class Sandbox(sandbox.ImmutableSandboxedEnvironment):
    """Jinja2 without a way to Python's inside, and without the cheapest ways to fill memory."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context, operator, left, right):
        if operator == "*":
            for text, count in ((left, right), (right, left)):
                if isinstance(text, (str, bytes, list, tuple)) and isinstance(count, int):
                    if len(text) * count > MAX_TEXT:
                        raise OverflowError("the product is too long")
        elif isinstance(left, int) and isinstance(right, int) and right > 10_000:
            raise OverflowError("the power is too large")
        return super().call_binop(context, operator, left, right)


def environment(loader):
    sandbox.MAX_RANGE = MAX_RANGE
    made = Sandbox(loader=loader, undefined=jinja2.StrictUndefined, autoescape=False,
                   cache_size=64, auto_reload=False)
    made.filters.update(FILTERS)
    made.tests.update(TESTS)
    return made


class Template:
    """One text; its failures name the line of the template."""

    def __init__(self, made, what, shown, get, places):
        self.what, self.shown, self.places = what, shown, places
        try:
            self.template = get(made)
        except jinja2.TemplateSyntaxError as error:
            place = error.name or error.filename or shown
            raise Failure("CONFIG", f"{what}: {error.message}", error.lineno, None,
                          f" ({place}, line {error.lineno})") from None
        except jinja2.TemplateNotFound as error:
            raise Failure("CONFIG", f"there is no template {error.name} at this commit") from None

    def render(self, context):
        try:
            return self.template.render(context)
        except Failure:
            raise
        except (Exception, RecursionError) as error:
            raise self.failure(error) from None

    def failure(self, error):
        line, where = None, self.shown
        lines = []
        trace = error.__traceback__
        while trace is not None:
            # Jinja2 writes tracebacks anew: these entries are lines of templates.
            if "__jinja_exception__" in trace.tb_frame.f_globals:
                line = trace.tb_lineno
                name = trace.tb_frame.f_code.co_filename
                where = self.places.shown(name) if name.startswith("/") else self.shown
                lines.append(f'  Template "{where}", line {line}\n')
            trace = trace.tb_next
        reason = getattr(error, "message", None) or str(error)
        if isinstance(error, jinja2.TemplateNotFound):
            reason = f"there is no template {error.name}"
        elif not isinstance(error, jinja2.TemplateError):
            reason = f"{type(error).__name__}: {reason}"
        place = f" ({where}, line {line})" if line else ""
        lines.append(f"{type(error).__name__}: {reason}\n")
        return Failure("TRANSFORM", f"{self.what}: {reason}", line, None, place, lines[-12:])


class RequestTemplates:
    """The templates of the URL and of the headers."""

    def __init__(self, load, places):
        made = environment(None)
        self.secrets = dict(load.get("secrets") or {})
        self.url = None
        if load.get("url") is not None:
            self.url = text_template(made, "the URL's template", load["url"], places)
        self.headers = [(name, text_template(made, f"the template of the header {name}", text,
                                             places))
                        for name, text in (load.get("headers") or {}).items()]

    def request_of(self, text, body):
        context = context_of(body, self.secrets)
        url = None if self.url is None else self.url.render(context).strip()
        headers = {}
        for name, template in self.headers:
            value = template.render(context).strip()
            if any(ord(letter) < 32 and letter != "\t" or ord(letter) == 127 for letter in value):
                raise Failure("TRANSFORM", f"the header {name} has a control character or more "
                              "than one line")
            headers[name] = value
        return {"body": text, "url": url, "headers": headers}


def text_template(made, what, text, places):
    return Template(made, what, what, lambda made: made.from_string(text), places)


def context_of(body, secrets):
    """Names of the body at the top, as people write them first; the whole as `body`."""
    context = dict(body) if isinstance(body, dict) else {}
    context["body"] = body
    context["secrets"] = secrets
    return context


class TemplateRunner:
    awaits = False
    checks = False

    def __init__(self, load, places):
        self.secrets = dict(load.get("secrets") or {})
        self.inner = load.get("input") == "data"
        kind = (load.get("content_type") or "application/json").partition(";")[0].strip().lower()
        self.is_json = kind == "application/json" or kind.endswith("+json")
        self.scan = json.JSONDecoder().scan_once
        self.template = self.body_template(load, places)
        self.requests = None
        if load.get("url") is not None or load.get("headers"):
            self.requests = RequestTemplates(load, places)
            self.write = self.write_request
        self.body = None

    @staticmethod
    def body_template(load, places):
        name = load.get("file")
        if name is None:
            text = load.get("source") or ""
            return Template(environment(None), "template", BODY,
                            lambda made: made.from_string(text), places)
        root = (places.root or "").rstrip("/")
        path = os.path.realpath(os.path.join(root, name))
        if not root or not path.startswith(places.root):
            raise Failure("CONFIG", f"{name} is outside of its repository")
        inside = path[len(places.root):]
        # Other files may be included by their paths in the repository, or beside the template.
        loader = jinja2.FileSystemLoader([root, os.path.dirname(path)])
        return Template(environment(loader), "template", inside,
                        lambda made: made.get_template(inside), places)

    def read(self, text):
        return self.scan(text.decode(), 0)[0]

    def call(self, body):
        self.body = body
        context = body
        if self.inner and isinstance(body, dict):
            context = body.get("data") or body
        return self.template.render(context_of(context, self.secrets))

    def checked(self, text):
        if self.is_json:
            try:
                json.loads(text, parse_constant=no_constant)
            except RecursionError:
                raise Failure("TRANSFORM", "the rendered text is nested too deep") from None
            except ValueError as error:
                raise no_json(text, error, self.secrets) from None
        return text

    def write(self, text):
        return 66, self.checked(text).encode("utf-8", "surrogatepass")

    def write_request(self, text):
        request = self.requests.request_of(self.checked(text), self.body)
        return 81, json.dumps(request, separators=(",", ":")).encode("ascii")


def no_constant(name):
    raise ValueError(f"JSON has no {name}")


def no_json(text, error, secrets):
    if not text.strip():
        return Failure("TRANSFORM", "the rendered text is empty, but its content type is JSON")
    if not isinstance(error, json.JSONDecodeError):
        return Failure("TRANSFORM", f"the rendered text is no JSON: {error}")
    before, behind = Redactor(secrets).around(text, error.pos, EXCERPT_CHARACTERS)
    reason = error.msg[:1].lower() + error.msg[1:]
    return Failure(
        "TRANSFORM", f"the rendered text is no JSON: {reason} at line {error.lineno}, column "
        f"{error.colno}: {before}>>>{behind}", error.lineno, error.colno)


def runner_of(load, places):
    return TemplateRunner(load, places)
