"""What a program is told when something went wrong: problem details (RFC 9457)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apiflask import HTTPError
from flask import Response, g, jsonify
from werkzeug.http import HTTP_STATUS_CODES

MEDIA_TYPE = "application/problem+json"
NO_TYPE = "about:blank"  # its status says all; the title is then the status's own


def problem(status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> Response:
    """Return the answer; `errors` are what is wrong with single values of the request."""
    body: dict[str, Any] = {
        "type": NO_TYPE,
        "title": HTTP_STATUS_CODES.get(status, "Unknown"),
        "status": status,
        "detail": detail,
        "instance": g.request_id,
    }
    response = jsonify({**body, "errors": errors} if errors else body)
    response.status_code, response.content_type = status, MEDIA_TYPE
    return response


def refuse(error: HTTPError) -> Response:
    """Answer what APIFlask raised: its `detail` holds the messages of a validation, if it was one."""
    errors = list(flatten(error.detail))
    detail = "These values can't be used; see errors." if errors else error.message or ""
    response = problem(error.status_code, detail, errors)
    response.headers.extend(error.headers or {})
    return response


def flatten(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield each message of marshmallow's tree, with where the value was and its name."""
    for place, fields in messages.items():
        for name, told in leaves(fields, ()):
            yield {"in": place, "name": name, "detail": told}


def leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the messages below this node, with the names on the way to them."""
    if isinstance(node, Mapping):
        for name, below in node.items():
            yield from leaves(below, (*path, str(name)))
    else:
        for told in node:
            yield ".".join(path), str(told)
