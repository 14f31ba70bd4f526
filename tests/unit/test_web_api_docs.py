"""The OpenAPI document and its page."""

import re
import shlex
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import schemathesis
from apiflask import Schema
from flask import Flask

from tests.web_app import an_app
from web.api import console_examples as examples
from web.api import console_invitations, me, status
from web.api import console_schemas as schemas
from web.api.console_invitations import InvitationOut
from web.api.me import MeOut, SessionOut
from web.api.status import HistoryOut, StatusOut
from web.exchange.numbers import LARGEST

SITE = "https://status.example.org"
DOCS = "/api/v1/docs"
HEAVIEST = 90_000  # bytes of a page, which is not compressed
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def app() -> Flask:
    """The application in production."""
    return an_app(
        app_env="production",
        base_url=SITE,
        cors_origins=SITE,
        database_url="postgresql://web@/nothing?host=/nonexistent&sslmode=verify-full",
    )


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert isinstance(answer.json, dict)
    return answer.json


@pytest.fixture(scope="module")
def pages(app: Flask) -> dict[str, str]:
    """The first page, and those that it leads to, by address."""
    client = app.test_client()
    first = client.get(DOCS)
    assert (first.status_code, first.mimetype) == (200, "text/html")
    paths = set(re.findall(rf'href="({DOCS}/[^"#]+)', first.text))
    return {DOCS: first.text, **{path: client.get(path).text for path in paths}}


@pytest.fixture(scope="module")
def page(pages: dict[str, str]) -> str:
    """All of them."""
    return "".join(pages.values())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_document_is_valid_openapi(document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(document)

    schema.validate()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": SITE}]


def test_every_route_of_the_api_is_described_and_no_other(
    app: Flask, document: dict[str, Any]
) -> None:
    ours = {
        "reference.openapi",
        "reference.show",
        "reference.show_group",
    }  # the document, its pages
    routes = {
        (re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.rule.startswith("/api/") and rule.endpoint not in ours
    }

    described = {(path, method) for path, method, _ in operations(document)}

    assert described == {(path, method) for path, method in routes if method in METHODS}


def test_every_operation_says_what_can_go_wrong(document: dict[str, Any]) -> None:
    for _, method, operation in operations(document):
        needed = {"429", "500", "503"}
        needed |= {"401"} if operation.get("security") else set()
        needed |= {"401", "403"} if method != "get" else set()

        assert needed <= operation["responses"].keys()


def test_every_error_is_a_problem_with_an_example_that_is_one(document: dict[str, Any]) -> None:
    responses = document["components"]["responses"]

    assert set(responses) >= {"Problem401", "Problem404", "Problem422", "Problem503"}
    for name, response in responses.items():
        media = response["content"]["application/problem+json"]
        assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert media["example"]["status"] == int(name.removeprefix("Problem"))
        assert media["example"]["title"]


def test_examples_are_as_their_schemas_say() -> None:
    assert StatusOut().validate(status.EXAMPLE) == {}
    assert HistoryOut().validate(status.EXAMPLE_OF_HISTORY) == {}
    assert MeOut().validate(me.EXAMPLE) == {}
    assert SessionOut().validate(me.EXAMPLE_OF_SESSION) == {}


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (schemas.FindingsOut, examples.FINDINGS),
        (schemas.PeopleOut, examples.PEOPLE),
        (schemas.SignInsOut, examples.SIGN_INS),
        (schemas.LimitsOut, examples.LIMITS),
        (schemas.CacheOut, examples.CACHE),
        (schemas.DatabaseOut, examples.DATABASE),
        (schemas.ConfigurationOut, examples.CONFIGURATION),
        (schemas.AuditLogOut, examples.AUDIT_LOG),
        (InvitationOut, console_invitations.EXAMPLE),
    ],
)
def test_examples_of_the_console_are_as_their_schemas_say(
    schema: type[Schema], example: dict[str, Any]
) -> None:
    assert schema().validate(example) == {}


def test_changes_need_the_cookie_and_the_token(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["session"]
    end = document["paths"]["/api/v1/me/sessions/{session_id}"]["delete"]

    assert (scheme["in"], scheme["name"]) == ("cookie", "__Host-session")
    assert end["security"] == [{"session": []}]
    (token,) = [node for node in end["parameters"] if node["in"] == "header"]
    assert (token["name"], token["required"]) == ("X-CSRFToken", True)


def test_numbers_of_the_query_are_bounded(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/me/sessions"]["get"]["parameters"]

    told = {
        node["name"]: (node["schema"]["minimum"], node["schema"]["maximum"]) for node in parameters
    }

    assert told == {"limit": (1, 100), "before": (1, LARGEST)}


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", DOCS, f"{DOCS}/me"])
def test_whoever_has_it_is_not_sent_it_again(app: Flask, path: str) -> None:
    client = app.test_client()
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert (again.status_code, again.data) == (304, b"")
    assert "Cookie" not in first.headers.get("Vary", "")
    assert "Set-Cookie" not in first.headers


def test_page_shows_every_endpoint_with_its_parameters_and_answers(
    page: str, document: dict[str, Any]
) -> None:
    words = unescape(page)

    for path, method, operation in operations(document):
        assert f"{method.upper()} {path}" in words
        assert operation["summary"] in words
        for parameter in operation["parameters"]:
            assert f"<code>{parameter['name']}</code>" in words
        for code in operation["responses"]:
            assert f"<strong>{code}</strong>" in words


def test_links_of_the_pages_lead_somewhere(pages: dict[str, str]) -> None:
    links = {
        (address or here, target)
        for here, text in pages.items()
        for address, target in re.findall(rf'href="({DOCS}[^"#]*|)#([^"]+)"', text)
    }
    places = {
        (here, name) for here, text in pages.items() for name in re.findall(r'id="([^"]+)"', text)
    }

    assert len(links) > 50
    assert links <= places


def test_no_page_is_heavy_however_many_endpoints_there_are(pages: dict[str, str]) -> None:
    assert len(pages) > 10
    assert [path for path, text in pages.items() if len(text.encode()) > HEAVIEST] == []


def test_group_that_is_not_there_is_not_found(app: Flask) -> None:
    assert app.test_client().get(f"{DOCS}/nothing").status_code == 404


def test_examples_of_the_page_are_commands(page: str, document: dict[str, Any]) -> None:
    commands = [
        shlex.split(unescape(text)) for text in re.findall(r"<pre[^>]*>(curl .*)</pre>", page)
    ]

    assert [
        "curl",
        "--request",
        "DELETE",
        "--cookie",
        "__Host-session=...",
        "--header",
        "X-CSRFToken: ...",
        f"{SITE}/api/v1/me/sessions/42",
    ] in commands
    assert ["curl", f"{SITE}/api/v1/status"] in commands
    assert len(commands) == len(list(operations(document)))


def test_page_has_nothing_that_the_policy_forbids(page: str) -> None:
    assert "<script" not in page
    assert "style=" not in page
    assert not re.findall(rf'(?:src|href)="(?!/|#|{SITE})[^"]*"', page)
    assert re.search(r'<link rel="stylesheet" href="/static/api[.-][^"]*css"', page)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"])
def test_pages_of_the_library_that_load_scripts_from_elsewhere_are_off(
    app: Flask, path: str
) -> None:
    assert app.test_client().get(path).status_code == 404
