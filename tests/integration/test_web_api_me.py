"""Who is signed in where, asked and ended through the API."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.integration.postgres import Database
from tests.integration.web_people import let_people_in, somebody, token
from tests.web_app import an_app

LISTED = "https://app.example.org"


@pytest.fixture
def app(database: Database) -> Flask:
    app = an_app(database_url=database.url("web"), ratelimit_enabled=False, cors_origins=LISTED)
    let_people_in(app)
    return app


def page(client: FlaskClient, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/me/sessions{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json
    return dict(answer.json)


def end(client: FlaskClient, session_id: int) -> TestResponse:
    return client.delete(f"/api/v1/me/sessions/{session_id}", headers=token(client))


def session_id(client: FlaskClient) -> int:
    answer = client.get("/api/v1/me")
    assert answer.json, answer.text
    return int(answer.json["session_id"])


def test_each_browser_is_a_session_of_its_own(app: Flask) -> None:
    laptop, phone = somebody(app, agent="Firefox"), somebody(app, agent="Safari")
    somebody(app, "bob@example.org")

    items = page(phone)["items"]

    assert [(item["agent"], item["current"]) for item in items] == [
        ("Safari", True),
        ("Firefox", False),
    ]
    assert [item["id"] for item in items] == [session_id(phone), session_id(laptop)]
    assert {item["address"] for item in items} == {"127.0.0.1"}


def test_session_that_was_ended_is_signed_out_and_no_other(app: Flask) -> None:
    laptop, phone = somebody(app), somebody(app)

    answer = end(laptop, session_id(phone))

    assert (answer.status_code, answer.data) == (204, b"")
    assert phone.get("/api/v1/me").status_code == 401
    assert [item["id"] for item in page(laptop)["items"]] == [session_id(laptop)]


def test_own_session_can_be_ended_and_its_cookie_is_worth_nothing_then(app: Flask) -> None:
    client = somebody(app)
    cookie = client.get_cookie("session")
    assert cookie

    answer = end(client, session_id(client))

    assert answer.status_code == 204
    client.set_cookie("session", cookie.value)
    assert client.get("/api/v1/me").status_code == 401


def test_session_of_somebody_else_is_not_there(app: Flask) -> None:
    ada, bob = somebody(app), somebody(app, "bob@example.org")

    answer = end(ada, session_id(bob))

    assert answer.status_code == 404
    assert answer.json
    assert answer.json["detail"] == "You have no session of this id; it may have ended already."
    assert bob.get("/api/v1/me").status_code == 200


def test_session_that_has_ended_is_not_there_any_more(app: Flask) -> None:
    ada, phone = somebody(app), somebody(app)
    of_phone = session_id(phone)

    answers = [end(ada, of_phone).status_code for _ in range(2)]

    assert answers == [204, 404]


def test_nothing_is_ended_without_the_token_of_this_very_session(app: Flask) -> None:
    ada, bob = somebody(app), somebody(app, "bob@example.org")
    path = f"/api/v1/me/sessions/{session_id(ada)}"

    answers = [ada.delete(path), ada.delete(path, headers=token(bob))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert ada.get("/api/v1/me").status_code == 200


def test_pages_hold_every_session_once_whatever_happens_between_them(app: Flask) -> None:
    browsers = [somebody(app) for _ in range(7)]
    ids = [session_id(browser) for browser in browsers]
    reader = browsers[0]

    first = page(reader, "?limit=3")
    late = session_id(somebody(app))
    end(reader, ids[3])
    rest, link = [], first["next"]
    while link:
        told = page(reader, f"?{urlsplit(link).query}")
        rest += [item["id"] for item in told["items"]]
        link = told["next"]

    assert [item["id"] for item in first["items"]] == [ids[6], ids[5], ids[4]]
    assert rest == [ids[2], ids[1], ids[0]]
    assert late not in rest


def test_next_page_is_linked_in_the_body_and_in_a_header(app: Flask) -> None:
    browsers = [somebody(app) for _ in range(3)]

    first = browsers[0].get("/api/v1/me/sessions?limit=2")
    last = browsers[0].get("/api/v1/me/sessions?limit=3")

    before = session_id(browsers[1])
    assert first.json
    assert last.json
    link = f"http://localhost:8000/api/v1/me/sessions?limit=2&before={before}"
    assert (first.json["next"], first.headers["Link"]) == (link, f'<{link}>; rel="next"')
    assert (last.json["next"], "Link" in last.headers) == (None, False)


def test_page_beyond_the_last_is_empty(app: Flask) -> None:
    client = somebody(app)

    assert page(client, "?before=1") == {"items": [], "next": None}


def test_session_whose_time_is_over_is_not_listed_and_not_signed_in(
    app: Flask, database: Database
) -> None:
    client, other = somebody(app), somebody(app)
    statement = text("UPDATE sign_ins SET expires_at = now() WHERE id = :id")
    with database.engine("owner").begin() as connection:
        connection.execute(statement, {"id": session_id(other)})

    assert other.get("/api/v1/me").status_code == 401
    assert [item["id"] for item in page(client)["items"]] == [session_id(client)]


@pytest.mark.parametrize(
    ("origin", "allowed"), [(LISTED, (LISTED, "true")), ("https://evil.example", (None, None))]
)
def test_only_a_listed_origin_learns_who_is_signed_in(
    app: Flask, origin: str, allowed: tuple[str | None, str | None]
) -> None:
    client = somebody(app)

    sent = client.get("/api/v1/me", headers={"Origin": origin}).headers

    names = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")
    assert tuple(sent.get(name) for name in names) == allowed
    assert "Origin" in sent["Vary"]
    assert "no-store" in sent["Cache-Control"]


def test_who_reads_the_api_as_nobody_leaves_no_session(app: Flask) -> None:
    client = app.test_client()

    answers = [client.get("/api/v1/me"), client.get("/api/v1/status"), client.get("/api/v1/docs")]

    assert [answer.status_code for answer in answers] == [401, 200, 200]
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_status_is_the_same_answer_for_all_until_it_is_old(app: Flask) -> None:
    anonymous, ada = app.test_client(), somebody(app)

    first = anonymous.get("/api/v1/status")
    again = anonymous.get("/api/v1/status", headers={"If-None-Match": first.headers["ETag"]})
    of_ada = ada.get("/api/v1/status")

    assert first.headers["Cache-Control"] == "public, max-age=5"
    assert (again.status_code, again.data) == (304, b"")
    assert of_ada.json == first.json
    assert "Cookie" not in of_ada.headers["Vary"]
