"""Two operators at one draft: nobody's words are lost, and nobody tells what they have not seen."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.account_site import ADA
from tests.integration.notice_site import BOSS, INCIDENT, NoticeSite
from tests.integration.postgres import Database
from tests.integration.web_people import token
from tests.web_app import form_token

EVE = "eve@example.org"
API = "/api/v1/console/notices"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> NoticeSite:
    return NoticeSite(database, monkeypatch)


@pytest.fixture
def eve(site: NoticeSite) -> FlaskClient:
    return site.signed_in(EVE, "operator")


def sent(browser: FlaskClient, page: TestResponse, action: str, **fields: str) -> TestResponse:
    """Send the page's form of which the address ends in this."""
    found = re.search(rf'action="([^"]*/{action}\?[^"]+)"', page.text)
    assert found, page.text
    return browser.post(unescape(found[1]), data={"csrf_token": form_token(page), **fields})


def keep(browser: FlaskClient, page: TestResponse, words: str) -> TestResponse:
    return sent(browser, page, "edit", **{**INCIDENT, "words": words})


def audited(site: NoticeSite) -> list[tuple[str, str]]:
    rows = site.rows("SELECT email, action FROM audit_entries ORDER BY id")
    return [(row.email, row.action) for row in rows]


def kept(site: NoticeSite) -> list[str]:
    return [row.words for row in site.rows("SELECT words FROM notice_updates")]


def test_second_to_save_is_told_and_sees_both_texts(site: NoticeSite, eve: FlaskClient) -> None:
    path = site.draft(parts="Mail")
    hers, ours = eve.get(f"{path}/edit"), site.boss.get(f"{path}/edit")
    keep(eve, hers, "It is <Eve's>.")

    answer = keep(site.boss, ours, "It is the boss's.")

    assert answer.status_code == 409
    assert "Somebody else has changed this draft since you opened it." in answer.text
    assert "\nIt is the boss&#39;s.</textarea>" in answer.text
    assert '<pre class="mail-text">It is &lt;Eve&#39;s&gt;.</pre>' in answer.text
    assert kept(site) == ["It is <Eve's>."]
    assert audited(site) == [(BOSS, "notice.draft"), (EVE, "notice.change")]


def test_second_may_put_theirs_in_place_of_what_they_have_seen(
    site: NoticeSite, eve: FlaskClient
) -> None:
    path = site.draft()
    ours = site.boss.get(f"{path}/edit")
    keep(eve, eve.get(f"{path}/edit"), "Eve's.")
    both = keep(site.boss, ours, "The boss's.")

    answer = keep(site.boss, both, "Of both.")

    assert (answer.status_code, answer.location) == (303, path)
    assert kept(site) == ["Of both."]


def test_third_change_is_told_of_too(site: NoticeSite, eve: FlaskClient) -> None:
    path = site.draft()
    ours = site.boss.get(f"{path}/edit")
    keep(eve, eve.get(f"{path}/edit"), "Eve's.")
    both = keep(site.boss, ours, "The boss's.")
    keep(eve, eve.get(f"{path}/edit"), "Eve's second.")

    answer = keep(site.boss, both, "Of both.")

    assert answer.status_code == 409
    assert "Eve&#39;s second." in answer.text


def test_mistake_does_not_lose_what_was_opened(site: NoticeSite, eve: FlaskClient) -> None:
    path = site.draft()
    ours = site.boss.get(f"{path}/edit")
    wrong = sent(site.boss, ours, "edit", **{**INCIDENT, "title": ""})
    keep(eve, eve.get(f"{path}/edit"), "Eve's.")

    again = site.boss.post(
        wrong.request.path + "?" + wrong.request.query_string.decode(),
        data={"csrf_token": form_token(wrong), **INCIDENT},
    )

    assert wrong.status_code == 422
    assert again.status_code == 409


def test_button_that_is_pressed_twice_is_no_change_of_somebody_else(site: NoticeSite) -> None:
    path = site.draft()
    page = site.boss.get(f"{path}/edit")

    answers = [keep(site.boss, page, "New.") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]


@pytest.mark.parametrize("action", ["publish", "discard"])
def test_draft_that_was_changed_meanwhile_is_neither_published_nor_discarded(
    site: NoticeSite, eve: FlaskClient, action: str
) -> None:
    site.subscribe(ADA)
    path = site.draft()
    ours = site.boss.get(path)
    keep(eve, eve.get(f"{path}/edit"), "Eve's.")

    answer = sent(site.boss, ours, action)
    page = site.boss.get(path)

    assert answer.location == path
    assert "Somebody has changed this draft since you saw it" in page.text
    assert kept(site) == ["Eve's."]
    assert site.outbox() == []
    assert sent(site.boss, page, action).status_code == 303
    assert audited(site)[2:] == [(BOSS, f"notice.{action}")]


def test_program_that_names_the_version_it_has_read_is_told_too(site: NoticeSite) -> None:
    site.draft()
    headers = token(site.boss)
    draft = {**INCIDENT, "words": "Another's."}
    read = site.boss.get(f"{API}/1").json
    assert read
    changed = site.boss.post(f"{API}/1", json=draft, headers=headers).json
    assert changed

    def answers(version: str) -> list[int]:
        query = f"?version={version}"
        return [
            site.boss.post(f"{API}/1{query}", json=INCIDENT, headers=headers).status_code,
            site.boss.post(f"{API}/1/publish{query}", headers=headers).status_code,
            site.boss.delete(f"{API}/1{query}", headers=headers).status_code,
        ]

    assert answers(read["version"]) == [409, 409, 409]
    assert changed["version"] != read["version"]
    assert site.boss.post(f"{API}/1/publish?version={changed['version']}", headers=headers).json
    published = site.boss.get(f"{API}/1").json
    assert published
    assert published["version"] is None
    assert kept(site) == ["Another's."]
    assert site.rows("SELECT FROM notices WHERE published_at IS NULL") == []
