"""The development inbox shows the mail that the application really wrote."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text
from werkzeug.test import TestResponse

from common.schema import mail_bodies, outbox
from tests.integration.postgres import Database
from tests.web_app import an_app, form_token, send_form


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return an_app(database_url=database.url("web")).test_client()


def put(database: Database, subject: str, body: str, to: str = "b@example.org") -> None:
    head = f"To: {to}\r\nSubject: {subject}\r\n"
    mail = {
        "kind": "test",
        "sender": "a@example.org",
        "recipient": to,
        "subject": subject,
        "message_id": f"<{subject}@example.org>",
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
    assert client.get("/dev/inbox/1/html").status_code == 404


def test_mail_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert client.get("/dev/inbox/99").status_code == 404


def press(client: FlaskClient, path: str) -> TestResponse:
    """Press a button of the inbox."""
    token = form_token(client.get("/dev/inbox"))
    return client.post(path, data={"csrf_token": token}, follow_redirects=True)


def count(database: Database, table: str) -> int:
    with database.engine("owner").connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_html_of_a_mail_is_framed_and_can_do_nothing(client: FlaskClient) -> None:
    send_form(client, "/subscribe", email="ada@example.org")

    page, frame = client.get("/dev/inbox/1"), client.get("/dev/inbox/1/html")

    assert re.search(r'<iframe [^>]*src="/dev/inbox/1/html"[^>]* sandbox="[^"]*"', page.text)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-top-navigation-by-user-activation;")
    assert "default-src 'none'" in policy
    for allowed in ("allow-scripts", "allow-same-origin", "allow-forms", "http", "script-src"):
        assert allowed not in policy
    assert '<head><base target="_top">' in frame.text
    assert "Confirm" in frame.text


@pytest.mark.parametrize(
    ("view", "said"),
    [
        pytest.param("text", 'rel="noopener">http://localhost:8000/subscribe/confirm/', id="text"),
        pytest.param("source", "Content-Type: multipart/alternative", id="source"),
        pytest.param("html", "<h2>Its links</h2>", id="html"),
    ],
)
def test_mail_has_several_forms(client: FlaskClient, view: str, said: str) -> None:
    send_form(client, "/subscribe", email="ada@example.org")

    page = client.get(f"/dev/inbox/1?view={view}")

    assert said in page.text
    assert re.search(rf'href="/dev/inbox/1\?view={view}" aria-current="page"', page.text)


def test_form_that_there_is_none_is_not_found(client: FlaskClient) -> None:
    send_form(client, "/subscribe", email="ada@example.org")

    assert client.get("/dev/inbox/1?view=smell").status_code == 404


def test_mail_comes_as_a_file_too(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "to all of you")

    file = client.get("/dev/inbox/1/mail.eml")

    assert file.mimetype == "message/rfc822"
    assert file.headers["Content-Disposition"] == 'attachment; filename="mail-1.eml"'
    assert file.data.endswith(b"X-Shared: by all\r\n\r\nto all of you\r\n")


def test_long_source_is_cut_and_says_so(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "long " * 50_000)

    page = client.get("/dev/inbox/1?view=source")

    assert len(page.data) < 100_000
    assert "the file has all" in page.text


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param("HELL", ["Hello"], id="subject"),
        pytest.param("grace@", ["Bye"], id="recipient"),
        pytest.param("%", [], id="a sign of LIKE is itself"),
        pytest.param("", ["Bye", "Hello"], id="nothing"),
        pytest.param("\0", ["Bye", "Hello"], id="what no text holds"),
    ],
)
def test_search_looks_into_recipient_and_subject(
    client: FlaskClient, database: Database, search: str, found: list[str]
) -> None:
    put(database, "Hello", "", "ada@example.org")
    put(database, "Bye", "", "grace@example.org")

    page = client.get("/dev/inbox", query_string={"q": search}).text

    assert re.findall(r'<a href="/dev/inbox/\d+">(\w+)</a>', page) == found


def test_list_goes_on_with_older_mail(client: FlaskClient, database: Database) -> None:
    for number in range(25):
        put(database, f"M{number}", "")

    page = client.get("/dev/inbox").text
    older = re.search(r'<a href="(/dev/inbox\?before=\d+)">', page)

    assert older
    assert ">M5</a>" in page
    assert ">M4</a>" in client.get(older[1]).text


def test_one_mail_is_deleted_with_what_it_said(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "first")
    put(database, "Bye", "second")

    page = press(client, "/dev/inbox/1/delete").text

    assert "The mail is deleted." in page
    assert ">Hello</a>" not in page
    assert ">Bye</a>" in page
    assert (count(database, "outbox"), count(database, "mail_bodies")) == (1, 1)


def test_what_another_mail_says_too_stays(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "to all of you")
    put(database, "Bye", "")
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET body_id = 1"))

    press(client, "/dev/inbox/1/delete")

    assert "to all of you" in client.get("/dev/inbox/2").text


def test_all_mail_is_deleted_but_what_a_mailer_is_sending(
    client: FlaskClient, database: Database
) -> None:
    for subject in ("Hello", "Bye", "Busy"):
        put(database, subject, "")
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET lease_by = 1 WHERE subject = 'Busy'"))

    page = press(client, "/dev/inbox/delete").text

    assert "2 mails deleted." in page
    assert ">Busy</a>" in page
    assert (count(database, "outbox"), count(database, "mail_bodies")) == (1, 1)
    assert "sending it" in press(client, "/dev/inbox/3/delete").text


def test_deleting_needs_the_form(client: FlaskClient, database: Database) -> None:
    put(database, "Hello", "")

    assert client.post("/dev/inbox/delete").status_code == 400
    assert count(database, "outbox") == 1
