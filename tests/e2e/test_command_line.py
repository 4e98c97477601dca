"""The command line as a user types it."""

import json
import subprocess

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
