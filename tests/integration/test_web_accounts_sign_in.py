"""Signing in and out, and what becomes of sessions."""

from threading import BoundedSemaphore

import pytest
from argon2 import PasswordHasher
from structlog.testing import capture_logs

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
from tests.web_app import form_token, send_form
from web.accounts import passwords

COOKIE = "session"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def attempt(site: Site, email: str, password: str) -> tuple[int, str, list[str]]:
    browser = site.browser()
    answer = send_form(browser, "/account/sign-in", email=email, password=password)
    shown = answer.text.replace(form_token(answer), "").replace(email, "EMAIL")
    shown = shown.replace(answer.headers["X-Request-ID"], "")
    return answer.status_code, shown, sorted(answer.headers.keys())


def test_address_and_password_sign_somebody_in(site: Site) -> None:
    account = site.account()
    browser = site.browser()

    with capture_logs() as lines:
        answer = send_form(
            browser, "/account/sign-in", email=" ADA@Example.org ", password=PASSWORD
        )

    assert (answer.status_code, answer.location) == (303, "/account")
    assert is_signed_in(browser)
    assert [line["account"] for line in lines if line["event"] == "signed in"] == [account]


def test_every_failure_looks_the_same(site: Site) -> None:
    site.account(ADA)

    wrong, unknown, no_address, nothing = (
        attempt(site, email, password)
        for email, password in [(ADA, ANOTHER), (BOB, PASSWORD), ("ada", PASSWORD), (ADA, "")]
    )

    assert wrong[0] == 422
    assert "The address and the password don&#39;t match." in wrong[1]
    assert wrong == unknown == no_address == nothing


def test_password_is_checked_as_well_where_there_is_no_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def watched(_password: str, known: str | None) -> bool:
        seen.append(known)
        return False

    monkeypatch.setattr(passwords, "is_right", watched)

    attempt(site, BOB, PASSWORD)
    attempt(site, "not an address", PASSWORD)

    assert seen == [None, None]


def test_failure_is_logged_without_what_was_typed(site: Site) -> None:
    account = site.account(ADA)

    with capture_logs() as lines:
        attempt(site, ADA, ANOTHER)
        attempt(site, BOB, ANOTHER)

    failed = [line["account"] for line in lines if line["event"] == "sign-in failed"]
    assert failed == [account, None]
    for typed in (ADA, BOB, ANOTHER):
        assert typed not in str(lines)


def test_address_is_kept_and_the_password_is_not(site: Site) -> None:
    answer = send_form(site.browser(), "/account/sign-in", email=ADA, password=ANOTHER)

    assert f'value="{ADA}"' in answer.text
    assert ANOTHER not in answer.text
    assert 'autocomplete="username"' in answer.text
    assert 'autocomplete="current-password"' in answer.text


def test_session_that_was_there_before_is_not_the_one_that_is_signed_in(site: Site) -> None:
    site.account()
    browser = site.browser()
    with browser.session_transaction() as session:
        session["planted"] = "by somebody who knows its id"
    planted = browser.get_cookie(COOKIE)
    assert planted

    send_form(browser, "/account/sign-in", email=ADA, password=PASSWORD)

    now = browser.get_cookie(COOKIE)
    assert now
    assert now.value != planted.value
    thief = site.browser()
    thief.set_cookie(COOKIE, planted.value)
    assert not is_signed_in(thief)


def test_session_of_a_sign_in_that_has_ended_is_not_the_one_that_is_signed_in(site: Site) -> None:
    site.account(ADA)
    browser = site.signed_in(BOB)
    planted = browser.get_cookie(COOKIE)
    send_form(site.browser(), "/account/reset", email=ADA)
    link = site.link("reset")
    fields = {"csrf_token": form_token(browser.get(link)), "password": ANOTHER}
    site.do("DELETE FROM sign_ins")

    browser.post(link, data={**fields, "password_again": ANOTHER})

    thief = site.browser()
    assert planted
    thief.set_cookie(COOKIE, planted.value)
    assert is_signed_in(browser)
    assert not is_signed_in(thief)


def test_signed_out_session_cannot_come_back(site: Site) -> None:
    browser = site.signed_in()
    kept = browser.get_cookie(COOKIE)

    answer = press(browser, "/account", "/account/sign-out")

    assert (answer.status_code, answer.location) == (303, "/account/signed-out")
    assert not is_signed_in(browser)
    replay = site.browser()
    assert kept
    replay.set_cookie(COOKIE, kept.value)
    assert not is_signed_in(replay)
    assert site.rows("SELECT FROM sign_ins") == []


def test_browser_that_was_signed_out_elsewhere_signs_in_again(site: Site) -> None:
    browser = site.signed_in()
    token = form_token(browser.get("/subscribe"))
    site.do("DELETE FROM sign_ins")

    fields = {"csrf_token": token, "email": ADA, "password": PASSWORD}
    answer = browser.post("/account/sign-in", data=fields)

    assert answer.location == "/account"
    assert is_signed_in(browser)


def test_sign_out_is_not_done_by_a_link(site: Site) -> None:
    browser = site.signed_in()

    assert browser.get("/account/sign-out").status_code == 405
    assert browser.post("/account/sign-out").status_code == 400
    assert is_signed_in(browser)


def test_account_that_is_deleted_while_its_password_is_checked_matches_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.account()
    is_right = passwords.is_right

    def late(password: str, known: str | None) -> bool:
        found = is_right(password, known)
        site.do("DELETE FROM accounts")
        return found

    monkeypatch.setattr(passwords, "is_right", late)

    status, shown, _ = attempt(site, ADA, PASSWORD)

    assert status == 422
    assert "The address and the password don&#39;t match." in shown


def test_hash_of_other_costs_is_made_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.account()
    dearer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", dearer)

    site.sign_in()

    (row,) = site.rows("SELECT password_hash, epoch FROM accounts")
    assert not dearer.check_needs_rehash(row.password_hash)
    assert dearer.verify(row.password_hash, PASSWORD)
    assert row.epoch == 0


def test_password_is_the_same_however_a_keyboard_writes_its_accents(site: Site) -> None:
    site.account(password="zwölf Möwen über Rügen")

    browser = site.sign_in(password="zwölf Möwen über Rügen")

    assert is_signed_in(browser)


def test_too_many_at_once_are_asked_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.account()
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.01)
    browser = site.browser()
    token = form_token(browser.get("/account/sign-in"))
    fields = {"csrf_token": token, "email": ADA, "password": PASSWORD}
    full = BoundedSemaphore(1)
    full.acquire()
    with monkeypatch.context() as busy_hour:
        busy_hour.setattr(passwords, "_places", full)
        busy = browser.post("/account/sign-in", data=fields)

    later = browser.post("/account/sign-in", data=fields)

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    assert "More people sign in" in busy.text
    assert later.status_code == 303


def test_page_of_an_account_is_kept_by_no_cache(site: Site) -> None:
    answer = site.signed_in().get("/account")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "Cookie" in answer.headers["Vary"]


def test_account_that_is_gone_is_signed_out(site: Site) -> None:
    browser = site.signed_in()
    site.do("DELETE FROM accounts")

    assert not is_signed_in(browser)
    assert not is_signed_in(browser)


def test_sign_in_ends_after_its_absolute_lifetime(site: Site) -> None:
    browser = site.signed_in()
    site.do("UPDATE sign_ins SET expires_at = now()")

    assert not is_signed_in(browser)


def test_failures_alone_are_limited_by_account_and_say_when_to_come_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(database, monkeypatch, ratelimit_enabled=True, ratelimit_default="1000 per day")
    site.account(ADA)
    site.account(BOB)

    failed = [attempt(site, ADA, ANOTHER)[0] for _ in range(10)]
    locked = send_form(site.browser(), "/account/sign-in", email=ADA, password=PASSWORD)
    other = send_form(site.browser(), "/account/sign-in", email=BOB, password=PASSWORD)

    assert failed == [422] * 10
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60
    assert other.status_code == 303
