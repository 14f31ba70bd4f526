"""Unsubscribing: by mail programs at once, by people with one button, and back again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_mail import Message
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from tests.integration.postgres import Database
from tests.integration.test_web_subscribe import links
from tests.web_app import an_app, form_token, send_form
from web.mail import mail
from web.mail.kinds import NOTICE
from web.notices import subscriptions
from web.notices.unsubscribe_links import Links, WayOut

ADA = "Ada@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(database: Database) -> Flask:
    return an_app(database_url=database.url("web"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def session(app: Flask, database: Database) -> Iterator[Session]:
    with app.app_context(), Session(database.engine("web")) as opened:
        yield opened


def rows(database: Database, statement: str) -> list[Any]:
    with database.engine("owner").connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def state(database: Database) -> str:
    ((found,),) = rows(database, "SELECT state FROM subscribers")
    return str(found)


def suppressed(database: Database) -> list[Any]:
    return rows(database, "SELECT address, scope, reason FROM mail_suppressions ORDER BY 1, 2")


def subscribe(client: FlaskClient, database: Database) -> None:
    send_form(client, "/subscribe", email=ADA)
    send_form(client, links(database)[-1])
    assert state(database) == "confirmed"


def way_out(client: FlaskClient, subscriber: int = 1, kind: str = "notice") -> str:
    with client.application.app_context():
        return "/unsubscribe/" + Links().token(WayOut(subscriber, kind))


def path_in_the_mail(session: Session, database: Database) -> str:
    """Queue a notice for all and return the path of the link in the header of the newest."""
    mail.queue_each(
        session, Message("Hi", body="Hi"), NOTICE, subscriptions.readers(session), now=NOW
    )
    session.commit()
    ((head,),) = rows(database, "SELECT head FROM outbox ORDER BY id DESC LIMIT 1")
    (line,) = [n for n in bytes(head).decode().splitlines() if n.startswith("List-Unsubscribe:")]
    return line.removeprefix("List-Unsubscribe: <http://localhost:8000").removesuffix(">")


def test_mail_program_unsubscribes_with_one_request_and_no_cookie(
    client: FlaskClient, session: Session, database: Database
) -> None:
    subscribe(client, database)
    path = path_in_the_mail(session, database)

    answer = client.application.test_client().post(path, data=ONE_CLICK)

    assert answer.status_code == 200  # a redirect is what RFC 8058 forbids
    assert "You are unsubscribed" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert state(database) == "unsubscribed"
    assert suppressed(database) == [("ada@example.org", "notice", "unsubscribed")]
    assert list(subscriptions.readers(session)) == []


@pytest.mark.parametrize("content_type", ["multipart/form-data", "text/plain", None])
def test_however_the_request_is_written(
    client: FlaskClient, database: Database, content_type: str | None
) -> None:
    subscribe(client, database)

    answer = client.post(way_out(client), content_type=content_type)

    assert answer.status_code == 200
    assert state(database) == "unsubscribed"


def test_link_shows_a_button_and_changes_nothing_before_it_is_pressed(
    client: FlaskClient, database: Database
) -> None:
    subscribe(client, database)
    path = way_out(client)

    pages = [client.get(path), client.head(path)]
    before = state(database), suppressed(database)

    assert [page.status_code for page in pages] == [200, 200]
    assert '<button type="submit">Unsubscribe</button>' in pages[0].text
    assert "example.org" not in pages[0].text
    assert before == ("confirmed", [])


def test_unsubscribing_again_says_the_same(client: FlaskClient, database: Database) -> None:
    subscribe(client, database)
    path = way_out(client)

    answers = [client.post(path, data=ONE_CLICK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.data for answer in answers}) == 1
    assert len(suppressed(database)) == 1


def test_ten_requests_at_once_are_as_good_as_one(app: Flask, database: Database) -> None:
    subscribe(app.test_client(), database)
    path = way_out(app.test_client())

    with ThreadPoolExecutor(5) as pool:
        posts = pool.map(lambda _: app.test_client().post(path, data=ONE_CLICK), range(10))
        statuses = [answer.status_code for answer in posts]

    assert statuses == [200] * 10
    assert len(suppressed(database)) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("change", ["forged", "cut", "of another application", "other bytes"])
def test_link_that_is_not_ours_is_explained(
    client: FlaskClient, database: Database, method: str, change: str
) -> None:
    subscribe(client, database)
    path = way_out(client)
    other = an_app(secret_key="another key that is long enough to be one").test_client()
    wrong = {
        "forged": path.replace("/unsubscribe/", "/unsubscribe/X"),
        "cut": path[:-5],
        "of another application": way_out(other),
        "other bytes": "/unsubscribe/%00%ff\u00fc",
    }[change]

    answer = client.open(wrong, method=method)

    assert answer.status_code == 404
    assert "We don&#39;t know this link" in answer.text or "We don't know this link" in answer.text
    assert state(database) == "confirmed"
    assert suppressed(database) == []


def test_link_of_someone_who_is_gone_has_nothing_left_to_do(
    client: FlaskClient, database: Database
) -> None:
    answer = client.post(way_out(client, subscriber=99), data=ONE_CLICK)

    assert answer.status_code == 200
    assert suppressed(database) == []


def test_another_kind_leaves_the_notices_alone(client: FlaskClient, database: Database) -> None:
    subscribe(client, database)

    client.post(way_out(client, kind="digest"), data=ONE_CLICK)

    assert state(database) == "confirmed"
    assert suppressed(database) == [("ada@example.org", "digest", "unsubscribed")]


def test_subscribing_again_works_once_it_is_confirmed(
    client: FlaskClient, session: Session, database: Database
) -> None:
    subscribe(client, database)
    client.post(way_out(client), data=ONE_CLICK)
    send_form(client, "/subscribe", email=ADA.lower())
    asked = state(database), len(suppressed(database))

    send_form(client, links(database)[-1])

    assert asked == ("pending", 1)
    assert state(database) == "confirmed"
    assert suppressed(database) == []
    assert [reader.address for reader in subscriptions.readers(session)] == [ADA.lower()]


def test_address_that_does_not_exist_stays_suppressed(
    client: FlaskClient, database: Database
) -> None:
    with database.engine("owner").begin() as connection:
        connection.execute(
            text("INSERT INTO mail_suppressions VALUES ('ada@example.org', '*', 'x')")
        )

    subscribe(client, database)

    assert suppressed(database) == [("ada@example.org", "*", "x")]


def test_old_link_works_for_who_came_back(client: FlaskClient, database: Database) -> None:
    subscribe(client, database)
    old = way_out(client)
    client.post(old, data=ONE_CLICK)
    subscribe(client, database)

    client.post(old, data=ONE_CLICK)

    assert state(database) == "unsubscribed"
    assert len(suppressed(database)) == 1


def test_who_asked_anew_can_still_confirm_after_an_old_link(
    client: FlaskClient, database: Database
) -> None:
    subscribe(client, database)
    client.post(way_out(client), data=ONE_CLICK)
    send_form(client, "/subscribe", email=ADA)

    client.post(way_out(client), data=ONE_CLICK)
    send_form(client, links(database)[-1])

    assert state(database) == "confirmed"
    assert suppressed(database) == []


def test_link_to_confirm_is_worth_nothing_after_unsubscribing(
    client: FlaskClient, database: Database
) -> None:
    subscribe(client, database)
    (confirm,) = links(database)
    token = form_token(client.get("/subscribe"))
    client.post(way_out(client), data=ONE_CLICK)

    answers = [client.get(confirm), client.post(confirm, data={"csrf_token": token})]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert all('href="/subscribe">Ask for a new link' in answer.text for answer in answers)
    assert state(database) == "unsubscribed"


def test_address_of_a_mailbox_provider_is_not_limited(app: Flask, client: FlaskClient) -> None:
    paths = [way_out(client, subscriber=n) for n in range(100)]

    statuses = {app.test_client().post(path, data=ONE_CLICK).status_code for path in paths}

    assert statuses == {200}


def test_guessing_is_limited_and_so_is_one_link(client: FlaskClient) -> None:
    path = way_out(client)

    guesses = [client.post(f"/unsubscribe/guess-{n}").status_code for n in range(31)]
    clicks = [client.post(path, data=ONE_CLICK).status_code for _ in range(31)]

    assert guesses == [404] * 30 + [429]
    assert clicks == [200] * 30 + [429]


def test_link_stays_out_of_the_log(client: FlaskClient, database: Database) -> None:
    subscribe(client, database)
    path = way_out(client)

    with capture_logs() as lines:
        client.get(path)
        client.post(path, data=ONE_CLICK)

    assert path.rpartition("/")[2] not in str(lines)
    assert "ada" not in str(lines).lower()
