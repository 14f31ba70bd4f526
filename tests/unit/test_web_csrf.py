"""No route changes anything for who cannot show a form's token; the URL map says which routes there are."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.unit.test_web_headers import path_of
from tests.web_app import an_app, form_token
from web.accounts.sign_ins import SignedIn
from web.api.cors import API

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
NOW = datetime.now(UTC)
ADA = SignedIn(1, "ada@example.org", "member", 1, NOW, NOW)
EXEMPT = {
    # RFC 8058: the mail program sends it, without cookies; the link itself is the proof.
    "unsubscribe.leave",
}


@pytest.fixture(scope="module")
def app() -> Flask:
    return an_app(ratelimit_enabled=False)


def changing_routes(app: Flask) -> list[tuple[str, Rule]]:
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted(CHANGING & (rule.methods or set()))
    ]


@pytest.mark.parametrize("body", [{"data": {"email": "a@example.org"}}, {"json": {}}, {}])
def test_every_page_that_changes_anything_wants_a_token(app: Flask, body: dict[str, Any]) -> None:
    client = app.test_client()

    for method, rule in changing_routes(app):
        if rule.endpoint not in EXEMPT and not rule.rule.startswith(API):
            answer = client.open(path_of(app, rule), method=method, **body)
            assert answer.status_code == 400, (method, rule)
            assert "too old" in answer.text, (method, rule)


@pytest.mark.parametrize("body", [{"data": {"email": "a@example.org"}}, {"json": {}}, {}])
def test_api_changes_nothing_for_nobody_and_nothing_without_a_token(
    app: Flask, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for the token of a header, and first for who is signed in."""
    client = app.test_client()
    routes = [(m, r) for m, r in changing_routes(app) if r.rule.startswith(API)]
    assert routes

    for method, rule in routes:
        assert client.open(path_of(app, rule), method=method, **body).status_code == 401, rule
    monkeypatch.setattr("web.api.blueprint.current", lambda: ADA)
    for method, rule in routes:
        assert client.open(path_of(app, rule), method=method, **body).status_code == 403, rule


def test_exempt_route_is_there_and_does_without(app: Flask) -> None:
    routes = {rule.endpoint: rule for _, rule in changing_routes(app)}

    assert set(routes) >= EXEMPT
    for endpoint in EXEMPT:
        answer = app.test_client().post(path_of(app, routes[endpoint]))
        assert answer.status_code == 404  # it knows no such link


def test_token_in_a_header_is_as_good_as_in_a_form(app: Flask) -> None:
    client = app.test_client()
    token = form_token(client.get("/subscribe"))

    answer = client.post("/subscribe", headers={"X-CSRFToken": token}, data={"email": "no address"})

    assert answer.status_code == 422


def test_refusal_under_the_api_is_problem_details() -> None:
    def change() -> str:
        return "done"

    app = an_app(ratelimit_enabled=False)
    app.add_url_rule("/api/v1/change", "change", change, methods=["POST"])

    answer = app.test_client().post(
        "/api/v1/change", data={"a": "b"}, headers={"Sec-Fetch-Site": "same-origin"}
    )

    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
