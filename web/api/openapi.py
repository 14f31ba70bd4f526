"""The OpenAPI document: APIFlask writes down the routes, this adds what holds for all of them."""

from typing import Any, cast

from apiflask import APIFlask
from flask import current_app
from werkzeug.http import HTTP_STATUS_CODES

from web.api.blueprint import PREFIX, SECURITY, TOKEN_HEADER
from web.api.problems import MEDIA_TYPE, NO_TYPE
from web.exchange.numbers import LARGEST

ABOUT = f"""\
What this site knows, for programs. An endpoint that takes query parameters refuses others.

Errors are problem details (RFC 9457). Their instance is the id under which our log has the request.

A browser's session cookie says who asks. What changes something also wants the header {TOKEN_HEADER}, \
with the csrf_token of {PREFIX}/me. Scripts of other sites may ask where this site lists theirs."""

WRONG = {
    "400": "The body is not what its Content-Type says.",
    "401": "Nobody is signed in.",
    "403": f"The header {TOKEN_HEADER} is missing or too old; ask {PREFIX}/me for another.",
    "404": "There is no such thing, or not yours.",
    "413": "The body is larger than we take.",
    "415": "The body is not JSON.",
    "422": "A value can't be used; errors says which, and why.",
    "429": "You ask more often than we can serve; try again after Retry-After seconds.",
    "500": "Our mistake. It has been logged.",
    "503": "We can't reach our database, or it is too slow; try again after Retry-After seconds.",
}
KNOWN = "the OpenAPI document"  # among what the application keeps for its libraries

ALWAYS = {"429", "500", "503"}
OF_SECURITY = {"401"}
OF_OPERATORS = {"404"}  # what is said to others
FOR_OPERATORS = f"{PREFIX}/console/"
OF_CHANGES = {"401", "403", "415"}
OF_BODIES = {"400", "413", "422"}
WITH_RETRY_AFTER = {"429", "503"}
CHANGES = {"post", "put", "patch", "delete"}

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {**TEXT, "description": "the name of the status"},
        "status": NUMBER,
        "detail": {**TEXT, "description": "what happened and what to do, for people"},
        "instance": {**TEXT, "description": "the id of the request"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "name", "detail"],
                "properties": {"in": TEXT, "name": TEXT, "detail": TEXT},
            },
        },
    },
}
TOKEN = {
    "in": "header",
    "name": TOKEN_HEADER,
    "required": True,
    "description": f"the csrf_token of {PREFIX}/me",
    "schema": TEXT,
}
AN_ID = {"type": "integer", "minimum": 0, "maximum": LARGEST}


def init_app(app: APIFlask) -> None:
    """Say what the document is to say, and that it has errors of our own."""
    app.title, app.version = "Keelson", "1"
    cookie = {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    app.config.update(
        DESCRIPTION=ABOUT,
        SERVERS=[{"url": app.config["BASE_URL"]}],
        SECURITY_SCHEMES={SECURITY: cookie},
        AUTO_200_RESPONSE=False,  # a view that says nothing of itself is not of the API
        AUTO_TAGS=False,
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
    )
    app.spec_processor(complete)  # type: ignore[arg-type] # it is text where the format is YAML


def document() -> dict[str, Any]:
    """Return the document, which is the same as long as the application lives."""
    app = cast("APIFlask", current_app)
    if KNOWN not in app.extensions:
        app.extensions[KNOWN] = app.spec  # two who ask at once make the same one twice
    found: dict[str, Any] = app.extensions[KNOWN]
    return found


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add to each operation the errors that it can answer, and the header that changes need."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {f"Problem{status}": response(status) for status in WRONG}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            complete_operation(path, method, operation)
    return document


def complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what follows from what the operation takes, and from where it is."""
    parameters = operation["parameters"]
    for parameter in parameters:
        if parameter["in"] == "path":
            schema = AN_ID if parameter["name"].endswith("_id") else TEXT
            parameter.update(schema=schema, required=True, description="as it stands in the list")
    for status in sorted(
        errors_of(method, operation) | (OF_OPERATORS if FOR_OPERATORS in path else set())
    ):
        operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    if method in CHANGES:
        parameters.append(TOKEN)
        operation.setdefault("security", [{SECURITY: []}])


def errors_of(method: str, operation: dict[str, Any]) -> set[str]:
    """Return the statuses of the errors that the operation can answer."""
    places = {parameter["in"] for parameter in operation["parameters"]}
    found = set(ALWAYS)
    found |= OF_SECURITY if "security" in operation else set()
    found |= OF_CHANGES if method in CHANGES else set()
    found |= OF_BODIES if "requestBody" in operation else set()
    found |= {"404"} if "path" in places else set()
    found |= {"422"} if "query" in places else set()
    return found


def response(status: str) -> dict[str, Any]:
    """Return how the document describes the answer to this error."""
    example = {
        "type": NO_TYPE,
        "title": HTTP_STATUS_CODES[int(status)],
        "status": int(status),
        "detail": WRONG[status],
        "instance": "5f1c6c0e9d3a4b7f",
    }
    told: dict[str, Any] = {
        "description": WRONG[status],
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
    if status in WITH_RETRY_AFTER:
        seconds = {"required": True, "schema": {"type": "integer", "minimum": 1}}
        told["headers"] = {"Retry-After": {**seconds, "description": "seconds"}}
    return told
