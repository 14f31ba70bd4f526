"""The development inbox shows the mail that the application really wrote."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from common.schema import mail_bodies, outbox
from tests.integration.postgres import Database
from tests.web_app import an_app, form_token, send_form


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return an_app(database_url=database.url("web")).test_client()


def put(database: Database, subject: str, body: str) -> None:
    head = f"To: b@example.org\r\nSubject: {subject}\r\n"
    mail = {
        "kind": "test",
        "sender": "a@example.org",
        "recipient": "b@example.org",
        "subject": subject,
        "message_id": "<1@example.org>",
        "head": head.encode(),
    }
    with database.engine("owner").begin() as connection:
        content = {"content": f"X-Shared: by all\r\n\r\n{body}\r\n".encode()}
        body_id = connection.scalar(insert(mail_bodies).values(content).returning(mail_bodies.c.id))
        connection.execute(insert(outbox).values(mail | {"body_id": body_id}))


def test_empty_inbox_says_how_to_fill_it(client: FlaskClient) -> None:
    assert "No mail yet" in client.get("/dev/inbox").text


def test_link_in_the_mail_leads_to_the_confirmation(client: FlaskClient) -> None:
    send_form(client, "/subscribe", email="ada@example.org")

    mail = client.get("/dev/inbox/1")

    assert mail.status_code == 200
    assert "Confirm your subscription to localhost" in mail.text
    found = re.search(r'<a href="http://localhost:8000(/subscribe/confirm/[^"]+)"', mail.text)
    assert found
    token = form_token(client.get(found[1]))
    confirmed = client.post(found[1], data={"csrf_token": token}, follow_redirects=True)
    assert "You are subscribed" in confirmed.text


@pytest.mark.parametrize(
    ("state", "shown"), [("queued", "waiting"), ("sent", "sent"), ("dead", "dead")]
)
def test_list_shows_what_became_of_each_mail(
    client: FlaskClient, database: Database, state: str, shown: str
) -> None:
    put(database, "Hello", "")
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET state = :state"), {"state": state})

    page = client.get("/dev/inbox").text

    assert f'<span class="tag">{shown}</span>' in page
    assert 'href="/dev/inbox/1">Hello</a>' in page


def test_mail_is_shown_as_text_whatever_it_holds(client: FlaskClient, database: Database) -> None:
    put(database, "<b>Hello</b>", "<script>alert(1)</script> javascript:alert(2)")

    page = client.get("/dev/inbox/1").text

    assert "<script>" not in page
    assert "<b>" not in page
    assert 'href="javascript:' not in page


def test_mail_is_its_own_headers_and_then_what_it_shares(
    client: FlaskClient, database: Database
) -> None:
    put(database, "Hello", "to all of you")

    page = client.get("/dev/inbox/1").text

    for header in ("<dt>To</dt><dd>b@example.org</dd>", "<dt>X-Shared</dt><dd>by all</dd>"):
        assert header in page
    assert "to all of you" in page


def test_mail_whose_text_is_gone_says_so(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "to all of you")
    with database.engine("owner").begin() as connection:
        connection.execute(text("DELETE FROM mail_bodies"))

    page = client.get("/dev/inbox/1").text

    assert "no longer kept" in page
    assert "<dd>b@example.org</dd>" in page


def test_mail_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert client.get("/dev/inbox/99").status_code == 404
