"""Notices as people see them: published, mailed once to each subscriber, and never before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from tests.integration.account_site import ADA, BOB
from tests.integration.notice_site import CONSOLE, NoticeSite
from tests.integration.postgres import Database
from tests.web_app import form_token

PUBLIC = ["/", "/notices", "/notices/1", "/api/v1/notices", "/api/v1/notices/1"]
XSS = "<script>alert(1)</script>"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> NoticeSite:
    return NoticeSite(database, monkeypatch)


def test_draft_is_nowhere_public_and_mailed_to_nobody(site: NoticeSite) -> None:
    site.subscribe(ADA)
    site.draft(title="A secret draft")

    answers = [site.visitor().get(path) for path in PUBLIC]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 404]
    assert not any("A secret draft" in answer.text for answer in answers)
    assert site.outbox() == []


def test_publishing_shows_it_and_mails_each_confirmed_subscriber(site: NoticeSite) -> None:
    site.subscribe(ADA, BOB, "gone@example.org")
    site.subscribe("pending@example.org", state="pending")
    site.do("INSERT INTO mail_suppressions VALUES ('gone@example.org', '*', 'test')")

    site.published(parts="Mail")

    page = site.visitor().get("/notices/1").text
    assert site.outbox() == [("Incident: Mail is delayed", ADA), ("Incident: Mail is delayed", BOB)]
    assert "<h1>Mail is delayed</h1>" in page
    assert "Investigating" in page
    assert "<p>Our relay is slow.</p>" in page
    assert "Mail is delayed" in site.visitor().get("/notices").text


def test_mail_has_the_words_and_the_way_to_the_notice(site: NoticeSite) -> None:
    site.subscribe(ADA)

    site.published(parts="Mail")

    (mail,) = site.mails()
    assert mail.text.replace("\r\n", "\n").startswith(
        "Investigating.\nConcerns: Mail.\n\nOur relay is slow.\n"
    )
    assert "http://localhost:8000/notices/1" in mail.text


def test_update_keeps_which_mail_it_was(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.published()

    site.go_on(path, "monitoring", "Better.")

    rows = site.rows(
        "SELECT u.state, o.subject FROM notice_updates u"
        " JOIN outbox o ON o.body_id = u.body_id ORDER BY u.id"
    )
    assert [(row.state, row.subject) for row in rows] == [
        ("investigating", "Incident: Mail is delayed"),
        ("monitoring", "Update: Mail is delayed"),
    ]


def test_publishing_twice_at_once_mails_everybody_once(site: NoticeSite) -> None:
    site.subscribe(ADA, BOB)
    path = site.draft()
    token = form_token(site.boss.get(path))
    cookie = site.boss.get_cookie("session")
    assert cookie

    def press(_: int) -> int:
        browser = site.browser()
        browser.set_cookie("session", cookie.value)
        return browser.post(f"{path}/publish", data={"csrf_token": token}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press, range(4)))

    assert answers == [303, 303, 303, 303]
    assert sorted(to for _, to in site.outbox()) == [ADA, BOB]
    assert [action for action, *_ in site.audited()] == ["notice.draft", "notice.publish"]


def test_update_that_is_sent_twice_is_told_once(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.published()
    action = site.form_of(path)
    fields = {"csrf_token": form_token(site.boss.get(path)), "state": "resolved", "words": "Over."}

    answers = [site.boss.post(action, data=fields) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert [subject for subject, _ in site.outbox()] == [
        "Incident: Mail is delayed",
        "Resolved: Mail is delayed",
    ]
    assert len(site.rows("SELECT FROM notice_updates")) == 2


@pytest.mark.parametrize("path", ["/notices", "/notices/1", "/api/v1/notices", "/api/v1/notices/1"])
def test_update_shows_at_once_on_what_was_kept(site: NoticeSite, path: str) -> None:
    console = site.published()
    visitor = site.visitor()
    before = [visitor.get(path) for _ in range(2)][-1]

    site.go_on(console, "monitoring", "Better than it was.")
    after = visitor.get(path)

    assert "Age" in before.headers, "it was kept"
    assert "Better than it was." not in before.text
    assert "Better than it was." in after.text


def test_publishing_that_is_not_written_down_shows_nothing_and_mails_nobody(
    site: NoticeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.subscribe(ADA)
    path = site.draft()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the audit log is full")

    monkeypatch.setattr("web.console.audit.record", fail)
    answer = site.publish(path)

    assert answer.status_code == 500
    assert site.outbox() == []
    assert site.visitor().get("/notices/1").status_code == 404


def test_markup_in_title_and_words_is_text_everywhere(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.draft(title=XSS, words=f"{XSS} https://a.example/?a=1&b=2\n\njavascript:alert(1)")
    pages = [site.boss.get(path), site.boss.get(f"{path}/mail"), site.boss.get(f"{path}/edit")]
    site.publish(path)
    pages += [site.visitor().get(page) for page in ("/notices", "/notices/1")]
    pages += [site.boss.get(page) for page in (path, CONSOLE)]

    for page in pages:
        assert page.status_code == 200
        assert XSS not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert 'href="javascript' not in page.text
    assert '<a href="https://a.example/?a=1&amp;b=2">' in pages[3].text
    (row,) = site.rows("SELECT content FROM mail_bodies")
    assert XSS.encode() not in bytes(row.content).split(b"text/html")[1]


def test_maintenance_shows_its_hours_on_the_page_and_in_the_mail(site: NoticeSite) -> None:
    site.subscribe(ADA)
    begins = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    ends = begins + timedelta(hours=2)

    site.published(
        kind="maintenance",
        title="A larger disk",
        begins_at=begins.strftime("%Y-%m-%d %H:%M"),
        ends_at=ends.strftime("%Y-%m-%dT%H:%M"),
    )

    page = site.visitor().get("/notices/1").text
    assert f'datetime="{begins.isoformat()}"' in page
    assert f'datetime="{ends.isoformat()}"' in page
    assert site.outbox() == [("Planned: A larger disk", ADA)]
    assert (
        f"Hours: {begins:%-d %b %Y, %H:%M} UTC to {ends:%-d %b %Y, %H:%M} UTC."
        in site.mails()[0].text
    )


def test_past_ones_are_listed_in_pages_of_twenty_and_open_ones_on_the_first(
    site: NoticeSite,
) -> None:
    site.do(
        "INSERT INTO notices (kind, title, created_at, published_at, resolved_at)"
        " SELECT 'incident', 'Past ' || n || '.', now(), now(), now() FROM generate_series(1, 21) n"
    )
    site.do(
        "INSERT INTO notice_updates (notice_id, state, words, written_at)"
        " SELECT id, 'resolved', 'Over.', now() FROM notices"
    )
    site.published(title="Open just now")

    first, second = (site.visitor().get(path).text for path in ("/notices", "/notices?before=2"))

    assert (first.count("Past "), second.count("Past ")) == (21, 2)  # with the heading
    assert 'href="/notices?before=2"' in first
    assert "Open just now" in first
    assert "Open just now" not in second


def test_page_of_a_notice_stays_while_the_database_is_away(
    site: NoticeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.published()
    kept = site.visitor().get("/notices/1")
    keeper = site.app.extensions["cache_keeper"]
    now = keeper.clock()
    monkeypatch.setattr(keeper, "clock", lambda: now + 3600)

    def away(*_: object) -> None:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr("web.notices.published.one", away)
    shown = site.visitor().get("/notices/1")

    assert (kept.status_code, shown.status_code) == (200, 200)
    assert shown.headers["Age"] == "3600"
    assert "As of" in shown.text
