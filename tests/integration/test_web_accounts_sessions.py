"""Where somebody is signed in; and the end of an account."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.integration.account_site import (
    ADA,
    ANOTHER,
    BOB,
    PASSWORD,
    Site,
    is_signed_in,
    let_both_come_here,
    press,
)
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.accounts import accounts

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
    assert text.count("this browser") == 1
    assert text.index("this browser") < text.index("Firefox on Linux")  # the newest is the first


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


def delete(browser: FlaskClient, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = send_form(browser, "/account/delete", current_password=password, **more)
    return answer.status_code, answer.text


def test_account_is_deleted_with_everything_of_it_but_subscriptions(site: Site) -> None:
    browser, elsewhere = site.signed_in(), site.signed_in()
    site.do(
        "INSERT INTO subscribers (email, state, token_hash, token_expires_at)"
        " VALUES (:email, 'confirmed', '', now())",
        email=ADA,
    )
    send_form(site.browser(), "/account/reset", email=ADA)

    with capture_logs() as lines:
        status, _ = delete(browser, sure="y")

    assert status == 303
    assert not is_signed_in(browser)
    assert not is_signed_in(elsewhere)
    for table in ("accounts", "sign_ins", "account_tokens"):
        assert site.rows(f"SELECT FROM {table}") == []
    assert [row.state for row in site.rows("SELECT state FROM subscribers")] == ["confirmed"]
    assert (site.mails()[-1].kind, site.mails()[-1].to) == ("account_deleted", ADA)
    assert [line["account"] for line in lines if line["event"] == "account removed"] == [1]


def test_account_is_not_deleted_without_the_password(site: Site) -> None:
    status, text = delete(site.signed_in(), ANOTHER, sure="y")

    assert status == 422
    assert "This is not your password." in text
    assert len(site.rows("SELECT FROM accounts")) == 1


def test_account_is_not_deleted_without_the_tick(site: Site) -> None:
    status, text = delete(site.signed_in())

    assert status == 422
    assert "Please tick the box" in text
    assert len(site.rows("SELECT FROM accounts")) == 1


def test_last_operator_stays_and_reads_what_to_do(site: Site) -> None:
    browser = site.signed_in(role="operator")

    status, text = delete(browser, sure="y")

    assert status == 422
    assert "make another person an operator first" in text
    assert is_signed_in(browser)
    assert site.mails() == []


def test_of_two_operators_who_leave_at_once_one_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_both_come_here(monkeypatch, accounts, "require_another_operator")
    browsers = [site.signed_in(email, "operator") for email in (ADA, BOB)]
    tokens = [form_token(browser.get("/account/delete")) for browser in browsers]

    def leave(number: int) -> int:
        fields = {"csrf_token": tokens[number], "current_password": PASSWORD, "sure": "y"}
        return browsers[number].post("/account/delete", data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(leave, range(2)))

    assert statuses == [303, 422]
    assert len(site.rows("SELECT FROM accounts WHERE role = 'operator'")) == 1
