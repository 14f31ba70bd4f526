"""Mail in the console: what operators see at a glance, and each lever from its form to its effect."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import event

from mailer.operator.commands import Means
from mailer.smtp.credentials import Credentials
from mailer.smtp.relay import Relay
from mailer.smtp.trial import trial
from mailer.upkeep.tallies import count_what_is_over
from tests.integration.account_site import ADA, Site, press
from tests.integration.console_pages import BOSS, MAIL, asked, table
from tests.integration.errand_boy import at_work, ended, said
from tests.integration.mails import (
    ago,
    ahead,
    close_gate,
    gates,
    living_mailer,
    put_mail,
)
from tests.integration.postgres import Database
from tests.integration.smtp_server import PASSWORD, USER
from tests.stack.smtp.server import SmtpServer
from tests.web_app import form_token
from web.console.mail import figures
from web.extensions import db


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


@pytest.fixture
def mailer(database: Database) -> Iterator[None]:
    """One that does what operators ask."""
    with at_work(database):
        yield


@pytest.mark.parametrize("path", ["", "/messages", "/messages/1", "/previews/1", "/suppressions"])
def test_pages_are_not_there_for_members(site: Site, database: Database, path: str) -> None:
    put_mail(database)

    assert site.signed_in(ADA).get(MAIL + path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "pause",
        "resume",
        "probe",
        "trial",
        "messages/1/retry",
        "messages/1/cancel",
        "messages/1/resend",
        "messages/1/preview",
        "suppressions",
        "suppressions/end",
    ],
)
def test_members_ask_for_nothing(site: Site, path: str) -> None:
    member = site.signed_in(ADA)

    answer = press(member, "/account", f"{MAIL}/{path}", reason="x", address="x@example.org")

    assert answer.status_code == 404
    assert site.rows("SELECT FROM jobs") == []
    assert site.rows("SELECT FROM audit_entries") == []


def test_overview_of_nothing_says_so(boss: FlaskClient) -> None:
    page = boss.get(MAIL)

    assert page.status_code == 200
    assert "No mailer is at work" in page.text
    assert "Nothing: every gate is open." in page.text
    assert "No mail yet." in page.text


def test_overview_counts_by_state_and_kind_and_says_what_holds_mail_back(
    boss: FlaskClient, database: Database
) -> None:
    put_mail(database, kind="code", due_at=ago(minutes=10))
    put_mail(database, kind="code", due_at=ahead(days=1), attempts=2)
    put_mail(database, kind="news", state="dead", done_at=ago(days=30))
    put_mail(database, kind="news", state="unsure", done_at=ago(days=30))
    put_mail(database, kind="news", state="cancelled", done_at=ago(hours=1))
    close_gate(database, "relay", reason="connection refused", next_probe_at=ahead(seconds=50))
    close_gate(database, "pause:news", cause="operator", reason="a wrong text")

    with living_mailer(database) as number:
        page = boss.get(MAIL).text

    words = table(page)
    assert words[words.index("code") : words.index("code") + 6] == ["code", "2", "1", "0", "0", "0"]
    assert words[words.index("news paused") : words.index("news paused") + 6] == [
        "news paused", "0", "0", "1", "1", "0",
    ]  # fmt: skip
    assert "connection refused" in words
    assert "a wrong text" in words
    assert "when you resume" in words
    assert "10 min" in page
    assert f"{number} on " in page


def test_overview_shows_how_much_went_when_and_how_fast(
    boss: FlaskClient, database: Database
) -> None:
    now = datetime.now(UTC)
    for minutes in (1, 2, 3):
        put_mail(
            database,
            state="sent",
            created_at=now,
            due_at=now,
            first_try_at=now - timedelta(seconds=minutes * 10),
            done_at=now,
        )
    for days in (1, 1, 2, 29, 40):
        put_mail(
            database,
            state="sent",
            created_at=ago(days=days),
            due_at=ago(days=days),
            done_at=ago(days=days),
        )
    counted = count_what_is_over(database.engine("mailer"))

    page = boss.get(MAIL).text

    _, sent_by_hour, took_by_hour, sent_by_day, _ = map(table, page.split("<figure"))
    assert counted > 50
    assert sent_by_hour[-1] == "3 mails"
    assert [round(float(cell.removesuffix(" s"))) for cell in took_by_hour[-2:]] == [20, 29]
    told = [cell.partition(" ")[0] for cell in sent_by_day if cell.endswith(("mails", "mail"))]
    assert len(told) == 30
    assert sum(map(int, told)) == 7
    assert count_what_is_over(database.engine("mailer")) == 0


def test_counting_ends_where_a_page_would_be_slow(
    boss: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST", 2)
    for _ in range(3):
        put_mail(database, kind="code")

    assert "at least 2" in boss.get(MAIL).text


def test_limits_are_those_that_the_mailers_told(
    boss: FlaskClient, site: Site, database: Database
) -> None:
    with living_mailer(database):
        site.do("UPDATE mailers SET connections = 3, daily_quota = 500")
        page = boss.get(MAIL).text

    assert "3 connections to the relay" in page
    assert "of 500" in page


@pytest.mark.usefixtures("mailer")
def test_pause_and_resume_from_the_overview(boss: FlaskClient, database: Database) -> None:
    put_mail(database, kind="code")

    ended(database, asked(boss, MAIL, f"{MAIL}/pause", kind="code", reason="a wrong text"))
    held = gates(database)
    job = ended(database, asked(boss, MAIL, f"{MAIL}/resume", kind="code"))

    assert held["pause:code"].reason == "a wrong text"
    assert gates(database) == {}
    assert said(job) == ["mail of kind code goes again"]


def test_pause_without_a_reason_is_asked_for_one(boss: FlaskClient, site: Site) -> None:
    press(boss, MAIL, f"{MAIL}/pause", kind="", reason=" ")

    assert "Say why, for whoever wonders." in boss.get(MAIL).text
    assert site.rows("SELECT FROM jobs") == []


@pytest.mark.usefixtures("mailer")
def test_gate_is_tried_now(boss: FlaskClient, database: Database) -> None:
    close_gate(database, "relay", next_probe_at=ahead(hours=1))

    ended(database, asked(boss, MAIL, f"{MAIL}/probe", gate="relay"))

    assert gates(database)["relay"].next_probe_at < ahead(minutes=1)


def test_trial_goes_to_whoever_asks_and_its_steps_are_on_the_page_of_the_job(
    boss: FlaskClient, database: Database, relay: Relay, server: SmtpServer
) -> None:
    def credentials() -> Credentials:
        return Credentials(USER, SecretStr(PASSWORD))

    means = Means(
        database.engine("mailer"),
        0,
        USER,
        credentials,
        lambda mail: trial(relay, credentials, mail),
    )
    with at_work(database, means):
        number = asked(boss, MAIL, f"{MAIL}/trial", to="somebody@else.example")
        ended(database, number)

    page = boss.get(f"/console/jobs/{number}").text
    assert "connection: connected to" in page
    assert re.search(r"<li>end of the mail: 250 .* \(\d+ ms\)</li>", page)
    assert [one.recipients for one in server.state.messages] == [[BOSS]]


@pytest.mark.parametrize("path", ["", "/messages", "/messages/1", "/suppressions"])
def test_page_asks_the_database_less_than_five_times(
    boss: FlaskClient, site: Site, database: Database, path: str
) -> None:
    put_mail(database)
    statements: list[str] = []
    with site.app.app_context():
        engine = db.engine

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    page = boss.get(MAIL + path)
    event.remove(engine, "before_cursor_execute", count)

    assert page.status_code == 200
    assert 0 < len(statements) < 5, statements


def test_token_of_a_form_is_needed(boss: FlaskClient, site: Site) -> None:
    assert form_token(boss.get(MAIL))

    assert boss.post(f"{MAIL}/pause", data={"reason": "x"}).status_code == 400
    assert site.rows("SELECT FROM jobs") == []
