"""The OpenAPI document, in the words of its page. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Any

from web.api.blueprint import SECURITY, TOKEN_HEADER

Node = dict[str, Any]
PLACES = {"query": "query", "path": "address", "header": "header", "cookie": "cookie"}
EXAMPLE_OF_ID = 42


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a field of what is answered."""

    name: str
    kind: str
    about: str
    place: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint may answer, with the media type's first example, if it has one."""

    status: str
    about: str
    schema: str
    example: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    summary: str
    about: str
    personal: bool
    parameters: list[Value]
    answers: list[Answer]
    curl: str


def endpoints(document: Node) -> Iterator[Endpoint]:
    """Yield every endpoint, by its address."""
    for path, operations in sorted(document["paths"].items()):
        for method, operation in operations.items():
            yield Endpoint(
                anchor=f"{method}-{path.strip('/')}".replace("/", "-").translate(
                    {123: "", 125: ""}
                ),
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                about=operation.get("description", ""),
                personal="security" in operation,
                parameters=[parameter(node) for node in operation["parameters"]],
                answers=[
                    answer(document, status, node)
                    for status, node in sorted(operation["responses"].items())
                ],
                curl=curl(document, method.upper(), path, operation),
            )


def parameter(node: Node) -> Value:
    """Return one parameter."""
    schema = node["schema"]
    about = node.get("description") or schema.get("description", "")
    place, required = PLACES[node["in"]], node.get("required", False)
    return Value(node["name"], kind(schema), about, place, required)


def answer(document: Node, status: str, node: Node) -> Answer:
    """Return one answer, followed to where it is described."""
    node = resolved(document, node)
    content: Node = next(iter(node.get("content", {}).values()), {})
    example = json.dumps(content["example"], indent=2) if "example" in content else ""
    schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return Answer(status, node["description"], schema, example)


def schemas(document: Node) -> Iterator[tuple[str, list[Value]]]:
    """Yield the name of each schema, and its fields."""
    for name, schema in document["components"]["schemas"].items():
        needed = schema.get("required", [])
        yield (
            name,
            [
                Value(field, kind(node), node.get("description", ""), required=field in needed)
                for field, node in schema["properties"].items()
            ],
        )


def kind(schema: Node) -> str:
    """Return the type of a value, with what bounds it."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    if "items" in schema:
        return f"list of {kind(schema['items'])}"
    types = schema.get("type", "anything")
    said = " or ".join(types) if isinstance(types, list) else str(schema.get("format", types))
    if "minimum" in schema and "maximum" in schema:
        said += f" from {schema['minimum']} to {schema['maximum']}"
    return said + (f", else {schema['default']}" if "default" in schema else "")


def curl(document: Node, method: str, path: str, operation: Node) -> str:
    """Return a command that asks this endpoint, as a shell takes it."""
    url = document["servers"][0]["url"] + path
    for node in operation["parameters"]:
        url = url.replace(f"{{{node['name']}}}", str(EXAMPLE_OF_ID))
    words = ["curl"]
    if method != "GET":
        words += ["--request", method]
    if "security" in operation:
        cookie = document["components"]["securitySchemes"][SECURITY]["name"]
        words += ["--cookie", quote(f"{cookie}=...")]
    if any(node["name"] == TOKEN_HEADER for node in operation["parameters"]):
        words += ["--header", quote(f"{TOKEN_HEADER}: ...")]
    return " ".join([*words, quote(url)])


def resolved(document: Node, node: Node) -> Node:
    """Return the node, or what it refers to."""
    if "$ref" not in node:
        return node
    found = document
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found
