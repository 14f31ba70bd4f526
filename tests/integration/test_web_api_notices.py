"""Notices for programs: those of everybody, and those of operators."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.account_site import ADA
from tests.integration.notice_site import NoticeSite
from tests.integration.postgres import Database
from tests.integration.web_people import token

PUBLIC = "/api/v1/notices"
CONSOLE = "/api/v1/console/notices"
DRAFT = {"kind": "incident", "title": "Mail is delayed", "words": "Slow.", "parts": ["Mail"]}


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> NoticeSite:
    return NoticeSite(database, monkeypatch)


def post(browser: FlaskClient, path: str, body: Any = None) -> TestResponse:
    return browser.post(CONSOLE + path, json=body, headers=token(browser))


def test_program_of_an_operator_does_all_that_the_pages_do(site: NoticeSite) -> None:
    site.subscribe(ADA)

    draft = post(site.boss, "", DRAFT)
    changed = post(site.boss, "/1", {**DRAFT, "title": "Mail stands still"})
    published = post(site.boss, "/1/publish")
    told = post(site.boss, "/1/updates", {"state": "resolved", "words": "Over.", "after": 1})

    assert [answer.status_code for answer in (draft, changed, published, told)] == [
        201, 200, 200, 200
    ]  # fmt: skip
    assert draft.json
    assert draft.json["published_at"] is None
    assert (published.json, told.json) == ({"mails": 1}, {"mails": 1})
    seen = site.boss.get(f"{CONSOLE}/1").json
    assert seen
    assert (seen["title"], seen["state"], seen["parts"]) == (
        "Mail stands still",
        "resolved",
        ["Mail"],
    )
    assert [update["mail"] for update in seen["updates"]] == 2 * [
        {"total": 1, "done": 0, "states": {"queued": 1}}
    ]
    assert [action for action, *_ in site.audited()] == [
        "notice.draft", "notice.change", "notice.publish", "notice.update"
    ]  # fmt: skip


def test_everybody_reads_what_is_published_and_nothing_else(site: NoticeSite) -> None:
    site.published()
    site.draft(title="A secret draft")

    listed, one, draft = (
        site.visitor().get(path) for path in (PUBLIC, f"{PUBLIC}/1", f"{PUBLIC}/2")
    )

    assert listed.json == {"items": [one.json], "next": None}
    assert one.json
    assert one.json["url"] == "http://localhost:8000/notices/1"
    assert one.json["updates"][0]["words"] == "Our relay is slow."
    assert "mail" not in one.json["updates"][0]
    assert draft.status_code == 404
    assert draft.mimetype == "application/problem+json"


def test_list_comes_in_pages(site: NoticeSite) -> None:
    for _ in range(3):
        site.published()

    first = site.visitor().get(f"{PUBLIC}?limit=2")
    assert first.json
    second = site.visitor().get(first.json["next"].removeprefix("http://localhost:8000"))

    assert [one["id"] for one in first.json["items"]] == [3, 2]
    assert second.json
    assert [one["id"] for one in second.json["items"]] == [1]
    assert second.json["next"] is None


def test_argument_that_there_is_not_is_refused_also_of_a_page_that_is_kept(
    site: NoticeSite,
) -> None:
    site.visitor().get(PUBLIC)

    assert site.visitor().get(f"{PUBLIC}?offset=2").status_code == 422


def test_nobody_and_members_find_no_console(site: NoticeSite) -> None:
    member = site.signed_in(ADA)

    answers = [site.visitor().get(CONSOLE), member.get(CONSOLE), post(member, "", DRAFT)]

    assert [answer.status_code for answer in answers] == [401, 404, 404]
    assert site.rows("SELECT FROM notices") == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"title": " \n "}, "title", id="no title"),
        pytest.param({"kind": "maintenance"}, "begins_at", id="no hours"),
        pytest.param({"parts": ["Moon"]}, "parts.0", id="no part"),
        pytest.param({"begins_at": "2027-03-01T10:00:00Z"}, "begins_at", id="hours too many"),
    ],
)
def test_what_can_not_be_told_is_refused_with_its_field(
    site: NoticeSite, given: dict[str, Any], field: str
) -> None:
    answer = post(site.boss, "", {**DRAFT, **given})

    assert answer.status_code == 422
    assert answer.json
    assert field in [error["name"] for error in answer.json["errors"]]


def test_what_can_not_be_done_as_things_are_is_a_conflict(site: NoticeSite) -> None:
    site.published()
    news = {"state": "monitoring", "words": "Better.", "after": 99}

    answers = [
        post(site.boss, "/1/publish"),
        post(site.boss, "/1", DRAFT),
        post(site.boss, "/1/updates", news),
        site.boss.delete(f"{CONSOLE}/1", headers=token(site.boss)),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409, 409]
    assert {answer.mimetype for answer in answers} == {"application/problem+json"}


def test_characters_that_no_database_takes_are_replaced(site: NoticeSite) -> None:
    answer = post(site.boss, "", {**DRAFT, "words": "one\u0000two \ud800"})

    assert answer.status_code == 201
    assert answer.json
    assert answer.json["updates"][0]["words"] == "one\ufffdtwo \ufffd"


def test_scripts_of_listed_sites_may_read_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = NoticeSite(database, monkeypatch, cors_origins="https://a.example")

    answer = site.visitor().get(PUBLIC, headers={"Origin": "https://a.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"


def test_mail_is_seen_before_it_is_sent(site: NoticeSite) -> None:
    post(site.boss, "", DRAFT)

    mail = site.boss.get(f"{CONSOLE}/1/mail").json

    assert mail
    assert mail["subject"] == "Incident: Mail is delayed"
    assert "Slow." in mail["text"]
    assert mail["html"] == site.boss.get("/console/notices/1/mail").text
    assert site.outbox() == []
