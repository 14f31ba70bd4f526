"""Subscribing, from the form to the confirmed row."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.integration.postgres import Database
from tests.web_app import an_app, form_token, send_form

ADA = "ada@example.org"
LINK = re.compile(rb"http://localhost:8000(/subscribe/confirm/[A-Za-z0-9_-]{43})")


@pytest.fixture
def app(database: Database) -> Flask:
    return an_app(database_url=database.url("web"), ratelimit_enabled=False)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def rows(database: Database, statement: str) -> list[Any]:
    with database.engine("owner").connect() as connection:
        return list(connection.execute(text(statement)))


def states(database: Database) -> list[tuple[str, str]]:
    return [(row.email, row.state) for row in rows(database, "SELECT * FROM subscribers")]


def links(database: Database) -> list[str]:
    """Return the path of each link that was mailed, oldest first."""
    join = "SELECT b.content FROM outbox o JOIN mail_bodies b ON b.id = o.body_id ORDER BY o.id"
    found = [LINK.search(bytes(row.content)) for row in rows(database, join)]
    return [match[1].decode() for match in found if match]


def do(database: Database, statement: str) -> None:
    with database.engine("owner").begin() as connection:
        connection.execute(text(statement))


def test_row_and_mail_are_written_together(client: FlaskClient, database: Database) -> None:
    answer = send_form(client, "/subscribe", email=" Ada@Example.ORG ")

    assert (answer.status_code, answer.location) == (303, "/subscribe/asked")
    assert states(database) == [("Ada@example.org", "pending")]
    (mail,) = rows(database, "SELECT * FROM outbox JOIN mail_bodies b ON b.id = body_id")
    assert (mail.state, mail.kind, mail.recipient) == ("queued", "confirm", "Ada@example.org")
    assert mail.sender == "keelson@localhost"
    assert mail.request_id == answer.headers["X-Request-ID"]
    assert f"Message-ID: {mail.message_id}".encode() in bytes(mail.content)
    assert len(links(database)) == 1


def test_neither_is_there_when_the_mail_cannot_be_queued(
    client: FlaskClient, database: Database
) -> None:
    do(database, "ALTER TABLE outbox ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    try:
        answer = send_form(client, "/subscribe", email=ADA)
    finally:
        do(database, "ALTER TABLE outbox DROP CONSTRAINT full_up")

    assert answer.status_code == 500
    assert states(database) == []
    assert send_form(client, "/subscribe", email=ADA).status_code == 303


def test_link_confirms_only_when_the_button_is_pressed(
    client: FlaskClient, database: Database
) -> None:
    send_form(client, "/subscribe", email=ADA)
    (link,) = links(database)

    scanned = [client.get(link).status_code for _ in range(2)]
    before = states(database)
    answer = client.post(link, data={"csrf_token": form_token(client.get(link))})

    assert scanned == [200, 200]
    assert before == [(ADA, "pending")]
    assert (answer.status_code, answer.location) == (303, "/subscribe/confirmed")
    assert states(database) == [(ADA, "confirmed")]


def test_used_link_says_that_nothing_is_left_to_do(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)
    (link,) = links(database)
    token = form_token(client.get(link))
    client.post(link, data={"csrf_token": token})

    again = [client.get(link), client.post(link, data={"csrf_token": token})]

    assert [answer.status_code for answer in again] == [410, 410]
    assert all("You are subscribed already" in answer.text for answer in again)


def test_expired_link_offers_a_new_one(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)
    (link,) = links(database)
    token = form_token(client.get(link))
    do(database, "UPDATE subscribers SET token_expires_at = now() - interval '1 second'")

    late = [client.get(link), client.post(link, data={"csrf_token": token})]

    assert [answer.status_code for answer in late] == [410, 410]
    assert all('href="/subscribe">Ask for a new link' in answer.text for answer in late)
    assert states(database) == [(ADA, "pending")]


def test_link_works_for_two_days(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)

    (row,) = rows(database, "SELECT token_expires_at - created_at AS lifetime FROM subscribers")

    assert row.lifetime.total_seconds() == pytest.approx(48 * 3600, abs=5)


@pytest.mark.parametrize("token", ["unknown", "a" * 3000, "%00", "ü"])
def test_unknown_link_offers_a_new_one(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/subscribe/confirm/{token}")

    assert answer.status_code == 404
    assert 'href="/subscribe">Ask for a new link' in answer.text


def test_mail_is_not_sent_once_its_link_has_expired(
    client: FlaskClient, database: Database
) -> None:
    send_form(client, "/subscribe", email=ADA)

    (row,) = rows(database, "SELECT expires_at, token_expires_at FROM outbox, subscribers")

    assert row.expires_at == row.token_expires_at


def test_asking_again_replaces_the_link(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)
    send_form(client, "/subscribe", email=ADA.upper())

    older, newer = links(database)

    assert client.get(older).status_code == 404
    assert client.get(newer).status_code == 200
    assert states(database) == [("ADA@example.org", "pending")]


def test_page_never_tells_whether_an_address_is_known(
    client: FlaskClient, database: Database
) -> None:
    unknown = send_form(client, "/subscribe", email=ADA)
    do(database, "UPDATE subscribers SET state = 'confirmed', confirmed_at = now()")

    known = send_form(client, "/subscribe", email=ADA)

    assert (known.status_code, known.location, known.data) == (
        unknown.status_code,
        unknown.location,
        unknown.data,
    )
    assert len(links(database)) == 1
    assert states(database) == [(ADA, "confirmed")]


def test_database_cannot_be_read_for_links(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)
    (link,) = links(database)

    (row,) = rows(database, "SELECT subscribers::text AS everything FROM subscribers")

    assert link.rpartition("/")[2] not in row.everything


def test_ten_requests_at_once_make_one_row_and_one_link_that_works(
    app: Flask, database: Database
) -> None:
    def ask(_: int) -> int:
        return send_form(app.test_client(), "/subscribe", email=ADA).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(ask, range(10)))

    assert statuses == [303] * 10
    assert states(database) == [(ADA, "pending")]
    opened = [app.test_client().get(link).status_code for link in links(database)]
    assert sorted(opened) == [200] + [404] * 9


def test_host_with_other_letters_is_mailed_in_punycode(
    client: FlaskClient, database: Database
) -> None:
    send_form(client, "/subscribe", email="ada@bücher.example")

    assert [row.recipient for row in rows(database, "SELECT recipient FROM outbox")] == [
        "ada@xn--bcher-kva.example"
    ]
