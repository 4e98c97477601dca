"""Names of the real infrahub_sdk.node that transformations import."""

from infrahub_sdk import Absent


class InfrahubNode(Absent):
    pass


class InfrahubNodeSync(Absent):
    pass


class RelatedNode(Absent):
    pass


class RelationshipManager(Absent):
    pass
