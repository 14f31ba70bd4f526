"""Where somebody is signed in, and an end to it."""

import re
from typing import Any

import pytest

from tests.integration.account_site import (
    ADA,
    ANOTHER,
    BOB,
    PASSWORD,
    Site,
    is_signed_in,
    press,
)
from tests.integration.postgres import Database
from tests.session_app import Clock
from tests.web_app import form_token, send_form
from web.accounts import sign_ins

COOKIE = "session"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SESSIONS = "/account/sessions"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def ids(site: Site) -> list[int]:
    return [row.id for row in site.rows("SELECT id FROM sign_ins ORDER BY id")]


def test_list_names_each_browser_and_marks_this_one(site: Site) -> None:
    site.account()
    browser = site.browser()
    page = browser.get("/account/sign-in")
    fields = {"csrf_token": form_token(page), "email": ADA, "password": PASSWORD}
    browser.post("/account/sign-in", data=fields, headers={"User-Agent": FIREFOX})
    other = site.sign_in()

    text = other.get(SESSIONS).text

    assert "Firefox on Linux" in text
    assert text.count("from 127.0.0.1, since") == 2
    assert text.count("this browser</span>") == 1
    assert text.index("this browser</span>") < text.index(
        "Firefox on Linux"
    )  # the newest is the first


def test_each_button_says_which_browser_it_signs_out(site: Site) -> None:
    site.signed_in()
    here = site.signed_in()
    site.do("UPDATE sign_ins SET started_at = '2026-03-04 05:06:07Z' WHERE id = 1")
    site.do("UPDATE sign_ins SET started_at = '2026-03-04 05:06:08Z' WHERE id = 2")

    names = re.findall(r'aria-label="(Sign out: [^"]+)"', here.get(SESSIONS).text)

    assert names == [
        "Sign out: Another program, signed in since 4 Mar 2026, 05:06:08 UTC, this browser",
        "Sign out: Another program, signed in since 4 Mar 2026, 05:06:07 UTC",
    ]


@pytest.mark.parametrize(("minutes", "is_written"), [(4, False), (6, True)])
def test_list_tells_when_a_browser_was_last_seen_to_within_five_minutes(
    site: Site, minutes: int, is_written: bool
) -> None:
    browser = site.signed_in()
    ago = f"now() - interval '{minutes} minutes'"
    site.do(f"UPDATE sign_ins SET seen_at = {ago}")
    before = site.rows("SELECT seen_at FROM sign_ins")

    browser.get(SESSIONS)

    (row,) = site.rows("SELECT seen_at, seen_at > now() - interval '1 minute' AS now FROM sign_ins")
    assert row.now is is_written
    assert (row.seen_at == before[0].seen_at) is not is_written


def test_what_a_browser_says_of_itself_is_no_markup(site: Site) -> None:
    site.account()
    browser = site.browser()
    page = browser.get("/account/sign-in")
    fields = {"csrf_token": form_token(page), "email": ADA, "password": PASSWORD}
    browser.post("/account/sign-in", data=fields, headers={"User-Agent": "<b>Firefox/" * 100})

    assert "<b>" not in browser.get(SESSIONS).text
    (row,) = site.rows("SELECT length(agent) AS length FROM sign_ins")
    assert row.length == 200


def test_one_of_them_is_signed_out(site: Site) -> None:
    here, there = site.signed_in(), site.signed_in()

    answer = press(here, SESSIONS, f"{SESSIONS}/{ids(site)[1]}/end")

    assert (answer.status_code, answer.location) == (303, SESSIONS)
    assert not is_signed_in(there)
    assert "That browser is signed out." in here.get(SESSIONS).text


def test_this_one_is_signed_out_too(site: Site) -> None:
    here = site.signed_in()

    answer = press(here, SESSIONS, f"{SESSIONS}/{ids(site)[0]}/end")

    assert answer.location == "/account/signed-out"
    assert not is_signed_in(here)


def test_nobody_ends_a_sign_in_of_somebody_else(site: Site) -> None:
    ada, bob = site.signed_in(ADA), site.signed_in(BOB)

    press(bob, SESSIONS, f"{SESSIONS}/{ids(site)[0]}/end")

    assert is_signed_in(ada)
    assert is_signed_in(bob)


@pytest.mark.parametrize("number", ["0", "9" * 30, "9" * 5000])
def test_end_of_a_sign_in_that_is_not_there_changes_nothing(site: Site, number: str) -> None:
    here = site.signed_in()

    answer = press(here, SESSIONS, f"{SESSIONS}/{number}/end")

    assert answer.status_code in {303, 404}
    assert is_signed_in(here)


def test_everywhere_else_leaves_this_browser_signed_in_with_a_new_session(site: Site) -> None:
    here, there = site.signed_in(), site.signed_in()
    before = here.get_cookie(COOKIE)

    press(here, SESSIONS, f"{SESSIONS}/end-others")

    after = here.get_cookie(COOKIE)
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert before
    assert after
    assert before.value != after.value
    assert len(ids(site)) == 1


def test_everywhere_else_gives_this_browser_no_more_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    here = site.signed_in()
    site.do("UPDATE sign_ins SET expires_at = now() + interval '1 minute'")
    (row,), cookie = site.rows("SELECT * FROM sign_ins"), here.get_cookie(COOKIE)
    clock.pass_by(600)

    press(here, SESSIONS, f"{SESSIONS}/end-others")

    (after,), renamed = site.rows("SELECT * FROM sign_ins"), here.get_cookie(COOKIE)
    assert (after.id, after.started_at, after.expires_at) == (
        row.id,
        row.started_at,
        row.expires_at,
    )
    assert after.epoch == row.epoch + 1, "so a sign-in that is being made counts for nothing"
    assert cookie
    assert renamed
    assert cookie.value != renamed.value
    assert cookie.expires == renamed.expires


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param("DELETE FROM accounts", id="account deleted"),
        pytest.param("DELETE FROM sign_ins", id="signed out"),
        pytest.param("UPDATE accounts SET epoch = epoch + 1", id="signed out everywhere"),
    ],
)
def test_browser_that_is_signed_out_meanwhile_ends_the_others_and_stays_signed_out(
    site: Site, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    here = site.signed_in()
    end_others = sign_ins.end_others

    def late(*given: Any) -> bool:
        site.do(ended)
        return end_others(*given)

    monkeypatch.setattr(sign_ins, "end_others", late)

    answer = press(here, SESSIONS, f"{SESSIONS}/end-others")

    assert (answer.status_code, answer.location) == (303, "/account/sign-in")
    assert not is_signed_in(here)


def test_everywhere_ends_this_one_as_well_and_no_old_cookie_comes_back(site: Site) -> None:
    here, there = site.signed_in(), site.signed_in()
    cookies = [browser.get_cookie(COOKIE) for browser in (here, there)]

    answer = press(here, SESSIONS, f"{SESSIONS}/end-all")

    assert answer.location == "/account/signed-out"
    assert not is_signed_in(here)
    for cookie in cookies:
        replay = site.browser()
        assert cookie
        replay.set_cookie(COOKIE, cookie.value)
        assert not is_signed_in(replay)


def test_list_has_pages_of_twenty(site: Site) -> None:
    browser = site.signed_in()
    site.do(
        "INSERT INTO sign_ins (account_id, key_hash, epoch, started_at, seen_at, expires_at, address, agent)"
        " SELECT 1, sha256(n::text::bytea), 0, now(), now(), now() + interval '1 hour', '', ''"
        " FROM generate_series(1, 20) n"
    )

    first = browser.get(SESSIONS).text
    second = browser.get(f"{SESSIONS}?before=2").text

    assert first.count("last seen") == 20
    assert f'href="{SESSIONS}?before=2"' in first
    assert second.count("last seen") == 1
    assert "Older ones" not in second


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "9" * 5000])
def test_page_that_nobody_linked_is_shown_all_the_same(site: Site, before: str) -> None:
    assert site.signed_in().get(f"{SESSIONS}?before={before}").status_code == 200


def test_signing_in_as_somebody_else_leaves_no_sign_in_of_the_first_behind(site: Site) -> None:
    browser = site.signed_in(ADA)
    site.account(BOB)
    send_form(browser, "/account/reset", email=BOB)
    fields = {"password": ANOTHER, "password_again": ANOTHER}

    send_form(browser, site.link("reset"), **fields)

    assert [row.account_id for row in site.rows("SELECT account_id FROM sign_ins")] == [2]
