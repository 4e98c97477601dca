"""A stand-in for infrahub_sdk, for hosts without it: enough to run transformations of webhooks."""

MISSING = ("the real infrahub_sdk is not installed where this transformation runs: "
           "pip install infrahub-sdk for the Python that herald starts")


class Absent:
    """A name that code may import and use in annotations."""

    def __init__(self, *arguments, **named):
        raise RuntimeError(f"{type(self).__name__}: {MISSING}")


class InfrahubClient(Absent):
    pass


class InfrahubClientSync(Absent):
    pass


class Config(Absent):
    pass
