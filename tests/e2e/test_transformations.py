"""Custom webhooks through the built program: code in jq, Jinja2 and Python, inline and in git."""

import base64
import hmac
import json
import os
import subprocess
import time
import uuid

import pytest

from herald_process import example, wait_until
from receivers import Recorder

JQ = 'import "herald" as h; {text: h::title, changes: h::changes}'
TITLE = "node.updated InfraInterfaceL3 Ethernet1 (branch alter-interface)"
CHANGES = [
    "role: peer -> peering",
    "description: Connected to atl1-edge2::Ethernet1 -> Connected to IX",
]
# As the guides of Infrahub write it: nothing in it knows herald.
INFRAHUB_CLASS = '''from infrahub_sdk.transforms import InfrahubTransform


class SlackWebhookTransform(InfrahubTransform):
    query = "placeholder_query"

    async def transform(self, data: dict) -> dict:
        return {{"text": f"{{data['event']}} on {{data['branch']}}: {version}"}}
'''
INFRAHUB_LIST = """---
python_transforms:
  - name: slack_webhook_transform
    class_name: SlackWebhookTransform
    file_path: "transforms/slack_webhook.py"
queries:
  - name: placeholder_query
    file_path: "queries/placeholder.gql"
"""


def git(folder, *words):
    env = {
        **os.environ,
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=env)


def commit_version(folder, version):
    (folder / "transforms").mkdir(exist_ok=True)
    code = INFRAHUB_CLASS.format(version=version)
    (folder / "transforms" / "slack_webhook.py").write_text(code)
    (folder / ".infrahub.yml").write_text(INFRAHUB_LIST)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", version)


@pytest.fixture
def repository(tmp_path):
    """A real one with two branches that differ."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    commit_version(folder, "version of main")
    git(folder, "checkout", "-qb", "alter-interface")
    commit_version(folder, "version of the branch")
    git(folder, "checkout", "-q", "main")
    return folder


def transformation(herald, name="made", **members):
    members = {"runtime": "jq", **({} if "repository" in members else {"source": JQ}), **members}
    answer = herald.client.post("/api/v1/transformations", json={"name": name, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def custom(herald, url, name="hook", transform="made", **attributes):
    return herald.webhook(url, name, kind="custom", transformation=transform, **attributes)


def deliver(herald, event, state="delivered"):
    event = {**event, "id": str(uuid.uuid4())}
    ids = herald.send(event).json()["deliveries"]
    return herald.settled(ids[0], state)


def test_a_jq_program_makes_the_body_and_it_is_signed(herald, recorder):
    transformation(herald)
    custom(herald, recorder.url, signature_profile="infrahub")
    deliver(herald, example("node_updated"))
    request = recorder.requests[0]
    assert json.loads(request["body"]) == {"text": TITLE, "changes": CHANGES}
    assert request["headers"]["content-type"] == "application/json"
    signed = b".".join(
        [request["headers"][f"webhook-{part}"].encode() for part in ("id", "timestamp")]
        + [request["body"]]
    )
    digest = hmac.new(b"supersecretkey", signed, "sha256").digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    assert request["headers"]["webhook-signature"] == wanted


def test_a_template_makes_body_url_and_headers_of_any_content_type(herald, recorder):
    transformation(
        herald,
        runtime="jinja2",
        source="event={{ event }}&name={{ data.changelog.display_label|urlencode }}",
        content_type="application/x-www-form-urlencoded",
        url=recorder.url + "/{{ branch }}",
        headers={"X-Kind": "{{ data.kind }}"},
    )
    custom(herald, "http://127.0.0.1:9/")
    deliver(herald, example("node_updated"))
    request = recorder.requests[0]
    assert request["body"] == b"event=infrahub.node.updated&name=Ethernet1"
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert request["headers"]["x-kind"] == "InfraInterfaceL3"
    assert request["path"].endswith("/alter-interface")


def test_an_unmodified_infrahub_class_runs_in_the_version_of_the_events_branch(
    herald, recorder, repository
):
    transformation(
        herald,
        runtime="python",
        repository={"location": str(repository), "transform": "slack_webhook_transform"},
    )
    custom(herald, recorder.url, retry={"preset": "none"})
    deliver(herald, example("node_updated"))
    deliver(herald, {**example("node_updated"), "branch": "main"})
    bodies = [json.loads(request["body"])["text"] for request in recorder.requests]
    assert bodies == [
        "infrahub.node.updated on alter-interface: version of the branch",
        "infrahub.node.updated on main: version of main",
    ]
    git(repository, "checkout", "-q", "main")
    commit_version(repository, "newer version")
    time.sleep(1.1)  # so often a local repository is looked at
    deliver(herald, {**example("node_updated"), "branch": "main"})
    assert json.loads(recorder.requests[2]["body"])["text"].endswith("newer version")
    failed = deliver(
        herald, {**example("node_updated"), "branch": "gone"}, state="failed"
    )
    attempt = failed["attempt_list"][0]
    assert attempt["failure_class"] == "CONFIG", attempt
    assert "has no branch gone" in attempt["message"]


def test_every_attempt_sends_the_same_bytes_over_a_kill_and_a_change_of_the_code(
    make_herald, tmp_path
):
    herald = make_herald().start()
    receiver = Recorder(script=[503])
    try:
        transformation(herald, source="{n: 1, event}")
        custom(herald, receiver.url, retry={"delays": ["0s", "2s"], "jitter": 0})
        ids = herald.send(example("node_updated")).json()["deliveries"]
        wait_until(lambda: herald.delivery(ids[0])["attempts"] == 1)
        answer = herald.client.patch("/api/v1/transformations/made", json={"source": "{n: 2}"})
        assert answer.json()["version"] == 2
        herald.kill()
        herald.start()
        herald.settled(ids[0])
        bodies = [request["body"] for request in receiver.requests]
        assert len(bodies) == 2
        assert bodies[0] == bodies[1] == b'{"n":1,"event":"infrahub.node.updated"}'
        deliver(herald, example("node_updated"))
        assert receiver.requests[2]["body"] == b'{"n":2}'
    finally:
        receiver.close()


def test_code_that_fails_is_recorded_as_transform_and_can_be_mended(herald, recorder):
    transformation(herald, runtime="python", source="def transform(data):\n    return data['x']\n")
    custom(herald, recorder.url, retry={"preset": "none"})
    failed = deliver(herald, example("node_updated"), state="failed")
    failure = failed["attempt_list"][0]
    assert failure["failure_class"] == "TRANSFORM"
    assert "KeyError: 'x'" in failure["message"]
    assert "line 2" in failure["message"]
    mended = {"source": "def transform(data):\n    return data\n"}
    herald.client.patch("/api/v1/transformations/made", json=mended)
    again = herald.client.post(f"/api/v1/deliveries/{failed['id']}/retry").json()
    herald.settled(again["id"])
    assert json.loads(recorder.requests[0]["body"])["event"] == "infrahub.node.updated"


@pytest.mark.parametrize(
    ("runtime", "source", "says"),
    [
        ("jq", "[limit(1; repeat(1) | select(. == 2))]", "longer than"),
        ("python", "def transform(data):\n    while True:\n        pass\n", "longer than"),
        ("python", "import os\ndef transform(data):\n    os.kill(os.getpid(), 11)\n", "signal"),
        ("python", "import os\ndef transform(data):\n    os._exit(3)\n", "exit"),
        ("python", "import sys\ndef transform(data):\n    sys.exit(3)\n", "exit"),
        ("python", "def transform(data):\n    return 'x' * 2_000_000_000\n", "emory"),
        ("python", "def transform(data):\n    return 'x' * 3_000_000\n", "bytes"),
        (
            "python",
            "import threading, time\ndef transform(data):\n"
            "    threading.Thread(target=time.sleep, args=(60,)).start()\n",
            "thread",
        ),
        (
            "python",
            "import os\ndef transform(data):\n    while True:\n        os.fork()\n",
            "",
        ),
    ],
    ids=["jq-loop", "loop", "crash", "exit", "sys.exit", "memory", "output", "threads", "forks"],
)
def test_bad_code_fails_alone_and_others_are_not_disturbed(
    herald, recorder, runtime, source, says
):
    transformation(herald)
    transformation(herald, "bad", runtime=runtime, source=source, timeout="1s")
    custom(herald, recorder.url, "good", event_type="infrahub.node.updated")
    custom(herald, recorder.url, "bad", "bad", event_type="infrahub.node.created",
           retry={"preset": "none"})
    failed = deliver(herald, example("node_created"), state="failed")
    failure = failed["attempt_list"][0]
    assert failure["failure_class"] == "TRANSFORM", failure
    assert says in failure["message"], failure
    deliver(herald, example("node_updated"))
    again = example("node_created")
    assert deliver(herald, again, state="failed")["attempt_list"][0]["failure_class"] == "TRANSFORM"


def test_what_code_prints_goes_nowhere_but_to_a_dry_run(herald, recorder):
    source = "def transform(data):\n    print('said')\n    return 1\n"
    transformation(herald, runtime="python", source=source)
    custom(herald, recorder.url)
    deliver(herald, example("node_updated"))
    assert recorder.requests[0]["body"] == b"1"
    ran = herald.cli("transform", "run", "made")
    assert json.loads(ran.stdout)["notes"] == "said\n"


def test_secrets_reach_the_receiver_and_nothing_else(make_herald, recorder):
    herald = make_herald({"ROUTING": "geheimgeheim"}).start()
    transformation(
        herald,
        runtime="jinja2",
        source='{"key": {{ secrets.ROUTING|tojson }}}',
        url=recorder.url + "?q={{ secrets.ROUTING }}",
        headers={"X-Note": "it is {{ secrets.ROUTING }}"},
        secrets={"ROUTING": "env:ROUTING"},
    )
    custom(herald, "http://127.0.0.1:9/")
    done = deliver(herald, example("node_updated"))
    assert json.loads(recorder.requests[0]["body"]) == {"key": "geheimgeheim"}
    ran = herald.cli("transform", "run", "made")
    assert ran.returncode == 0, ran.stderr
    for text in [json.dumps(done), ran.stdout, herald.log.read_text()]:
        assert "geheim" not in text
    shown = herald.client.get("/api/v1/transformations/made").json()
    assert shown["secrets"] == {"ROUTING": "env:ROUTING"}


def test_the_success_rule_and_the_limit_of_a_receiver(herald):
    receiver = Recorder()
    try:
        custom(
            herald, receiver.url, transform=None, retry={"preset": "none"},
            success={"body_contains": "never said"}, request={"method": "PUT"},
        )
        failed = deliver(herald, example("node_updated"), state="failed")
        assert "success rule" in failed["attempt_list"][0]["message"]
        assert receiver.requests[0]["method"] == "PUT"
        small = {"request": {"max_bytes": 10}, "success": None}
        herald.client.patch("/api/v1/webhooks/hook", json=small)
        failed = deliver(herald, example("node_updated"), state="failed")
        assert failed["attempt_list"][0]["failure_class"] == "CONFIG"
        assert len(receiver.requests) == 1
    finally:
        receiver.close()


def test_the_command_line_manages_tries_and_points_at_mistakes(herald, tmp_path):
    code = tmp_path / "chat.jq"
    code.write_text(JQ)
    made = herald.cli("transform", "create", "chat", "--source-file", code)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["runtime"] == "jq"
    tested = herald.cli("transform", "test", "chat")
    assert tested.returncode == 0, tested.stdout
    assert {row["result"] for row in json.loads(tested.stdout)} == {"ok"}
    expected = tmp_path / "chat.json"
    expected.write_text(json.dumps({"text": "other", "changes": []}))
    tested = herald.cli(
        "transform", "test", "chat", "--event", "infrahub.node.updated", "--expect", expected
    )
    assert tested.returncode == 1
    code.write_text("{a: 1,\n b: }")
    ran = herald.cli("transform", "run", "--source-file", code)
    assert ran.returncode == 1
    assert "2 |  b: }" in ran.stderr
    listed = json.loads(herald.cli("transform", "list").stdout)
    assert [one["name"] for one in listed] == ["chat"]
    stored = herald.send(example("node_updated")).json()["id"]
    raw = herald.cli("transform", "run", "chat", stored, "--raw")
    assert json.loads(raw.stdout) == {"text": TITLE, "changes": CHANGES}
    assert herald.cli("transform", "update", "chat", "--timeout", "2s").returncode == 0
    assert json.loads(herald.cli("transform", "get", "chat").stdout)["timeout"] == "2s"
    assert herald.cli("transform", "delete", "chat").returncode == 0
    assert herald.cli("transform", "get", "chat").returncode == 1


def test_a_dry_run_shows_texts_as_they_are_and_a_traceback_by_its_lines(herald, tmp_path):
    template = tmp_path / "note.j2"
    template.write_text("first\n  {{ event }}\n")
    options = ["--source-file", template, "--content-type", "text/plain", "--raw"]
    assert herald.cli("transform", "run", *options).stdout == "first\n  infrahub.node.updated\n"
    code = tmp_path / "wrong.py"
    inner = "def inner():\n    return 1 / 0\n"
    code.write_text(inner + "\n\ndef transform(data):\n    return inner()\n")
    shown = herald.cli("transform", "run", "--source-file", code).stderr.splitlines()
    assert "    2 |     return 1 / 0" in shown
    assert any(line.strip().startswith("File") and "line 6" in line for line in shown)
    assert any(line.strip() == "ZeroDivisionError: division by zero" for line in shown)


def test_health_is_in_the_command_line_and_in_the_metrics(herald):
    """A webhook whose receiver is away becomes failing where people look."""
    herald.webhook("http://127.0.0.1:9/", breaker={"failures": 1}, retry={"preset": "none"})
    deliver(herald, example("node_updated"), state="failed")
    wait_until(lambda: '"failing"' in herald.cli("webhook", "list").stdout, 10, "the state")
    shown = herald.cli("webhook", "get", "hook", "--output", "table").stdout
    assert "failing since" in shown
    metrics = herald.client.get("/metrics").text
    assert 'herald_webhook_state{webhook="hook",state="failing"} 1' in metrics
