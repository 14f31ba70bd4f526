"""The API as programs meet it, where no database is needed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from apiflask import Schema
from apiflask.fields import Integer, Nested
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web_app import an_app
from web.accounts.sign_ins import SignedIn
from web.api.blueprint import blueprint

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
ADA = SignedIn(
    account_id=7,
    email="ada@example.org",
    role="member",
    sign_in_id=42,
    started_at=NOW,
    seen_at=NOW,
)


class Inner(Schema):
    """A part of what is sent."""

    height = Integer(required=True, strict=True)


class Thing(Schema):
    """What is sent."""

    width = Integer(required=True, strict=True)
    inner = Nested(Inner)


def things_app() -> Flask:
    """Return the application with an endpoint that takes JSON, as a team would add it."""
    things = blueprint("things", __name__, "/things")

    @things.post("")
    @things.input(Thing)
    def make(json_data: dict[str, Any]) -> dict[str, Any]:
        return json_data

    app = an_app()
    app.register_blueprint(things)
    return app


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client in which Ada is signed in."""
    monkeypatch.setattr("web.api.blueprint.current", lambda: ADA)
    return things_app().test_client()


def token(client: FlaskClient) -> str:
    answer = client.get("/api/v1/me")
    assert answer.json
    return str(answer.json["csrf_token"])


def post(client: FlaskClient, body: str | bytes, content_type: str | None) -> TestResponse:
    headers = {"X-CSRFToken": token(client)}
    return client.post("/api/v1/things", data=body, content_type=content_type, headers=headers)


def problem(answer: TestResponse) -> tuple[int, str, str]:
    """Return status, title and detail of an answer, which has the form of RFC 9457."""
    assert answer.mimetype == "application/problem+json"
    assert answer.json
    assert answer.json["type"] == "about:blank"
    assert answer.json["status"] == answer.status_code
    assert answer.json["instance"] == answer.headers["X-Request-ID"]
    return answer.status_code, answer.json["title"], answer.json["detail"]


def test_signed_in_person_is_told_who_they_are_and_given_a_token(ada: FlaskClient) -> None:
    answer = ada.get("/api/v1/me")

    assert answer.status_code == 200
    assert answer.json
    assert {name: value for name, value in answer.json.items() if name != "csrf_token"} == {
        "id": 7,
        "email": "ada@example.org",
        "role": "member",
        "session_id": 42,
        "signed_in_at": "2027-03-01T09:30:00+00:00",
    }
    assert len(answer.json["csrf_token"]) > 60


def test_what_is_personal_is_kept_by_no_cache(ada: FlaskClient) -> None:
    answer = ada.get("/api/v1/me")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/me/sessions"),
        ("GET", "/api/v1/me/sessions?limit=0"),
        ("DELETE", "/api/v1/me/sessions/42"),
    ],
)
def test_nobody_is_told_to_sign_in(method: str, path: str) -> None:
    answer = an_app().test_client().open(path, method=method)

    assert problem(answer)[:2] == (401, "Unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Cookie realm="Keelson"'
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1",
        "/api/v1/nowhere",
        "/api/v1/me/sessions/x",
        "/api/v1/me/sessions/-1",
        pytest.param(f"/api/v1/me/sessions/{2**63}", id="more than the database can compare"),
        pytest.param(f"/api/v1/me/sessions/{'9' * 5000}", id="more than Python reads"),
    ],
)
def test_unknown_address_is_a_problem_too(path: str) -> None:
    answer = an_app().test_client().delete(path)

    assert problem(answer) == (404, "Not Found", "There is no page at this address.")


def test_other_method_is_refused_with_those_that_work() -> None:
    answer = an_app().test_client().post("/api/v1/status", json={})

    assert problem(answer)[:2] == (405, "Method Not Allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_options_are_told_without_a_session() -> None:
    answer = an_app().test_client().options("/api/v1/me/sessions/42")

    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"DELETE", "OPTIONS"}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("of another time", id="forged"),
        pytest.param("é", id="not ASCII"),
    ],
)
def test_change_without_a_genuine_token_is_refused(ada: FlaskClient, given: str | None) -> None:
    token(ada)
    headers = {} if given is None else {"X-CSRFToken": given}

    answer = ada.post("/api/v1/things", json={"width": 1}, headers=headers)

    assert problem(answer)[:2] == (403, "Forbidden")


def test_token_in_a_form_is_not_enough_for_the_api(ada: FlaskClient) -> None:
    answer = ada.post("/api/v1/things", data={"csrf_token": token(ada), "width": "1"})

    assert problem(answer)[:2] == (403, "Forbidden")


def test_token_is_enough_from_a_listed_origin_on_https(ada: FlaskClient) -> None:
    headers = {"X-CSRFToken": token(ada), "Referer": "https://app.example.org/"}

    answer = ada.post(
        "/api/v1/things", json={"width": 1}, headers=headers, base_url="https://localhost"
    )

    assert (answer.status_code, answer.json) == (200, {"width": 1})


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", None]
)
def test_body_that_is_not_json_is_refused(ada: FlaskClient, content_type: str | None) -> None:
    answer = post(ada, '{"width": 1}', content_type)

    assert problem(answer)[:2] == (415, "Unsupported Media Type")


@pytest.mark.parametrize("body", ["{", "\xff".encode("latin-1"), "{'width': 1}", "["])
def test_broken_json_is_refused(ada: FlaskClient, body: str | bytes) -> None:
    answer = post(ada, body, "application/json")

    assert problem(answer)[:2] == (400, "Bad Request")


def test_body_that_is_too_large_is_refused(ada: FlaskClient) -> None:
    answer = post(ada, " " * 70_000 + '{"width": 1}', "application/json")

    assert problem(answer)[:2] == (413, "Request Entity Too Large")


@pytest.mark.parametrize("width", ["2.6e-42", "true", '"1"', "1.5", "null"])
def test_value_of_another_type_is_refused_by_its_name(ada: FlaskClient, width: str) -> None:
    answer = post(ada, f'{{"width": {width}}}', "application/json")

    assert problem(answer)[:2] == (422, "Unprocessable Entity")
    assert answer.json
    assert [(error["in"], error["name"]) for error in answer.json["errors"]] == [("json", "width")]


def test_all_that_is_wrong_is_told_at_once(ada: FlaskClient) -> None:
    answer = post(ada, '{"inner": {"height": "x"}, "colour": "red"}', "application/json")

    assert problem(answer) == (
        422,
        "Unprocessable Entity",
        "These values can't be used; see errors.",
    )
    assert answer.json
    assert sorted(answer.json["errors"], key=lambda error: str(error["name"])) == [
        {"in": "json", "name": "colour", "detail": "Unknown field."},
        {"in": "json", "name": "inner.height", "detail": "Not a valid integer."},
        {"in": "json", "name": "width", "detail": "Missing data for required field."},
    ]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=2.6e-42", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=1_0", "limit"),
        ("limit=+5", "limit"),
        ("limit=", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        (f"before={2**63}", "before"),
        (f"before={'9' * 5000}", "before"),
        ("befor=3", "befor"),
    ],
)
def test_query_that_is_not_as_documented_is_refused(
    ada: FlaskClient, query: str, name: str
) -> None:
    answer = ada.get(f"/api/v1/me/sessions?{query}")

    assert problem(answer)[0] == 422
    assert answer.json
    assert [(error["in"], error["name"]) for error in answer.json["errors"]] == [("query", name)]


def test_limit_that_was_met_is_a_problem_with_the_time_to_wait() -> None:
    client = an_app(ratelimit_default="1 per day").test_client()
    client.get("/api/v1/openapi.json")

    answer = client.get("/api/v1/openapi.json")

    assert problem(answer)[:2] == (429, "Too Many Requests")
    assert int(answer.headers["Retry-After"]) > 80_000


def test_our_own_mistake_is_a_problem_that_tells_nothing_of_it() -> None:
    def broken() -> str:
        return str(1 / 0)

    app = an_app()
    app.add_url_rule("/api/v1/broken", "broken", broken)

    answer = app.test_client().get("/api/v1/broken")

    assert problem(answer)[:2] == (500, "Internal Server Error")
    assert "division" not in answer.text


def test_errors_of_pages_are_pages_still() -> None:
    client = an_app().test_client()

    answers = [client.get("/nowhere"), client.delete("/subscribe"), client.post("/subscribe")]

    assert {answer.mimetype for answer in answers} == {"text/html"}
