"""Templates in Jinja2, as people write them, and what they may not do."""

import json

import pytest
from host_client import Host, event, run


def render(source, body=None, **load):
    return run({"runtime": "jinja2", "source": source, **load}, body)


def text(source, body=None, **load):
    answer = render(source, body, content_type="text/plain", **load)
    assert answer.kind == "B", answer
    return answer.payload


def failed(answer, kind="TRANSFORM"):
    assert answer.kind == "F", answer
    assert answer.json["class"] == kind
    assert "\n" not in answer.json["message"]
    return answer.json


def test_the_bodys_names_are_at_the_top_and_all_of_it_is_body():
    source = '{"a": {{ event|tojson }}, "b": {{ data.changelog.display_label|tojson }}, ' \
             '"c": {{ body|tojson }}}'
    answer = render(source)
    assert answer.json == {"a": "infrahub.node.updated", "b": "Ethernet1", "c": event()}


@pytest.mark.parametrize("source, wanted", [
    ("{{ data | tojson }}", '{"b":[1,2.5,true,null],"a":"<&\'\\u00fc>"}'),
    ("{{ data | to_json(sort_keys=true) }}", '{"a":"<&\'\\u00fc>","b":[1,2.5,true,null]}'),
    ("{{ data | tojson(ensure_ascii=false) }}", '{"b":[1,2.5,true,null],"a":"<&\'ü>"}'),
    ("{{ data | to_nice_json(indent=1) }}",
     '{\n "a": "<&\'\\u00fc>",\n "b": [\n  1,\n  2.5,\n  true,\n  null\n ]\n}'),
    ("{{ ('[1, {\"a\": 2}]' | from_json)[1].a }}", "2"),
    ("{{ 'aü' | b64encode }} {{ 'YcO8' | b64decode }}", "YcO8 aü"),
    ("{{ 'eth1/2' | regex_replace('^eth(\\\\d+)/(\\\\d+)$', 'Ethernet\\\\1.\\\\2') }}",
     "Ethernet1.2"),
    ("{{ 'ABC' | regex_replace('b', 'x', ignorecase=true) }}", "AxC"),
    ("{{ 'port 12 of 48' | regex_search('[0-9]+') }}", "12"),
    ("{{ 'port 12 of 48' | regex_search('(\\\\d+) of (\\\\d+)', '\\\\2', '\\\\1') }}",
     "['48', '12']"),
    ("{{ 'none' | regex_search('[0-9]+') }}", "None"),
    ("{{ '1 and 22' | regex_findall('[0-9]+') | join('-') }}", "1-22"),
    ("{{ {'a': 1, 'b': {'c': 1}} | combine({'b': {'d': 2}}) }}", "{'a': 1, 'b': {'d': 2}}"),
    ("{{ {'b': {'c': 1}} | combine({'b': {'d': 2}}, recursive=true) }}",
     "{'b': {'c': 1, 'd': 2}}"),
    ("{{ {'a': 1} | dict2items }}", "[{'key': 'a', 'value': 1}]"),
    ("{{ [{'key': 'a', 'value': 1}] | items2dict }}", "{'a': 1}"),
    ("{{ true | ternary('y', 'n') }}{{ 0 | ternary('y', 'n') }}{{ none | ternary(1, 2, 3) }}",
     "yn3"),
    ("{{ 'a' | hash('sha256') }}",
     "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("{{ 'yes' | bool }} {{ 'no' | bool }} {{ 1 | bool }}", "True False True"),
    ("{{ '2025-01-02T03:04:05.123456Z' | to_datetime | strftime('%d.%m.%Y %H:%M') }}",
     "02.01.2025 03:04"),
    ("{{ '2025-01-02 03:04:05+00:00' | strftime('%Y') }} {{ 0 | strftime('%Y-%m-%d') }}",
     "2025 1970-01-01"),
    ("{{ '%Y' | strftime(0) }}", "1970"),
    ("{{ ('2025-01-02' | to_datetime('%Y-%m-%d')).year }}", "2025"),
    ("{{ \"a b's\" | quote }}", "'a b'\"'\"'s'"),
    ("{{ 'a b/ü' | urlencode }}", "a%20b/%C3%BC"),
    ("{{ 'https://x:8/p?q=1' | urlsplit('hostname') }}", "x"),
    ("{{ 'eth0' is match('eth') }} {{ 'xeth0' is match('eth') }} {{ 'xeth0' is search('eth') }}",
     "True False True"),
    ("{{ nothing | default('x') }}{{ data.nothing | default('y') }}", "xy"),
    ("{% for n in range(3) %}{{ n }}{{ ',' if not loop.last }}{% endfor %}", "0,1,2"),
    ("{% set ns = namespace(n=0) %}{% for x in data.b %}{% set ns.n = ns.n + 1 %}{% endfor %}"
     "{{ ns.n }}", "4"),
    ("<b>{{ '<i>&\"' }}</b>", '<b><i>&"</b>'),
])
def test_what_people_write_in_templates(source, wanted):
    assert text(source, {"data": {"b": [1, 2.5, True, None], "a": "<&'ü>"}}) == wanted


def test_secrets_reach_the_template_and_nothing_that_failures_show():
    secrets = {"KEY": "hush-hush"}
    assert text("{{ secrets.KEY }}", secrets=secrets) == "hush-hush"
    answer = render('{"key": {{ secrets.KEY }} }', secrets=secrets)
    assert "hush" not in answer.payload
    assert "***" in failed(answer)["message"]


@pytest.mark.parametrize("source", [
    '{"a": 12hush-hush }',               # the place of the error is inside of the secret
    '{"a": ' + " " * 35 + '"hush-hush',  # the excerpt ends inside of it
    '"hush-hush' + " " * 35 + "x",       # begins
    '{{ ("x" * 395 ~ secrets.K) | to_datetime }}',
])
def test_an_excerpt_shows_no_piece_of_a_secret(source):
    answer = render(source, secrets={"K": "12hush-hush", "L": '"hush-hush'})
    failed(answer)
    assert "hush" not in answer.payload


def test_url_and_headers_are_templates_too():
    answer = render('{"a": 1}', {"id": "a b", "data": {"n": 5}},
                    url="https://x/{{ id | urlencode }}\n",
                    headers={"X-N": "{{ data.n }}", "X-Key": "{{ secrets.K }}"},
                    secrets={"K": "k-k-k"})
    assert answer.kind == "Q"
    assert answer.json == {"body": '{"a": 1}', "url": "https://x/a%20b",
                           "headers": {"X-N": "5", "X-Key": "k-k-k"}}


def test_a_header_of_two_lines_is_refused():
    answer = render("{}", {"id": "a\r\nX-Evil: 1"}, headers={"X-Id": "{{ id }}"})
    assert failed(answer)["message"].startswith("the header X-Id has a control character")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8",
                                  "application/cloudevents+json"])
def test_a_json_body_that_is_none_is_shown_with_its_place(kind):
    failure = failed(render('{\n  "a": {{ event }}\n}', content_type=kind))
    assert (failure["line"], failure["column"]) == (2, 8)
    assert failure["message"] == ('the rendered text is no JSON: expecting value at line 2, '
                                  'column 8: { "a": >>>infrahub.node.updated }')


@pytest.mark.parametrize("source, message", [
    ("", "the rendered text is empty, but its content type is JSON"),
    ("NaN", "the rendered text is no JSON: JSON has no NaN"),
    ("{} {}", "the rendered text is no JSON: extra data at line 1, column 4: {} >>>{}"),
    ("{{ '[' * 100000 }}", "the rendered text is nested too deep"),
])
def test_other_texts_that_are_no_json(source, message):
    assert failed(render(source))["message"] == message


def test_other_content_types_go_out_as_rendered():
    answer = render("a={{ event | urlencode }}", content_type="application/x-www-form-urlencoded")
    assert answer.payload == "a=infrahub.node.updated"


@pytest.mark.parametrize("source, message, line", [
    ("\n{{ evnt }}", "template: 'evnt' is undefined (<template>, line 2)", 2),
    ("\n{{ data.x.y }}", "template: 'dict object' has no attribute 'x' (<template>, line 2)", 2),
    ("{{ data.x | tojson }}",
     "template: 'dict object' has no attribute 'x' (<template>, line 1)", 1),
    ("{{ data.x | mandatory }}", "template: x is mandatory (<template>, line 1)", 1),
    ("\n\n{{ 1 / 0 }}", "template: ZeroDivisionError: division by zero (<template>, line 3)", 3),
    ("{% macro m() %}\n{{ 1 + 'a' }}{% endmacro %}\n{{ m() }}",
     "template: TypeError: unsupported operand type(s) for +: 'int' and 'str' "
     "(<template>, line 2)", 2),
    ("{{ '{' | from_json }}", "template: JSONDecodeError: Expecting property name", 1),
])
def test_what_fails_names_the_line_of_the_template(source, message, line):
    failure = failed(render(source))
    assert failure["message"].startswith(message)
    assert failure["line"] == line
    assert f'Template "<template>", line {line}' in failure["traceback"]


@pytest.mark.parametrize("source, message, line", [
    ("{{ a }", "template: unexpected '}' (<template>, line 1)", 1),
    ("\n{% for x in y %}", "template: Unexpected end of template.", 2),
    ("\n\n{{ a | nofilter }}", "template: No filter named 'nofilter'. (<template>, line 3)", 3),
])
def test_a_template_that_cannot_be_read_is_a_fault_of_the_configuration(source, message, line):
    failure = failed(render(source), "CONFIG")
    assert failure["message"].startswith(message)
    assert failure["line"] == line


def test_a_template_of_url_or_header_that_cannot_be_read_says_which():
    assert failed(render("{}", url="{{"), "CONFIG")["message"].startswith("the URL's template: ")
    failure = failed(render("{}", headers={"X-A": "{% if %}"}), "CONFIG")
    assert failure["message"].startswith("the template of the header X-A: ")


@pytest.mark.parametrize("source, message", [
    ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "access to attribute '__class__'"),
    ("{{ body.__init__.__globals__ }}", "access to attribute '__init__'"),
    ("{{ cycler.__init__.__globals__.os.system('id') }}", "access to attribute '__init__'"),
    ("{{ '{0.__class__}'.format(1) }}", "access to attribute '__class__'"),
    ("{{ data.update({'a': 1}) }}", "access to attribute 'update' of 'dict' object is unsafe"),
    ("{{ (data.list.append)(1) }}", "access to attribute 'append' of 'list' object is unsafe"),
    ("{% for x in range(1000000) %}{% endfor %}", "Range too big"),
    ("{{ 'x' * 100000000 }}", "the product is too long"),
    ("{{ 2 ** 100000000 }}", "the power is too large"),
])
def test_the_sandbox_refuses(source, message):
    assert message in failed(render(source, {"data": {"list": []}}))["message"]


def test_a_template_of_a_repository_includes_others(tmp_path):
    (tmp_path / "templates/parts").mkdir(parents=True)
    (tmp_path / "templates/slack.j2").write_text(
        "{% import 'templates/parts/names.j2' as names %}{\n"
        "{% include 'parts/text.j2' %}, \"n\": \"{{ names.name(event) }}\"}\n")
    (tmp_path / "templates/parts/text.j2").write_text('"text":\n{{ event.x | tojson }}')
    (tmp_path / "templates/parts/names.j2").write_text("{% macro name(e) %}<{{ e }}>{% endmacro %}")
    load = {"runtime": "jinja2", "root": str(tmp_path), "file": "templates/slack.j2"}
    failure = failed(run(load, {"event": "e"}))
    assert failure["line"] == 2 and "parts/text.j2" in failure["message"], failure
    (tmp_path / "templates/parts/text.j2").write_text('"text": {{ event | tojson }}')
    assert run(load, {"event": "e"}).json == {"text": "e", "n": "<e>"}
    failure = failed(run({**load, "file": "templates/gone.j2"}), "CONFIG")
    assert failure["message"] == "there is no template templates/gone.j2 at this commit"
    (tmp_path / "templates/slack.j2").write_text("{% include '../../../etc/passwd' %}")
    assert "there is no template" in failed(run(load, {"event": "e"}))["message"]


def test_answers_stay_in_order_among_failures():
    with Host({"runtime": "jinja2", "source": '{"n": {{ 10 // data }}}'}) as host:
        for number in range(100):
            host.send("T", json.dumps({"data": number % 3}))
        host.loaded()
        kinds = [host.answer().kind for _ in range(100)]
        assert kinds == ["F" if number % 3 == 0 else "B" for number in range(100)]
