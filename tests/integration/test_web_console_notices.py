"""Notices as operators write them: nothing typed is lost, and everything done is written down."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from tests.integration.account_site import ADA, BOB, press
from tests.integration.notice_site import CONSOLE, INCIDENT, NoticeSite
from tests.integration.postgres import Database
from tests.web_app import send_form

FORM = f"{CONSOLE}/new"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> NoticeSite:
    return NoticeSite(database, monkeypatch)


@pytest.mark.parametrize("path", ["", "/new", "/1", "/1/edit", "/1/mail", "/1/updates/1"])
def test_pages_are_not_there_for_members(site: NoticeSite, path: str) -> None:
    site.published()

    assert site.signed_in(ADA).get(CONSOLE + path).status_code == 404


@pytest.mark.parametrize("path", ["/new", "/1/edit", "/1/publish", "/1/discard", "/1/updates"])
def test_members_write_nothing(site: NoticeSite, path: str) -> None:
    site.subscribe(BOB)
    site.draft()

    answer = press(site.signed_in(ADA), "/account", CONSOLE + path, **INCIDENT)

    assert answer.status_code == 404
    assert len(site.rows("SELECT FROM notices WHERE published_at IS NULL")) == 1
    assert site.outbox() == []


def test_form_leads_to_the_draft_with_the_page_the_mail_and_who_will_get_it(
    site: NoticeSite,
) -> None:
    site.subscribe(ADA, BOB, "gone@example.org")
    site.subscribe("pending@example.org", state="pending")
    site.do("INSERT INTO mail_suppressions VALUES ('gone@example.org', 'notice', 'unsubscribed')")

    path = site.draft(parts="Mail", words="Slow.\n\nSee https://a.example.")
    page, mail = site.boss.get(path), site.boss.get(f"{path}/mail")

    assert "Publish, and mail 2 subscribers" in page.text
    assert 'See <a href="https://a.example">' in page.text
    assert f'<iframe class="mail-frame" title="The mail" sandbox src="{path}/mail">' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert "Incident: Mail is delayed" in mail.text
    assert "; sandbox;" in mail.headers["Content-Security-Policy"]
    assert "default-src 'none'" in mail.headers["Content-Security-Policy"]


def test_what_was_typed_comes_back_with_each_mistake_beside_its_field(site: NoticeSite) -> None:
    typed = {
        "kind": "maintenance",
        "title": "",
        "parts": "Mail",
        "begins_at": "tomorrow <noon>",
        "ends_at": "2020-01-01 10:00",
        "words": "\nfirst line\n<b>",
    }

    answer = send_form(site.boss, FORM, **typed)

    assert answer.status_code == 422
    assert 'value="maintenance" checked' in answer.text
    assert 'value="Mail" checked' in answer.text
    assert 'value="tomorrow &lt;noon&gt;" aria-invalid="true"' in answer.text
    assert 'value="2020-01-01 10:00"' in answer.text
    assert "\n\nfirst line\n&lt;b&gt;</textarea>" in answer.text
    assert '<p class="error" id="title-error">Please give it a title.</p>' in answer.text
    assert '<p class="error" id="begins_at-error">This is no date with a time.' in answer.text
    assert site.rows("SELECT FROM notices") == []


@pytest.mark.parametrize(
    ("kind", "begins", "ends", "field"),
    [
        pytest.param("maintenance", 2, 1, "ends_at", id="ends before it begins"),
        pytest.param("maintenance", -2, -1, "ends_at", id="is over"),
        pytest.param("maintenance", None, 1, "begins_at", id="has no beginning"),
        pytest.param("maintenance", 1, 24 * 40, "ends_at", id="takes too long"),
        pytest.param("incident", 1, 2, "begins_at", id="an incident has no hours"),
    ],
)
def test_wrong_hours_are_refused(
    site: NoticeSite, kind: str, begins: int | None, ends: int, field: str
) -> None:
    hours = {"begins_at": begins, "ends_at": ends}
    given = {name: in_hours(number) for name, number in hours.items() if number is not None}

    answer = send_form(site.boss, FORM, **{**INCIDENT, "kind": kind}, **given)

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert site.rows("SELECT FROM notices") == []


def in_hours(number: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M")


def test_draft_that_waited_too_long_is_not_published(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.draft(kind="maintenance", begins_at=in_hours(1), ends_at=in_hours(2))
    site.do("UPDATE notices SET begins_at = '2020-01-01', ends_at = '2020-01-02'")

    site.publish(path)

    assert "This is over already." in site.boss.get(path).text
    assert site.outbox() == []


def test_draft_is_changed_and_discarded(site: NoticeSite) -> None:
    path = site.draft(parts="Mail")
    form = site.boss.get(f"{path}/edit").text
    send_form(site.boss, f"{path}/edit", **{**INCIDENT, "title": "Mail stands still"})
    changed = site.boss.get(path).text

    press(site.boss, path, f"{path}/discard")

    assert 'value="Mail is delayed"' in form
    assert 'value="Mail" checked' in form
    assert "Mail stands still" in changed
    assert site.rows("SELECT FROM notices") == site.rows("SELECT FROM notice_updates") == []
    assert site.boss.get(path).status_code == 404
    assert "The draft “Mail stands still” is gone." in site.boss.get(CONSOLE).text


def test_published_notice_is_neither_changed_nor_discarded(site: NoticeSite) -> None:
    path = site.published()

    edit = site.boss.get(f"{path}/edit")
    press(site.boss, path, f"{path}/discard")

    assert edit.location == path
    (row,) = site.rows("SELECT title FROM notices")
    assert row.title == "Mail is delayed"
    assert "It is published already" in site.boss.get(path).text


@pytest.mark.parametrize(
    ("action", "told"),
    [("publish", "It is published already"), ("discard", "There is no notice 1")],
)
def test_what_was_typed_into_a_draft_that_is_none_any_more_can_be_kept_as_another(
    site: NoticeSite, action: str, told: str
) -> None:
    path = site.draft()
    press(site.boss, FORM, f"{path}/{action}")

    late = press(site.boss, FORM, f"{path}/edit", **{**INCIDENT, "words": "Typed late."})

    assert late.status_code == 409
    assert told in late.text
    assert "Typed late.</textarea>" in late.text
    assert f'action="{FORM}"' in late.text


def test_update_is_previewed_without_being_told(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.published()

    page = site.go_on(path, "resolved", "It works <again>.", preview="y")

    assert page.status_code == 200
    assert "Resolved: Mail is delayed" in page.text
    assert "It works &lt;again&gt;.\n\nThe notice, and what came after" in page.text
    assert '<option value="resolved" selected>' in page.text
    assert len(site.outbox()) == 1


def test_resolved_notice_is_open_no_more(site: NoticeSite) -> None:
    path = site.published()
    action = site.form_of(path)
    site.go_on(path, "resolved", "It works again.")

    late = press(site.boss, f"{CONSOLE}/new", action, state="monitoring", words="Typed late.")

    assert late.status_code == 409
    assert "Typed late." in late.text
    assert "It is not open" in late.text
    assert "resolved <time" in site.visitor().get("/notices").text


def test_of_two_who_write_at_once_the_second_keeps_what_they_typed(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.published()
    action = site.form_of(path)
    site.go_on(path, "identified", "A cable.")

    second = press(site.boss, path, action, state="monitoring", words="A plug.")

    assert second.status_code == 409
    assert "A plug.</textarea>" in second.text
    assert "Somebody has written an update meanwhile" in second.text
    assert "A cable." in second.text
    assert len(site.outbox()) == 2


@pytest.mark.parametrize(("state", "words"), [("planned", "Words."), ("monitoring", " \n ")])
def test_update_that_says_nothing_is_refused_beside_its_field(
    site: NoticeSite, state: str, words: str
) -> None:
    path = site.published()

    answer = site.go_on(path, state, words)

    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert len(site.rows("SELECT FROM notice_updates")) == 1


def test_form_that_was_open_too_long_comes_back_with_all_that_was_chosen(site: NoticeSite) -> None:
    fields = {**INCIDENT, "parts": ["Mail", "Edge"], "csrf_token": "stale"}

    page = site.boss.post(FORM, data=fields, headers={"Sec-Fetch-Site": "same-origin"}).text

    assert '<option value="incident" selected>Incident</option>' in page
    assert 'name="parts" type="text" value="Mail"' in page
    assert 'name="parts" type="text" value="Edge"' in page


def test_everything_done_is_in_the_audit_log(site: NoticeSite) -> None:
    site.subscribe(ADA)
    path = site.published()
    site.go_on(path, "resolved", "Over.")
    press(site.boss, FORM, f"{site.draft()}/discard")

    title = {"title": "Mail is delayed"}
    assert site.audited() == [
        ("notice.draft", "notice 1", title),
        ("notice.publish", "notice 1", {"mails": 1}),
        ("notice.update", "notice 1", {"mails": 1, "state": "resolved"}),
        ("notice.draft", "notice 2", title),
        ("notice.discard", "notice 2", title),
    ]


def test_sending_is_watched_until_no_mail_waits(site: NoticeSite) -> None:
    site.subscribe(ADA, BOB)
    draft = site.draft()
    path = str(site.publish(draft).location)
    waiting = site.boss.get(path).text
    site.do("UPDATE outbox SET state = 'sent' WHERE recipient = :ada", ada=ADA)

    with site.boss.get(f"{path}/events", buffered=False) as stream:
        chunks = stream.iter_encoded()
        first = next(chunks)
        site.do("UPDATE outbox SET state = 'dead' WHERE recipient = :bob", bob=BOB)
        rest = list(chunks)

    events = [json.loads(one.decode().removeprefix("data: ")) for one in (first, *rest)]
    assert path == f"{draft}/updates/1"
    assert f'data-events="{path}/events"' in waiting
    assert "http-equiv" in waiting
    assert [one["ended"] for one in events] == [False, True]
    assert "1 of 2 done" in events[0]["html"]
    assert "<li>1 sent</li>" in events[1]["html"]
    assert "<li>1 refused, or given up</li>" in events[1]["html"]
    assert "data-events" not in site.boss.get(path).text
    assert "1 sent" in site.boss.get(draft).text


def test_page_with_a_form_never_loads_itself_anew(site: NoticeSite) -> None:
    site.subscribe(ADA)

    page = site.boss.get(site.published()).text

    assert "1 waiting" in page
    assert 'href="/console/notices/1/updates/1">Watch the sending' in page
    assert "http-equiv" not in page
    assert "progress.js" not in page


def test_mail_that_is_kept_no_more_is_not_watched(site: NoticeSite) -> None:
    path = site.published()

    assert site.boss.get(f"{path}/updates/1/events").status_code == 404
    assert site.boss.get(f"{path}/updates/2").status_code == 404
    assert "No mail of this is kept" in site.boss.get(path).text
    assert "No mail of this is kept" in site.boss.get(f"{path}/updates/1").text


@pytest.mark.parametrize(
    "path", [CONSOLE, f"{CONSOLE}/1", f"{CONSOLE}/2", f"{CONSOLE}/1/updates/1", FORM]
)
def test_page_asks_the_database_less_than_five_times(site: NoticeSite, path: str) -> None:
    site.subscribe(ADA)
    site.published()
    site.draft()
    for number in range(3):
        site.go_on(f"{CONSOLE}/1", "monitoring", f"Part {number}.")
    asked: list[str] = []

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(Engine, "before_cursor_execute", note)
    answer = site.boss.get(path)
    event.remove(Engine, "before_cursor_execute", note)

    assert answer.status_code == 200
    assert len(asked) < 5, asked
