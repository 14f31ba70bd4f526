"""A button that asks another part for something: pressed twice, it is asked once, and written down once."""

import time

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.account_site import Site
from tests.integration.postgres import Database
from tests.web_app import form_token

BOSS, EVE = "boss@example.org", "eve@example.org"
TAKE, BACKUPS = "/console/backups/take", "/console/backups"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def asked(site: Site) -> list[int]:
    return [row.id for row in site.rows("SELECT id FROM jobs ORDER BY id")]


def audited(site: Site) -> list[str]:
    return [row.email for row in site.rows("SELECT email FROM audit_entries ORDER BY id")]


def sent(browser: FlaskClient, token: str) -> TestResponse:
    return browser.post(TAKE, data={"csrf_token": token})


def end_all(site: Site) -> None:
    site.do("UPDATE jobs SET state = 'done', ended_at = now(), answer = '{}'")


def test_button_that_is_pressed_twice_asks_once(site: Site) -> None:
    boss = site.signed_in(BOSS, "operator")
    token = form_token(boss.get(BACKUPS))

    first, second = sent(boss, token), sent(boss, token)

    assert first.location == second.location
    assert len(asked(site)) == 1
    assert audited(site) == [BOSS]
    assert "This form was sent before" in boss.get(second.location).text


def test_form_that_is_sent_again_later_asks_for_nothing_new(site: Site) -> None:
    boss = site.signed_in(BOSS, "operator")
    token = form_token(boss.get(BACKUPS))
    first = sent(boss, token)
    end_all(site)

    assert sent(boss, token).location == first.location
    assert len(asked(site)) == 1


def test_another_operator_is_led_to_what_is_under_way_and_that_is_written_down(site: Site) -> None:
    boss, eve = site.signed_in(BOSS, "operator"), site.signed_in(EVE, "operator")
    first = sent(boss, form_token(boss.get(BACKUPS)))

    second = sent(eve, form_token(eve.get(BACKUPS)))

    assert second.location == first.location
    assert audited(site) == [BOSS, EVE]
    assert "This was asked already" in eve.get(second.location).text


def test_page_that_is_loaded_anew_asks_anew_once_that_has_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = site.signed_in(BOSS, "operator")
    sent(boss, form_token(boss.get(BACKUPS)))
    end_all(site)
    later = time.time() + 1
    monkeypatch.setattr(
        time, "time", lambda: later
    )  # tokens have the second in which they were made

    sent(boss, form_token(boss.get(BACKUPS)))

    assert len(asked(site)) == 2
