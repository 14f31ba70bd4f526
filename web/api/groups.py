"""The endpoints by what they are about, each group with what it needs to be understood: a page each. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from web.api.blueprint import PREFIX
from web.api.endpoints import Endpoint, Node, Value, endpoints, schemas

WITHIN = "console"  # what is below it is a group, not all of it


@dataclass(frozen=True, slots=True)
class Group:
    """Some endpoints, and the schemas of what they take and answer; its name is in the page's address."""

    name: str
    endpoints: list[Endpoint]
    schemas: list[tuple[str, list[Value]]]

    @property
    def label(self) -> str:
        """Return the name as people read it."""
        return self.name.replace(f"{WITHIN}-", f"{WITHIN}: ").replace("-", " ").capitalize()


def groups(document: Node) -> Iterator[Group]:
    """Yield every group, by its addresses."""
    known = dict(schemas(document))
    for name, found in groupby(endpoints(document), key=lambda one: group_of(one.path)):
        members = list(found)
        paths = {one.path for one in members}
        used = referred(document, [document["paths"][path] for path in paths])
        yield Group(name, members, [(one, known[one]) for one in known if one in used])


def group_of(path: str) -> str:
    """Return the group of an address: what comes first in it, and below the console what comes second."""
    first, *others = path.removeprefix(PREFIX).strip("/").split("/")
    return f"{first}-{others[0]}" if first == WITHIN and others else first


def referred(document: Node, waiting: list[Node]) -> set[str]:
    """Return the names of the schemas that these nodes refer to, or those that they refer to."""
    found: set[str] = set()
    while waiting:
        for name in references(waiting.pop()):
            kind, _, last = name.removeprefix("#/components/").partition("/")
            if kind != "schemas" or last not in found:
                found |= {last} if kind == "schemas" else set()
                waiting.append(document["components"][kind][last])
    return found


def references(node: object) -> Iterator[str]:
    """Yield every reference within."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from references(one)
