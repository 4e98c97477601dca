"""The command line as a user types it."""

import json
import signal
import subprocess
import time

from herald_process import HERALD, EXAMPLES, clean_environment, example


def run(*args, input=None, env=None):
    return subprocess.run(
        [HERALD, *map(str, args)],
        input=input,
        capture_output=True,
        text=True,
        env=clean_environment(**(env or {})),
        timeout=60,
    )


def test_webhook_is_created_listed_changed_and_deleted(herald, recorder, key_file):
    created = herald.cli(
        "webhook", "create", "eda", "--url", recorder.url, "-e", "infrahub.node.*",
        "--branch-scope", "all_branches", "--shared-key-file", key_file, "-H", "X-Site: par1",
    )  # fmt: skip
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout)["headers"] == [{"key": "X-Site", "value": "par1"}]
    [listed] = json.loads(herald.cli("webhook", "list").stdout)
    assert listed["name"] == "eda"
    table = herald.cli("webhook", "list", "-o", "table").stdout.splitlines()
    assert table[0].startswith("NAME") and table[1].startswith("eda")
    paused = herald.cli("webhook", "pause", "eda")
    assert json.loads(paused.stdout)["active"] is False
    assert json.loads(herald.cli("webhook", "resume", "eda").stdout)["active"] is True
    updated = herald.cli("webhook", "update", "eda", "--description", "for the fabric")
    assert json.loads(updated.stdout)["description"] == "for the fabric"
    assert herald.cli("webhook", "delete", "eda").returncode == 0
    assert herald.cli("webhook", "get", "eda").returncode == 1


def test_trigger_waits_for_the_outcome(herald, recorder):
    herald.webhook(recorder.url)
    done = herald.cli("trigger", "infrahub.node.created", "--branch", "main", "--wait")
    assert done.returncode == 0, done.stderr
    [delivery] = json.loads(done.stdout)
    assert delivery["state"] == "delivered"
    assert json.loads(recorder.requests[0]["body"])["branch"] == "main"


def test_failed_delivery_ends_with_five_and_says_what_to_do(herald):
    herald.webhook("http://127.0.0.1:9/", retry={"preset": "none"})
    done = herald.cli("event", "send", EXAMPLES / "node_updated.json", "--wait")
    assert done.returncode == 5
    assert "refused" in done.stderr.lower()


def test_event_is_found_by_list_and_get(herald):
    herald.send(example("node_updated"))
    [listed] = json.loads(herald.cli("event", "list", "--event", "infrahub.node.*").stdout)
    found = json.loads(herald.cli("event", "get", listed["id"]).stdout)
    assert found["body"] == example("node_updated")
    text = herald.cli("event", "get", listed["id"], "-o", "table").stdout
    assert "peering" in text


def test_yaml_output(herald, recorder):
    herald.webhook(recorder.url)
    assert 'name: "hook"' in herald.cli("webhook", "list", "-o", "yaml").stdout


def test_unreachable_server_ends_with_three():
    done = run("webhook", "list", "--address", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert "herald serve" in done.stderr


def test_wrong_usage_ends_with_two():
    assert run("webhook", "frobnicate").returncode == 2
    assert run().returncode == 2


def test_missing_token_ends_with_four(make_herald):
    herald = make_herald(env={"HERALD_API_TOKEN": "0123456789abcdef"}).start()
    done = run("webhook", "list", "--address", herald.url)
    assert done.returncode == 4
    assert "--token-file" in done.stderr


def test_sign_and_verify_agree_for_every_profile(key_file):
    body = EXAMPLES / "node_updated.json"
    for profile in ["infrahub", "infrahub-spaced", "infrahub-repr"]:
        signed = run("sign", body, "--key-file", key_file, "--signature-profile", profile)
        headers = json.loads(signed.stdout)
        verified = run(
            "verify", "-", "--key-file", key_file, "--id", headers["webhook-id"], "--timestamp",
            headers["webhook-timestamp"], "--signature", headers["webhook-signature"],
            input=headers["body"],
        )  # fmt: skip
        assert verified.returncode == 0, verified.stderr
        assert json.loads(verified.stdout)["verdict"] == "valid"


def test_wrong_signature_ends_with_six(key_file):
    done = run(
        "verify", "-", "--key-file", key_file, "--id", "msg_1", "--timestamp", "1740656629",
        "--signature", "v1,AAAA", "--tolerance", "none", input="{}",
    )  # fmt: skip
    assert done.returncode == 6


def test_vector_of_the_original(tmp_path):
    key = tmp_path / "key"
    key.write_text("test")
    signed = run(
        "sign", "-", "--key-file", key, "--id", "msg_217b4ebcb84f4736b1ee222182aed371",
        "--timestamp", "1740656629", input="{}",
    )  # fmt: skip
    expected = "v1,BQN9AgPA4evuGDChi9VKxNKRwediIXsAQz8hVHMfKNg="
    assert json.loads(signed.stdout)["webhook-signature"] == expected


def test_serve_refuses_to_listen_wide_without_a_token(tmp_path):
    done = run("serve", "--listen", "0.0.0.0:0", "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert "HERALD_API_TOKEN" in done.stderr


def test_unknown_configuration_is_refused_with_a_suggestion(tmp_path):
    file = tmp_path / "herald.toml"
    file.write_text('lisen = "127.0.0.1:1"\n')
    done = run("config", "check", "--config", file)
    assert done.returncode == 2
    assert "did you mean listen" in done.stderr
    done = run("config", "check", env={"HERALD_LISEN": "127.0.0.1:1"})
    assert done.returncode == 2
    assert "did you mean HERALD_LISTEN" in done.stderr


def test_secrets_are_masked_in_the_printed_configuration():
    done = run("config", "print", env={"HERALD_API_TOKEN": "0123456789abcdef-secret"})
    assert done.returncode == 0, done.stderr
    assert "0123456789abcdef-secret" not in done.stdout
    assert '"***"' in done.stdout


def test_completion_names_the_commands():
    for shell in ["bash", "zsh", "fish"]:
        done = run("completion", shell)
        assert done.returncode == 0
        assert "webhook" in done.stdout and "trigger" in done.stdout


def test_every_command_explains_itself():
    for command in ["serve", "webhook", "event", "delivery", "listen", "trigger", "sign", "verify"]:
        done = run(command, "--help")
        assert done.returncode == 0
        assert len(done.stdout) > 200
    for topic in ["exit-codes", "environment", "signatures"]:
        assert run("help", topic).returncode == 0


def test_unknown_words_and_options_get_a_suggestion():
    for words, says in [
        (["webhok", "list"], "unknown command webhok: did you mean webhook?"),
        (["webhok", "--help"], "unknown command webhok: did you mean webhook?"),
        (["webhook", "creat"], "unknown command creat: did you mean create?"),
        (["webhook", "create", "a", "--urll", "x"], "unknown option --urll: did you mean --url?"),
        (["--outptu", "json", "webhook", "list"], "did you mean --output?"),
        (["webhook"], "a command is missing: one of create, update"),
    ]:
        done = run(*words)
        assert done.returncode == 2
        assert says in done.stderr, done.stderr
        assert "--help`" in done.stderr
        assert done.stdout == ""


def test_bare_program_shows_what_there_is_on_stderr():
    done = run()
    assert done.returncode == 2 and done.stdout == ""
    assert "herald serve" in done.stderr and "Subcommands:" in done.stderr


def test_help_of_a_group_has_one_line_for_each_command():
    text = run("webhook", "--help").stdout
    rows = text[text.index("Subcommands:") :].splitlines()[1:]
    assert [row.split()[0] for row in rows if row.startswith("  ")] == [
        "create", "update", "list", "get", "delete", "pause", "resume", "recover", "test",
        "explain", "lint", "backtest",
    ]  # fmt: skip


def test_an_option_that_may_be_repeated_does_not_swallow_what_follows(herald, key_file):
    created = herald.cli(
        "webhook", "create", "-e", "infrahub.node.created", "-e", "infrahub.node.deleted", "eda",
        "--url", "http://127.0.0.1:9/", "--shared-key-file", key_file,
    )  # fmt: skip
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout)["event_type"] == [
        "infrahub.node.created",
        "infrahub.node.deleted",
    ]


def test_options_are_set_by_their_path(herald):
    herald.webhook("http://127.0.0.1:9/")
    wrong = herald.cli("webhook", "update", "hook", "--set", "retry_on=TIMEOUT")
    assert wrong.returncode != 0 and "retry_on" in wrong.stderr
    nameless = herald.cli("webhook", "update", "hook", "--set", "retry_on")
    assert nameless.returncode == 2 and "path=value" in nameless.stderr
    changed = herald.cli("webhook", "update", "hook", "--set", 'retry_on=["TIMEOUT"]')
    assert changed.returncode == 0, changed.stderr
    assert json.loads(changed.stdout)["retry_on"] == ["TIMEOUT"]
    herald.cli("webhook", "update", "hook", "--set", "pacing.rate_limit=10/s")
    shown = herald.cli("webhook", "get", "hook", "-o", "table").stdout
    rows = dict(row.split(maxsplit=1) for row in shown.splitlines())
    assert rows["retry_on"] == '["TIMEOUT"]'
    assert rows["pacing"].startswith("rate_limit=10/s max_in_flight=64 ordering=none")
    assert not {"breaker", "conditions", "proxy"} & rows.keys(), "what is as usual is left out"


def test_table_of_a_webhook_is_for_people(herald, key_file):
    created = herald.cli(
        "webhook", "create", "eda", "--url", "http://127.0.0.1:9/?token=abc", "--shared-key-file",
        key_file, "-H", "X-Site: par1", "--env-header", "X-Pass: PASSWORD", "-o", "table",
        "-e", "infrahub.branch.created",
    )  # fmt: skip
    rows = dict(row.split(maxsplit=1) for row in created.stdout.splitlines())
    assert rows["timeout"] == "15 s"
    assert rows["headers"] == "X-Site: par1, X-Pass: $PASSWORD"
    assert rows["retry"] == "standard"
    assert rows["url"] == "http://127.0.0.1:9/?token=***"
    assert not {"warnings", "description", "node_kind"} & rows.keys()
    assert "warning: " in created.stderr and "never fires" in created.stderr


def test_numbers_of_any_size_are_printed_as_they_came(herald):
    event = '{"event":"a","data":{"n":%s,"f":1e400,"z":-0.0}}' % ("9" * 500)
    sent = herald.cli("event", "send", "-", input=event)
    assert sent.returncode == 0, sent.stderr
    [result] = json.loads(sent.stdout)
    for output in ["json", "yaml"]:
        text = herald.cli("event", "get", result["id"], "-o", output).stdout
        assert "9" * 500 in text and "1e400" in text and "-0.0" in text
    shown = run("trigger", "--set", "data.n=" + "9" * 500, "--print").stdout
    assert '"n": ' + "9" * 500 in shown


def test_yaml_keeps_null_apart_from_the_text_null(herald):
    sent = herald.cli("event", "send", "-", input='{"event":"null","data":{"a":"true"}}')
    [result] = json.loads(sent.stdout)
    text = herald.cli("event", "get", result["id"], "-o", "yaml").stdout
    assert "branch: null\n" in text
    assert 'event: "null"\n' in text and 'a: "true"\n' in text


def test_text_of_others_cannot_drive_the_terminal(herald):
    branch = "a\x1b[31mb\x9b1mc\nd"
    herald.send({"event": "a", "data": {}, "branch": branch})
    for output in ["table", "json", "yaml"]:
        text = herald.cli("event", "list", "-o", output).stdout
        assert "\x1b" not in text and "\x9b" not in text
    [listed] = json.loads(herald.cli("event", "list").stdout)
    assert listed["branch"] == branch


def test_color_is_used_only_when_asked_for(herald):
    herald.webhook("http://127.0.0.1:9/", retry={"preset": "none"})
    herald.cli("trigger", "--wait")
    listed = ["delivery", "list", "-o", "table"]
    assert "\x1b[31mfailed" in herald.cli(*listed, "--color", "always").stdout
    for more, env in [([], {}), (["--color", "never"], {}), ([], {"NO_COLOR": "1"})]:
        assert "\x1b" not in herald.cli(*listed, *more, env=env).stdout


def test_an_address_that_is_no_herald_is_told_apart(recorder):
    done = run("webhook", "list", "--address", recorder.url)
    assert done.returncode == 3
    done = run("webhook", "list", "--address", "ftp://user:password@host")
    assert done.returncode == 2
    assert "http://" in done.stderr and "password" not in done.stderr


def test_listen_is_recognised_as_no_herald(listener):
    done = run("event", "list", "--address", listener().url)
    assert done.returncode == 3
    assert "no herald" in done.stderr and done.stdout == ""


def test_token_file_that_cannot_be_read_is_an_error(herald):
    done = herald.cli("webhook", "list", "--token-file", "/nonexistent")
    assert done.returncode == 2
    assert "cannot read /nonexistent" in done.stderr


def test_every_catalogue_event_can_be_triggered(herald, recorder):
    herald.webhook(recorder.url, event_type=["all", "herald.*"])
    types = [row["event"] for row in json.loads(run("trigger", "--list").stdout)]
    served = herald.client.get("/api/v1/event-types").json()["items"]
    assert types == [one["event"] for one in served] and len(types) == 36
    for event in types:
        done = herald.cli("trigger", event)
        assert done.returncode == 0, done.stderr
        [delivery] = json.loads(done.stdout)["deliveries"]
        herald.settled(delivery)
    assert [json.loads(r["body"])["event"] for r in recorder.requests] == types
    wrong = herald.cli("trigger", "infrahub.node.updatd")
    assert wrong.returncode == 2 and "did you mean infrahub.node.updated?" in wrong.stderr


def test_trigger_sends_straight_to_a_receiver(listener, key_file):
    receiver = listener("--key-file", key_file)
    done = run("trigger", "infrahub.branch.created", "--url", receiver.url, "--key-file", key_file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == 200
    [seen] = receiver.lines(1)
    assert seen["signature"] == "valid"
    key_file.write_text("another key\n")
    done = run("trigger", "infrahub.branch.created", "--url", receiver.url, "--key-file", key_file)
    assert done.returncode == 5
    assert json.loads(done.stdout)["status"] == 403


def test_listen_fails_and_waits_on_demand(herald, listener, key_file):
    receiver = listener("--key-file", key_file, "--fail-first", 2, "--fail-status", 500)
    herald.webhook(receiver.url, retry={"delays": ["0s", "0s", "0s"], "jitter": 0})
    assert herald.cli("webhook", "test", "hook", "--no-wait").returncode == 0
    assert [line["answered"] for line in receiver.lines(3)] == [500, 500, 200]
    slow = listener("--delay", "1500ms", "--count", 1)
    herald.webhook(slow.url, name="slow", timeout=1, retry={"preset": "none"})
    done = herald.cli("webhook", "test", "slow")
    assert done.returncode == 5
    assert json.loads(done.stdout)[0]["failure_class"] == "TIMEOUT"
    assert slow.process.wait(timeout=10) == 0


def test_a_test_that_has_to_wait_says_so_at_once(herald, recorder):
    def told(name):
        began = time.monotonic()
        done = herald.cli("webhook", "test", name)
        assert time.monotonic() - began < 20 and done.returncode == 5
        assert json.loads(done.stdout)[0]["state"] == "pending"
        assert "The test waits until the webhook is resumed" in done.stderr
        assert f"herald webhook resume {name}\n" in done.stderr
        return done.stderr

    herald.webhook(recorder.url, name="off", active=False)
    assert told("off").startswith("off is paused\n")
    recorder.script = [410]
    herald.webhook(recorder.url, name="left")
    assert herald.cli("webhook", "test", "left").returncode == 5
    text = told("left")
    assert text.startswith("left is stopped, as it is gone since ")
    assert ": the receiver answered 410 Gone" in text
    later = herald.cli("webhook", "test", "left", "--no-wait")
    assert later.returncode == 0 and "left is stopped" in later.stderr
    assert len(recorder.requests) == 1


def test_delivery_is_repeated_and_cancelled(herald, recorder):
    recorder.script = [500]
    hook = herald.webhook(recorder.url, retry={"delays": ["0s", "1h"]})
    triggered = herald.cli("trigger", "--wait")
    assert triggered.returncode == 5
    [first] = json.loads(triggered.stdout)
    assert first["state"] == "pending" and first["webhook"]["id"] == hook["id"]
    conflict = herald.cli("delivery", "retry", first["id"])
    assert conflict.returncode == 1 and "in progress" in conflict.stderr
    cancelled = herald.cli("delivery", "cancel", first["id"])
    assert json.loads(cancelled.stdout)["state"] == "cancelled"
    again = herald.cli("delivery", "retry", first["id"], "--wait")
    assert again.returncode == 0, again.stderr
    [second] = json.loads(again.stdout)
    assert second["redelivers"] == first["id"] and second["state"] == "delivered"
    listed = json.loads(herald.cli("delivery", "list", "--state", "cancelled").stdout)
    assert [one["id"] for one in listed] == [first["id"]]
    assert herald.cli("delivery", "get", "msg_" + "0" * 32).returncode == 1


def test_events_are_followed_as_they_come(herald):
    herald.send(example("branch_created"))
    tail = subprocess.Popen(
        [HERALD, "event", "tail"],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(HERALD_ADDRESS=herald.url),
    )
    assert json.loads(tail.stdout.readline())["event"] == "infrahub.branch.created"
    herald.send(example("node_updated"))
    assert json.loads(tail.stdout.readline())["event"] == "infrahub.node.updated"
    tail.send_signal(signal.SIGINT)
    assert tail.wait(timeout=10) == 130


def test_lines_and_arrays_are_sent_and_the_bad_ones_reported(herald):
    lines = '{"event":"a","data":{}}\n{"event":"b"}\n{"event":"c","data":{}}\n'
    done = herald.cli("event", "send", "-", "-o", "table", input=lines)
    assert done.returncode == 1
    assert "/1/data must be an object" in done.stdout
    assert done.stdout.count("accepted") == 2


def test_what_was_stored_before_is_not_waited_for(herald, recorder):
    herald.webhook(recorder.url)
    file = EXAMPLES / "node_updated.json"
    assert json.loads(herald.cli("event", "send", file, "--wait").stdout)[0]["state"] == "delivered"
    again = herald.cli("event", "send", file, "--wait")
    assert again.returncode == 0 and json.loads(again.stdout) == []
    assert "stored before" in again.stderr
    batch = '[{"event":"b"},{"event":"c","data":{}}]'
    mixed = herald.cli("event", "send", "-", "--wait", input=batch)
    assert mixed.returncode == 1
    assert "/0/data must be an object" in mixed.stderr


def test_batch_that_is_refused_as_a_whole_says_why(herald):
    done = herald.cli("event", "send", "-", input='[{"event":"b"},7]')
    assert done.returncode == 1
    assert "every event was refused" in done.stderr
    assert "/0/data: must be an object" in done.stderr and "/1: an event" in done.stderr


def test_deleted_webhook_is_named_on_stderr(herald, recorder):
    herald.webhook(recorder.url)
    done = herald.cli("webhook", "delete", "hook")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "deleted hook\n")


def test_completion_of_bash_proposes_commands():
    script = run("completion", "bash").stdout
    ask = 'COMP_WORDS=(herald webhook pa); COMP_CWORD=2; _herald; echo "${COMPREPLY[*]}"'
    done = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True)
    assert done.stdout == "pause\n", done.stderr


def test_configuration_file_that_is_not_there_is_named():
    done = run("serve", "--config", "/nonexistent/herald.toml")
    assert done.returncode == 2
    assert "cannot read the configuration file /nonexistent/herald.toml" in done.stderr
