"""The base class of transformations, with what the real one offers without a server."""

import inspect
import os
from abc import abstractmethod


class InfrahubTransform:
    name = None
    query = None
    timeout = 60

    def __init__(self, client=None, infrahub_node=None, convert_query_response=False, branch="",
                 root_directory="", server_url=""):
        self.branch = branch
        self.convert_query_response = convert_query_response
        self.root_directory = root_directory or os.getcwd()
        self.infrahub_node = infrahub_node
        self.server_url = server_url or os.environ.get("INFRAHUB_URL", "http://127.0.0.1:8000")
        self.git = None
        self._client = self._init_client = client
        self._nodes = []
        self._related_nodes = []
        if not self.name:
            self.name = type(self).__name__
        if not self.query:
            raise ValueError("A query must be provided")

    @property
    def client(self):
        return self._init_client

    @property
    def branch_name(self):
        """The branch; without one, that of the git checkout in root_directory."""
        if not self.branch:
            self.branch = checked_out(self.root_directory)
        return self.branch

    @property
    def store(self):
        return self._init_client.store

    @property
    def nodes(self):
        return self._nodes

    @property
    def related_nodes(self):
        return self._related_nodes

    @abstractmethod
    def transform(self, data):
        raise NotImplementedError("a transformation defines transform(self, data)")

    async def collect_data(self):
        return await self.client.query_gql_query(name=self.query, branch_name=self.branch_name)

    async def run(self, data=None):
        if not data:
            data = await self.collect_data()
        unpacked = data.get("data") or data
        if inspect.iscoroutinefunction(self.transform):
            return await self.transform(data=unpacked)
        return self.transform(data=unpacked)


def checked_out(folder):
    try:
        with open(os.path.join(folder, ".git", "HEAD"), encoding="utf-8") as file:
            head = file.read().strip()
    except OSError as error:
        raise RuntimeError(f"no branch is given and {folder} is no git checkout") from error
    return head[len("ref: refs/heads/"):] if head.startswith("ref: refs/heads/") else head
