"""Single mails in the console: found, explained, dealt with, and shown without what their links are worth."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.integration.account_site import ADA, Site
from tests.integration.console_pages import BOSS, MAIL, MESSAGES, asked
from tests.integration.errand_boy import at_work, ended, job_of
from tests.integration.mails import (
    ago,
    ahead,
    living_mailer,
    mail_of,
    put_attempt,
    put_mail,
)
from tests.integration.postgres import Database
from tests.web_app import send_form
from web.console.mail import finding


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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("state=dead", [2]),
        ("kind=code", [3, 1]),
        ("q=ALICE@example.net", [1]),
        ("q=@example.net", [5, 2, 1]),
        ("q=4", [4]),
        ("q=<known@example.org>", [3]),
        ("q=@example.net&state=dead", [2]),
        ("state=queued", [5, 4, 3, 1]),
        ("state=queued&kind=code", [3, 1]),
        ("q=@example.net&state=queued&before=5", [1]),
        ("q=alice@example.net&kind=other", []),
        ("q=%25", []),
        ("q=%00", [5, 4, 3, 2, 1]),
        ("state=none-such", [5, 4, 3, 2, 1]),
        ("before=3", [2, 1]),
        ("q=99999999999999999999999", []),
    ],
)
def test_mail_is_found(boss: FlaskClient, database: Database, query: str, found: list[int]) -> None:
    put_mail(database, recipient="Alice@Example.net", kind="code")
    put_mail(database, recipient="bob@example.net", state="dead", done_at=ago(days=1))
    put_mail(
        database, recipient="a@elsewhere.example", kind="code", message_id="<known@example.org>"
    )
    put_mail(database, recipient="a@example.net.example")
    put_mail(database, recipient="carol@example.net")

    page = boss.get(f"{MESSAGES}?{query}")

    assert page.status_code == 200
    assert [int(n) for n in re.findall(rf'"{MESSAGES}/(\d+)"', page.text)] == found


def test_mail_is_listed_in_pages_that_keep_the_search(
    boss: FlaskClient, database: Database
) -> None:
    for _ in range(21):
        put_mail(database, kind="code")

    first = boss.get(f"{MESSAGES}?kind=code").text
    (older,) = re.findall(r'href="([^"]*before=2[^"]*)"', first)
    second = boss.get(unescape(older)).text

    assert "kind=code" in older
    assert re.findall(rf'"{MESSAGES}/(\d+)"', second) == ["1"]


@pytest.mark.parametrize(
    "search",
    [
        "kind=code",
        "state=queued&kind=code",
        "q=@rare.example",
        "q=rare@rare.example",
        "state=dead&kind=code",
    ],
)
def test_search_among_much_mail_says_where_it_ended_and_goes_on(
    boss: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    monkeypatch.setattr(finding, "FEW", 0)
    monkeypatch.setattr(finding, "WINDOW", 3)
    state = "dead" if "dead" in search else "queued"
    done_at = ago(days=1) if state == "dead" else None
    rare = {"kind": "code", "recipient": "rare@rare.example", "state": state, "done_at": done_at}
    put_mail(database, **rare)
    for _ in range(4):
        put_mail(database, state=state, done_at=done_at)

    first = boss.get(f"{MESSAGES}?{search}").text
    (further,) = re.findall(r'href="([^"]*)">Look further back', first)
    second = boss.get(unescape(further)).text

    assert "none among those that were looked at" in first
    assert re.findall(rf'"{MESSAGES}/(\d+)"', second) == ["1"]
    assert "Look further back" not in second


def test_one_mail_says_what_comes_next_and_what_was_tried(
    boss: FlaskClient, database: Database
) -> None:
    mail = put_mail(
        database, attempts=1, due_at=ahead(minutes=5), last_error="450 later", subject="<b>x</b>"
    )
    put_attempt(database, mail, reason="450 4.2.1 try later", at=ago(minutes=1))

    with living_mailer(database):
        page = boss.get(f"{MESSAGES}/{mail}").text

    assert "It failed 1 time, at last with: 450 later; it is tried again" in page
    assert "Next try:" in page
    assert "450 4.2.1 try later" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert set(re.findall(rf'action="{MESSAGES}/{mail}/(\w+)"', page)) == {
        "retry",
        "cancel",
        "preview",
    }


@pytest.mark.parametrize("number", ["7", "99999999999999999999"])
def test_mail_that_there_is_not_is_not_found(boss: FlaskClient, number: str) -> None:
    assert boss.get(f"{MESSAGES}/{number}").status_code == 404


@pytest.mark.usefixtures("mailer")
@pytest.mark.parametrize(
    ("verb", "state", "after"),
    [("retry", "dead", "queued"), ("cancel", "queued", "cancelled"), ("resend", "sent", "sent")],
)
def test_mail_is_dealt_with_and_it_is_written_down_who_did(  # noqa: PLR0913, PLR0917 a table and three fixtures
    boss: FlaskClient, site: Site, database: Database, verb: str, state: str, after: str
) -> None:
    mail = put_mail(database, state=state, done_at=ago(hours=1) if state != "queued" else None)

    number = asked(boss, f"{MESSAGES}/{mail}", f"{MESSAGES}/{mail}/{verb}")
    job = ended(database, number)

    assert (job.state, mail_of(database, mail).state) == ("done", after)
    assert bool(mail_of(database, mail + 1)) is (verb == "resend")
    (entry,) = site.rows("SELECT * FROM audit_entries")
    assert (entry.email, entry.action, entry.subject) == (BOSS, f"mailer.{verb}", f"mail {mail}")
    assert entry.detail["job"] == number
    assert "Done" in boss.get(f"/console/jobs/{number}").text


@pytest.mark.usefixtures("mailer")
def test_preview_shows_what_the_mail_says_and_holds_no_working_link(
    boss: FlaskClient, site: Site, database: Database
) -> None:
    send_form(site.browser(), "/account/sign-up", email=ADA)
    link = site.link("sign_up")
    token = link.rpartition("/")[2]

    number = asked(boss, f"{MESSAGES}/1", f"{MESSAGES}/1/preview")
    ended(database, number)
    page = boss.get(f"{MAIL}/previews/{number}")

    assert page.status_code == 200
    assert "[removed]" in page.text
    assert token not in page.text
    assert token not in repr(job_of(database, number))
    assert token not in boss.get(f"/console/jobs/{number}").text
    frame = re.search(r'<iframe [^>]*sandbox="" [^>]*srcdoc="([^"]*)"', page.text)
    assert frame
    shown = unescape(frame[1])
    assert shown.startswith(
        '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"'
    )
    assert "href=" not in shown
    assert "src=" not in shown
    policy = page.headers["Content-Security-Policy"]
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'"
        in policy
    )


def test_preview_that_waits_says_so_and_comes_by_itself(
    boss: FlaskClient, database: Database
) -> None:
    put_mail(database)

    number = asked(boss, f"{MESSAGES}/1", f"{MESSAGES}/1/preview")
    page = boss.get(f"{MAIL}/previews/{number}").text

    assert "Waits for its turn" in page
    assert f'data-events="/console/jobs/{number}/events" data-reload' in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_another_job_is_no_preview(boss: FlaskClient) -> None:
    number = asked(boss, MAIL, f"{MAIL}/resume")

    assert boss.get(f"{MAIL}/previews/{number}").status_code == 404
