"""Functions and classes in Python, run by the host as herald starts it."""

import json

import pytest
from host_client import Host, event, run


def inline(source, body=None, **load):
    return run({"source": source, **load}, body)


def failed(answer, kind="TRANSFORM"):
    assert answer.kind == "F", answer
    failure = answer.json
    assert failure["class"] == kind, failure
    assert "\n" not in failure["message"]
    assert set(failure) == {"class", "message", "line", "column", "traceback"}
    return failure


def test_a_function_gets_the_whole_body_and_its_result_is_compact_json():
    answer = inline("def transform(data):\n    return {'a': data['event'], 'b': [1, 2.5, 'ü']}\n")
    assert answer.kind == "B"
    assert answer.payload == r'{"a":"infrahub.node.updated","b":[1,2.5,"\u00fc"]}'


def test_the_input_may_be_the_inner_data_as_in_older_versions():
    source = "def transform(data):\n    return sorted(data)\n"
    assert inline(source, input="data").json == sorted(event()["data"])
    assert inline(source, {"data": {}, "id": 1}, input="data").json == ["data", "id"]


@pytest.mark.parametrize("source", [
    "async def transform(data):\n    return data['id']\n",
    "import asyncio\nasync def transform(data):\n    await asyncio.sleep(0.001)\n"
    "    return data['id']\n",
    "import asyncio\nasync def transform(data):\n"
    "    return await asyncio.to_thread(lambda: data['id'])\n",
    "import asyncio\nasync def one(data): return data['id']\n"
    "def transform(data):\n    return asyncio.run(one(data))\n",
    "class Transform:\n    def transform(self, data): return data['id']\n",
    "class Transform:\n    async def transform(self, data): return data['id']\n",
])
def test_functions_and_classes_sync_and_async(source):
    with Host({"source": source}) as host:
        host.loaded()
        for number in range(3):
            answer = host.ask({"id": number})
            assert (answer.kind, answer.json) == ("B", number), answer


def test_a_function_may_take_the_secrets_which_are_in_the_environment_too():
    source = ("import os\ndef transform(data, secrets):\n"
              "    return [secrets['KEY'] == os.environ['KEY'], len(os.environ['KEY'])]\n")
    assert inline(source, secrets={"KEY": "hush-hush"}).json == [True, 9]


def test_answers_come_in_order_however_many_events_were_written_ahead():
    source = ("import time\ndef transform(data):\n    if data['n'] % 50 == 7: time.sleep(0.01)\n"
              "    if data['n'] % 10 == 3: raise ValueError(data['n'])\n    return data['n']\n")
    with Host({"source": source}) as host:
        for number in range(300):
            host.send("T", json.dumps({"n": number}))
        host.loaded()
        for number in range(300):
            answer = host.answer()
            if number % 10 == 3:
                assert failed(answer)["message"].startswith(f"ValueError: {number}")
            else:
                assert answer.json == number


def test_large_events_and_answers_pass():
    body = {"text": "x" * 3_000_000}
    assert inline("def transform(data):\n    return data\n", body).json == body


def test_what_the_code_prints_comes_as_notes_and_breaks_nothing():
    source = ("import logging, sys\nlogging.basicConfig(level='INFO')\n"
              "def transform(data):\n"
              "    print('one'); sys.stderr.write('two\\n'); sys.stdout.buffer.write(b'three\\n')\n"
              "    logging.info('four'); print('the key is', 'hush-hush')\n"
              "    return 1\n")
    answer = inline(source, secrets={"KEY": "hush-hush"})
    assert answer.json == 1
    assert answer.notes == "one\ntwo\nthree\nINFO:root:four\nthe key is ***\n"


def test_notes_are_bounded_and_do_not_show_half_a_secret():
    source = "def transform(data):\n    print('hush-hush ' * 100000)\n    return 1\n"
    notes = inline(source, secrets={"KEY": "hush-hush"}).notes
    assert len(notes.encode()) <= 4096
    assert "hush" not in notes


@pytest.mark.parametrize("code, message", [
    ("sys.exit(3)", "called sys.exit(3)"),
    ("sys.exit()", "called sys.exit()"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("return data['nothing']", "KeyError: 'nothing'"),
    ("return transform(data)", "RecursionError: maximum recursion depth exceeded"),
    ("raise MemoryError", "MemoryError: it needs more memory than it may use"),
    ("raise Odd", "Odd: <its message cannot be read: ZeroDivisionError>"),
    ("raise ValueError('a\\nb' * 1000)", "ValueError: a ba b"),
])
def test_what_the_code_raises_is_a_failure_that_names_the_line(code, message):
    source = ("import sys\nclass Odd(Exception):\n    def __str__(self): return str(1 / 0)\n"
              f"def transform(data):\n    {code}\n")
    failure = failed(inline(source))
    assert failure["message"].startswith(message)
    assert failure["line"] == 5
    assert len(failure["message"]) < 500
    assert len(failure["traceback"].encode()) <= 2048
    assert '"<transformation>", line 5' in failure["traceback"]
    assert "herald_" not in failure["traceback"]


def test_the_host_goes_on_after_a_failure():
    source = "def transform(data):\n    if data['n'] == 1: sys.exit()\n    return 1\nimport sys\n"
    with Host({"source": source}) as host:
        host.loaded()
        assert [host.ask({"n": number}).kind for number in (0, 1, 2)] == ["B", "F", "B"]


def test_a_failure_does_not_show_secrets():
    source = ("def transform(data, secrets):\n    key = secrets['KEY']\n"
              "    raise ValueError('at https://x/?key=' + key + ' ' + repr(key))\n")
    answer = inline(source, secrets={"KEY": "hush\"hush"})
    assert "hush" not in answer.payload
    assert "***" in failed(answer)["message"]
    assert "***" in failed(answer)["traceback"]


@pytest.mark.parametrize("result, message", [
    ("{'a': [1, float('nan')]}", "nan at .a[1]"),
    ("{'a': {'when': datetime.now()}}", "a value of type datetime at .a.when"),
    ("{(1, 2): 3}", "a key of type tuple at its top"),
    ("{'a': slow()}", "a coroutine (is an await missing?) at .a"),
    ("{1, 2}", "a value of type set at its top"),
])
def test_a_result_that_is_no_json_is_named_with_its_place(result, message):
    source = ("from datetime import datetime\nasync def slow(): pass\n"
              f"def transform(data):\n    return {result}\n")
    assert failed(inline(source))["message"] == f"the result is no JSON: {message}"


@pytest.mark.parametrize("code, message", [
    ("a = []; a.append(a); return a", "contains itself"),
    ("a = []\n    for _ in range(100000): a = [a]\n    return a", "nested too deep"),
])
def test_a_result_without_end_is_a_failure(code, message):
    source = f"def transform(data):\n    if data['n']: return 1\n    {code}\n"
    with Host({"source": source}) as host:
        host.loaded()
        assert message in failed(host.ask({"n": 0}))["message"]
        assert host.ask({"n": 1}).json == 1


@pytest.mark.parametrize("start, message", [
    ("threading.Thread(target=time.sleep, args=(60,)).start()", "left 1 thread running"),
    ("[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in '12']",
     "left 2 threads running"),
])
def test_threads_left_behind_are_a_failure_and_the_host_ends(start, message):
    source = ("import threading, time\ndef transform(data):\n"
              f"    if data['n']: {start}\n    return 1\n")
    with Host({"source": source}) as host:
        host.loaded()
        assert host.ask({"n": 0}).json == 1
        assert message in failed(host.ask({"n": 1}))["message"]
        assert host.answer() is None
        assert host.process.wait(5) == 0


def test_threads_that_ended_are_no_failure():
    source = ("from concurrent.futures import ThreadPoolExecutor\ndef transform(data):\n"
              "    with ThreadPoolExecutor(4) as pool:\n"
              "        return list(pool.map(lambda x: x * 2, data['n']))\n")
    assert inline(source, {"n": [1, 2, 3]}).json == [2, 4, 6]


def test_asyncio_tasks_left_behind_are_a_failure():
    source = ("import asyncio\nasync def transform(data):\n"
              "    if data['n']: asyncio.create_task(asyncio.sleep(60))\n    return 1\n")
    with Host({"source": source}) as host:
        host.loaded()
        assert "left 1 asyncio task" in failed(host.ask({"n": 1}))["message"]
        assert host.ask({"n": 0}).json == 1


def test_sys_exit_in_a_task_of_its_own_is_a_failure():
    source = ("import asyncio, sys\nasync def end(): sys.exit(4)\n"
              "async def transform(data):\n    await asyncio.create_task(end())\n")
    assert "called sys.exit(4)" in failed(inline(source))["message"]


@pytest.mark.parametrize("ending", ["while True: pass", "os._exit(7)", "os.abort()",
                                    "time.sleep(60)"])
def test_answers_before_one_that_hangs_or_ends_the_process_are_out(ending):
    source = ("import os, time\ndef transform(data):\n    if data['n'] < 5: return data['n']\n"
              f"    {ending}\n")
    with Host({"source": source}) as host:
        for number in range(8):
            host.send("T", json.dumps({"n": number}))
        host.loaded()
        assert [host.answer().json for _ in range(5)] == [0, 1, 2, 3, 4]
        host.process.kill()
        assert host.answer() is None


@pytest.mark.parametrize("source, message, line", [
    ("def transform(data:\n    pass\n", "SyntaxError: '(' was never closed", 1),
    ("import nothing_of_this_name\n",
     "ModuleNotFoundError: No module named 'nothing_of_this_name'", 1),
    ("x = 1\n", "there is no transformation in the code", None),
    ("def transform(): pass\n", "transform takes 0 values", None),
    ("class Transform: pass\n", "the class Transform has no method transform(self, data)", None),
    ("\n1 / 0\n", "ZeroDivisionError: division by zero", 2),
    ("import sys\nsys.exit(1)\n", "called sys.exit(1)", 2),
])
def test_code_that_cannot_be_loaded_is_a_fault_of_the_configuration(source, message, line):
    failure = failed(inline(source), "CONFIG")
    assert failure["message"].startswith(message)
    assert failure["line"] == line


def test_a_misspelt_class_is_named_with_the_one_that_is_there():
    source = "class SlackWebhook:\n    def transform(self, data): return 1\n"
    failure = failed(inline(source, **{"class": "SlackWebhok"}), "CONFIG")
    assert failure["message"] == \
        "there is no class SlackWebhok in the code: did you mean SlackWebhook?"


def test_a_file_of_a_repository_imports_its_neighbours_and_from_the_root(tmp_path):
    (tmp_path / "transforms").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/names.py").write_text("def name(data): return data['event']\n")
    (tmp_path / "transforms/other.py").write_text("ONE = 1\n")
    (tmp_path / "transforms/slack.py").write_text(
        "from shared.names import name\nfrom .other import ONE\nimport other\n"
        "def transform(data):\n    return [name(data), ONE, other.ONE, data['x']]\n")
    load = {"root": str(tmp_path), "file": "transforms/slack.py"}
    assert run(load, {"event": "e", "x": 2}).json == ["e", 1, 1, 2]
    failure = failed(run(load, {"event": "e"}))
    assert failure["message"] == "KeyError: 'x' (transforms/slack.py, line 5)"
    assert str(tmp_path) not in failure["traceback"]


@pytest.mark.parametrize("name, message", [
    ("gone.py", "the repository has no file gone.py at this commit"),
    ("../out.py", "../out.py is outside of its repository"),
    ("link.py", "link.py is outside of its repository"),
])
def test_files_outside_of_the_repository_are_refused(tmp_path, name, message):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "out.py").write_text("def transform(data): return 1\n")
    (root / "link.py").symlink_to(tmp_path / "out.py")
    failure = failed(run({"root": str(root), "file": name}), "CONFIG")
    assert failure["message"] == message


def test_modules_given_are_importable_when_nothing_real_has_their_name():
    modules = {"made": "NAME = 'made'\n", "made.inner": "NAME = 'inner'\n",
               "json": "NAME = 'not this'\n", "json.extra": "NAME = 'nor this'\n"}
    source = ("import json, made\nfrom made.inner import NAME\ntry:\n    import json.extra\n"
              "except ImportError:\n    MISSING = True\n"
              "def transform(data):\n    return [made.NAME, NAME, json.loads('1'), MISSING]\n")
    assert inline(source, modules=modules).json == ["made", "inner", 1, True]


def test_url_and_headers_are_templates_for_code_too():
    answer = inline("def transform(data):\n    data['id'] = 'changed'\n    return [1]\n",
                    {"id": "a b", "event": "e"}, url="https://x/{{ id | urlencode }}",
                    headers={"X-Event": "{{ event }}"})
    assert answer.kind == "Q"
    assert answer.json == {"body": "[1]", "url": "https://x/a%20b", "headers": {"X-Event": "e"}}
