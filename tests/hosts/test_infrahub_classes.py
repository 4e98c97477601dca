"""Classes written for Infrahub, unmodified: with the stand-in, the real SDK and its older form."""

import os

import pytest
from host_client import PYTHON_WITHOUT_SDK, event, python_command, run, stand_ins

# The form of Infrahub's own guide.
GUIDE = '''
from typing import Any, Dict

from infrahub_sdk.transforms import InfrahubTransform


class SlackWebhookTransform(InfrahubTransform):
    query = "placeholder_query"
    timeout = 10

    async def transform(self, data: Dict[str, Any]) -> Dict[str, Any]:
        node = data["data"]["changelog"]
        return {"text": f"{data['event']} {node['display_label']} on {data['branch']}"}
'''
TEXT = {"text": "infrahub.node.updated Ethernet1 on alter-interface"}

OLD_SDK = {"infrahub_sdk": "", "infrahub_sdk.transforms": '''
import asyncio
class InfrahubTransform:
    name = None
    query = None
    timeout = 10
    def __init__(self, branch="", root_directory="", server_url="", client=None):
        self.branch, self.root_directory = branch, root_directory
        self.server_url, self._client = server_url or "http://127.0.0.1:8000", client
        if not self.query:
            raise ValueError("A query must be provided")
    async def run(self, data=None):
        if not data:
            data = await self.collect_data()
        unpacked = data.get("data") or data
        if asyncio.iscoroutinefunction(self.transform):
            return await self.transform(data=unpacked)
        return self.transform(data=unpacked)
'''}


def with_stand_in(load, body=None):
    return run({"modules": stand_ins(), **load}, body, command=python_command(PYTHON_WITHOUT_SDK))


def with_old_sdk(load, body=None):
    return run({"modules": {**stand_ins(), **OLD_SDK}, **load}, body,
               command=python_command(PYTHON_WITHOUT_SDK))


def with_real_sdk(load, body=None):
    python = os.environ.get("HERALD_SDK_PYTHON")
    if not python:
        pytest.skip("HERALD_SDK_PYTHON names no Python with infrahub_sdk: scripts/test hosts")
    return run({"modules": stand_ins(), **load}, body, command=python_command(python))


every_sdk = pytest.mark.parametrize("go", [with_stand_in, with_old_sdk, with_real_sdk])


@every_sdk
def test_an_unmodified_class_runs(go):
    assert go({"source": GUIDE}).json == TEXT
    assert go({"source": GUIDE, "class": "SlackWebhookTransform"}).json == TEXT


@every_sdk
def test_a_sync_class_in_a_repository_runs(go, tmp_path):
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms/texts.py").write_text("def shout(text): return text.upper()\n")
    (tmp_path / "transforms/slack.py").write_text(
        "from infrahub_sdk.transforms import InfrahubTransform\nfrom .texts import shout\n"
        "class Transform(InfrahubTransform):\n    query = 'q'\n"
        "    def transform(self, data):\n"
        "        return [shout(data['event']), self.branch, self.root_directory]\n")
    load = {"root": str(tmp_path), "file": "transforms/slack.py", "branch": "feature"}
    assert go(load).json == ["INFRAHUB.NODE.UPDATED", "feature", str(tmp_path)]


@every_sdk
def test_the_input_is_the_whole_body_or_the_inner_data_as_older_versions_had_it(go):
    source = ("from infrahub_sdk.transforms import InfrahubTransform\n"
              "class Transform(InfrahubTransform):\n    query = 'q'\n"
              "    def transform(self, data): return sorted(data)\n")
    assert go({"source": source}).json == sorted(event())
    assert go({"source": source, "input": "data"}).json == sorted(event()["data"])


@every_sdk
def test_each_event_has_an_instance_of_its_own(go):
    source = ("from infrahub_sdk.transforms import InfrahubTransform\n"
              "class Transform(InfrahubTransform):\n    query = 'q'\n    count = 0\n"
              "    def transform(self, data):\n        self.count += 1\n"
              "        return self.count\n")
    assert go({"source": source}).json == 1


@every_sdk
def test_a_class_without_a_query_is_a_fault_of_the_configuration(go):
    answer = go({"source": "from infrahub_sdk.transforms import InfrahubTransform\n"
                           "class Transform(InfrahubTransform):\n"
                           "    def transform(self, data): return 1\n"})
    assert answer.kind == "F"
    assert answer.json["class"] == "CONFIG"
    assert "the class Transform has no query" in answer.json["message"]


@every_sdk
def test_a_class_that_asks_infrahub_is_told_what_it_lacks(go):
    answer = go({"source": "from infrahub_sdk.transforms import InfrahubTransform\n"
                           "class Transform(InfrahubTransform):\n    query = 'q'\n"
                           "    async def transform(self, data):\n"
                           "        return await self._client.get(kind='X')\n"})
    assert answer.json["class"] == "TRANSFORM"
    assert "INFRAHUB_ADDRESS" in answer.json["message"]
    assert answer.json["line"] == 5


def test_several_classes_have_to_be_told_apart():
    source = GUIDE + GUIDE.replace("SlackWebhookTransform", "Other")
    answer = with_stand_in({"source": source})
    assert answer.json["class"] == "CONFIG"
    assert "several transformation classes (Other, SlackWebhookTransform)" in answer.json["message"]


def test_names_that_code_imports_for_annotations_are_there():
    source = ("from infrahub_sdk import InfrahubClient\n"
              "from infrahub_sdk.node import InfrahubNode\n" + GUIDE)
    assert with_stand_in({"source": source}).json == TEXT
    source += "    def x(self): pass\nInfrahubClient()\n"
    assert "the real infrahub_sdk is not installed" in with_stand_in({"source": source}).payload
