"""The console's mail for programs: the same data, the same levers, and for operators alone."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.integration.errand_boy import at_work, ended
from tests.integration.mail_rows import do
from tests.integration.mails import ago, close_gate, gates, mail_of, put_attempt, put_mail
from tests.integration.postgres import Database
from tests.integration.web_people import let_people_in, somebody, token
from tests.web_app import an_app

MAIL = "/api/v1/console/mail"


@pytest.fixture
def app(database: Database) -> Flask:
    app = an_app(database_url=database.url("web"), ratelimit_enabled=False)
    let_people_in(app)
    return app


@pytest.fixture
def boss(app: Flask, database: Database) -> FlaskClient:
    client = somebody(app)
    do(database, "UPDATE accounts SET role = 'operator'")
    return client


def told(client: FlaskClient, path: str) -> Any:
    answer = client.get(MAIL + path)
    assert answer.status_code == 200, answer.text
    return answer.json


def send(client: FlaskClient, path: str, body: object = None) -> TestResponse:
    return (
        client.post(MAIL + path, json=body, headers=token(client))
        if body is not None
        else client.post(MAIL + path, headers=token(client))
    )


@pytest.mark.parametrize("path", ["", "/messages", "/messages/1", "/suppressions"])
def test_what_is_for_operators_is_not_there_for_members(
    app: Flask, database: Database, path: str
) -> None:
    put_mail(database)

    assert somebody(app).get(MAIL + path).status_code == 404
    assert app.test_client().get(MAIL + path).status_code == 401


@pytest.mark.parametrize("path", ["/pause", "/messages/1/cancel", "/trial", "/suppressions"])
def test_members_ask_for_nothing(app: Flask, database: Database, path: str) -> None:
    assert send(somebody(app), path, {}).status_code == 404
    assert asked(database) == []


def asked(database: Database) -> list[str]:
    with database.engine("owner").connect() as connection:
        return list(connection.scalars(text("SELECT verb FROM jobs ORDER BY id")))


def test_overview_has_what_the_page_has(boss: FlaskClient, database: Database) -> None:
    put_mail(database, kind="code", due_at=ago(minutes=3))
    put_mail(database, kind="code", state="dead", done_at=ago(days=3))
    put_mail(database, kind="code", state="sent", done_at=ago(seconds=1), due_at=ago(seconds=3))
    close_gate(database, "relay", reason="connection refused")

    mail = told(boss, "")

    assert mail["kinds"] == [
        {"name": "code", "queued": 1, "due": 1, "unsure": 0, "dead": 1, "sent": 0}
    ]
    assert [gate["reason"] for gate in mail["gates"]] == ["connection refused"]
    assert mail["hours"][0]["sent"] == 1
    assert mail["oldest_due_at"]
    assert mail["mailers"] == []


def test_mails_are_searched_and_paged(boss: FlaskClient, database: Database) -> None:
    for number in range(3):
        put_mail(database, recipient=f"reader{number}@example.net")
    put_mail(database, recipient="other@example.org")

    first = told(boss, "/messages?q=@example.net&limit=2")
    path = first["next"].partition(MAIL)[2]
    second = told(boss, path)

    assert [mail["id"] for mail in first["items"]] == [3, 2]
    assert [mail["id"] for mail in second["items"]] == [1]
    assert second["next"] is None
    assert boss.get(f"{MAIL}/messages?state=none").status_code == 422
    assert boss.get(f"{MAIL}/messages?page=1").status_code == 422


def test_one_mail_is_told_with_its_tries_and_what_can_be_asked(
    boss: FlaskClient, database: Database
) -> None:
    mail = put_mail(database, attempts=1, last_error="450 later")
    put_attempt(database, mail)

    found = told(boss, f"/messages/{mail}")

    assert "no mailer is at work" in found["explanation"]
    assert found["actions"] == ["retry", "cancel", "preview"]
    assert [one["code"] for one in found["tries"]] == [450]
    assert boss.get(f"{MAIL}/messages/99").status_code == 404


def test_what_is_asked_is_done_and_its_answer_is_where_it_was_said(
    boss: FlaskClient, database: Database
) -> None:
    mail = put_mail(database)

    with at_work(database):
        answer = send(boss, f"/messages/{mail}/cancel")
        assert answer.json
        ended(database, answer.json["job"])
    job = boss.get(answer.json["url"].partition("8000")[2]).json

    assert answer.status_code == 202
    assert job
    assert (job["state"], job["answer"]["done"]) == ("done", [mail])
    assert [step["said"] for step in job["steps"]] == [f"mail {mail} is cancelled"]
    assert mail_of(database, mail).state == "cancelled"


def test_pause_is_asked_with_its_reason(boss: FlaskClient, database: Database) -> None:
    with at_work(database):
        answer = send(boss, "/pause", {"kind": "code", "reason": "a wrong text"})
        assert answer.json
        ended(database, answer.json["job"])

    assert gates(database)["pause:code"].reason == "a wrong text"
    assert send(boss, "/pause", {"kind": "code"}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "verb"),
    [
        ("/messages/1/retry", None, "retry"),
        ("/messages/1/resend", None, "resend"),
        ("/messages/1/preview", None, "preview"),
        ("/resume", {}, "resume"),
        ("/probe", {"gate": "relay"}, "probe"),
        ("/trial", None, "trial"),
        ("/suppressions", {"address": "bob@example.net"}, "suppress"),
        ("/suppressions/end", {"address": "bob@example.net"}, "unsuppress"),
    ],
)
def test_each_lever_is_a_job_that_is_written_down(
    boss: FlaskClient, database: Database, path: str, body: object, verb: str
) -> None:
    answer = send(boss, path, body)

    assert answer.status_code == 202, answer.text
    assert asked(database) == [verb]
    with database.engine("owner").connect() as connection:
        actions = list(connection.scalars(text("SELECT action FROM audit_entries")))
    assert actions == [f"mailer.{verb}"]


def test_addresses_are_listed_in_pages(boss: FlaskClient, database: Database) -> None:
    do(
        database,
        "INSERT INTO mail_suppressions (address, scope, reason)"
        " SELECT 'reader' || n || '@example.net', '*', '' FROM generate_series(1, 3) n",
    )

    first = told(boss, "/suppressions?limit=2")
    second = told(boss, first["next"].partition(MAIL)[2])

    assert [one["address"] for one in first["items"] + second["items"]] == [
        f"reader{n}@example.net" for n in (1, 2, 3)
    ]
    assert send(boss, "/suppressions", {"address": "bob"}).status_code == 422


def test_job_that_there_is_not_is_not_found(boss: FlaskClient, app: Flask) -> None:
    assert boss.get("/api/v1/console/jobs/99").status_code == 404
    assert somebody(app, "bob@example.org").get("/api/v1/console/jobs/1").status_code == 404
