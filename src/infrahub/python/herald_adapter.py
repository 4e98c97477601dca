"""Runs classes written for Infrahub, unmodified, as Infrahub runs them.

Works with the real infrahub_sdk when that is installed, in its newer form
`__init__(client, infrahub_node, ..., branch, root_directory, server_url)` and in its older one
`__init__(branch, root_directory, server_url, client)`; else with the stand-in.
"""

import inspect
import os

from herald_failures import Failure


def base_class():
    from sys import modules
    return getattr(modules.get("infrahub_sdk.transforms"), "InfrahubTransform", None)


def knows(cls):
    base = base_class()
    return base is not None and isinstance(cls, type) and issubclass(cls, base) and cls is not base


class Client:
    """Stands in for a client until the code asks Infrahub something; then it is a real one.

    A real one needs the real infrahub_sdk, the network, and where Infrahub is.
    """

    def __init__(self, branch):
        self._branch = branch
        self._real = None

    def clone(self, branch=None):
        return Client(branch or self._branch)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if self._real is None:
            self._real = real_client(self._branch)
        return getattr(self._real, name)


def real_client(branch):
    if not os.environ.get("INFRAHUB_ADDRESS"):
        raise RuntimeError("the transformation asks Infrahub for data, but does not know where "
                           "Infrahub is: give it INFRAHUB_ADDRESS (and INFRAHUB_API_TOKEN), and "
                           "allow it the network")
    from infrahub_sdk import Config, InfrahubClient
    return InfrahubClient(config=Config(default_branch=branch or "main"))


class Node:
    """Infrahub's class of nodes, imported when it is used: that takes a second."""

    def __getattr__(self, name):
        from infrahub_sdk.node import InfrahubNode
        return getattr(InfrahubNode, name)


def bind(cls, load):
    """A function of the event's body, and that its result is to be awaited."""
    branch = load.get("branch") or "main"
    given = {"client": Client(branch), "infrahub_node": Node(), "branch": branch,
             "root_directory": load.get("root") or os.getcwd(),
             "server_url": os.environ.get("INFRAHUB_ADDRESS", "")}
    takes = inspect.signature(cls.__init__).parameters
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        given = {name: value for name, value in given.items() if name in takes}
    make(cls, given)  # what is wrong with making one is seen when it is loaded

    async def call(body):
        # run() takes one "data" off, so that transform() gets the whole body.
        return await cls(**given).run(data={"data": body})
    return call, True


def make(cls, given):
    try:
        return cls(**given)
    except (AttributeError, ValueError) as error:
        if not getattr(cls, "query", None):
            raise Failure("CONFIG", f"the class {cls.__name__} has no query: Infrahub demands a "
                          "name there, though webhooks do not use it") from error
        raise
