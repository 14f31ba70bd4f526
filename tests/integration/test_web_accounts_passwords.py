"""A forgotten password, and another one for who knows theirs."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.integration.account_site import (
    ADA,
    ANOTHER,
    BOB,
    PASSWORD,
    Site,
    choose,
    is_signed_in,
)
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.accounts import passwords

COOKIE = "session"
THIRD = "nine owls play the bassoon"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def ask(site: Site, email: str = ADA) -> str:
    send_form(site.browser(), "/account/reset", email=email)
    return site.link("reset")


def test_reset_sets_the_password_ends_all_sign_ins_and_signs_in_here(site: Site) -> None:
    elsewhere = site.signed_in()
    link = ask(site)
    browser = site.browser()

    with capture_logs() as lines:
        answer = choose(browser, link, ANOTHER)

    assert (answer.status_code, answer.location) == (303, "/account")
    assert is_signed_in(browser)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(site.sign_in(password=ANOTHER))
    old = send_form(site.browser(), "/account/sign-in", email=ADA, password=PASSWORD)
    assert old.status_code == 422
    assert [line["account"] for line in lines if line["event"] == "password changed"] == [1]


def test_owner_is_told_that_the_password_was_changed(site: Site) -> None:
    site.account()

    choose(site.browser(), ask(site), ANOTHER)

    mail = site.mails()[-1]
    assert (mail.kind, mail.to) == ("password_changed", ADA)
    assert "http://localhost:8000/account/reset" in mail.text


def test_reset_never_tells_whether_an_address_has_an_account(site: Site) -> None:
    site.account(ADA)

    known = send_form(site.browser(), "/account/reset", email=ADA)
    unknown = send_form(site.browser(), "/account/reset", email=BOB)

    assert (known.status_code, known.location, known.data) == (
        unknown.status_code,
        unknown.location,
        unknown.data,
    )
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    assert [(mail.kind, mail.to) for mail in site.mails()] == [("reset", ADA), ("no_account", BOB)]


def test_link_goes_to_the_address_as_its_owner_wrote_it(site: Site) -> None:
    site.account(ADA)

    send_form(site.browser(), "/account/reset", email="ADA@example.org")

    assert [mail.to for mail in site.mails()] == [ADA]


def test_reset_link_that_is_only_opened_changes_nothing(site: Site) -> None:
    browser = site.signed_in()
    link = ask(site)

    assert [site.browser().get(link).status_code for _ in range(2)] == [200, 200]
    assert is_signed_in(browser)


def test_reset_link_works_once_and_for_an_hour(site: Site) -> None:
    site.account()
    link = ask(site)
    (row,) = site.rows("SELECT expires_at - created_at AS lifetime FROM account_tokens")
    choose(site.browser(), link, ANOTHER)

    again = site.browser().get(link)
    late = ask(site)
    site.do("UPDATE account_tokens SET expires_at = now() WHERE used_at IS NULL")

    assert row.lifetime.total_seconds() == 3600
    assert again.status_code == 410
    assert "Ask for a new link" in again.text
    assert "It worked for 1 hour" in site.browser().get(late).text


def test_link_of_an_unknown_address_is_mailed_to_nobody_and_resets_nothing(site: Site) -> None:
    send_form(site.browser(), "/account/reset", email=BOB)

    (mail,) = site.mails()
    assert "confirm" not in mail.text


def test_of_two_who_use_a_reset_link_at_once_one_sets_the_password(site: Site) -> None:
    site.account()
    link = ask(site)
    browsers = [site.browser() for _ in range(2)]
    tokens = [form_token(browser.get(link)) for browser in browsers]

    def use(number: int) -> int:
        word = [ANOTHER, THIRD][number]
        fields = {"csrf_token": tokens[number], "password": word, "password_again": word}
        return browsers[number].post(link, data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(use, range(2)))

    assert sorted(statuses) == [303, 410]
    winner = statuses.index(303)
    assert [is_signed_in(browser) for browser in browsers] == [winner == 0, winner == 1]
    assert is_signed_in(site.sign_in(password=[ANOTHER, THIRD][winner]))


def change(browser: FlaskClient, current: str, new: str) -> tuple[int, str]:
    answer = send_form(
        browser,
        "/account/password",
        current_password=current,
        password=new,
        password_again=new,
    )
    return answer.status_code, answer.text


def test_change_ends_all_other_sign_ins_and_this_browser_gets_a_new_session(site: Site) -> None:
    here, elsewhere = site.signed_in(), site.signed_in()
    before = here.get_cookie(COOKIE)

    status, _ = change(here, PASSWORD, ANOTHER)

    after = here.get_cookie(COOKIE)
    assert status == 303
    assert "Your password is changed" in here.get("/account").text
    assert not is_signed_in(elsewhere)
    assert before
    assert after
    assert before.value != after.value
    replay = site.browser()
    replay.set_cookie(COOKIE, before.value)
    assert not is_signed_in(replay)
    assert [mail.kind for mail in site.mails()] == ["password_changed"]


def test_change_needs_the_password_that_one_has(site: Site) -> None:
    browser = site.signed_in()

    status, text = change(browser, THIRD, ANOTHER)

    assert status == 422
    assert "This is not your password." in text
    assert THIRD not in text
    assert ANOTHER not in text
    assert site.mails() == []
    assert is_signed_in(site.sign_in(password=PASSWORD))


def test_new_password_is_not_one_that_follows_from_the_address(site: Site) -> None:
    status, text = change(site.signed_in(), PASSWORD, "ada@example.org")

    assert status == 422
    assert "guessed too easily" in text


def test_change_that_a_reset_overtakes_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief = site.signed_in()
    token = form_token(thief.get("/account/password"))
    link = ask(site)
    checked, done = Event(), Event()
    is_right = passwords.is_right

    def slow(password: str, known: str | None) -> bool:
        found = is_right(password, known)
        checked.set()
        assert done.wait(10)
        return found

    monkeypatch.setattr(passwords, "is_right", slow)
    fields = {"csrf_token": token, "current_password": PASSWORD, "password": THIRD}
    fields["password_again"] = THIRD
    statuses: list[int] = []
    slow_one = Thread(
        target=lambda: statuses.append(thief.post("/account/password", data=fields).status_code)
    )
    slow_one.start()
    assert checked.wait(10)

    choose(site.browser(), link, ANOTHER)
    done.set()
    slow_one.join(10)
    monkeypatch.setattr(passwords, "is_right", is_right)

    assert statuses == [422]
    assert not is_signed_in(thief)
    assert is_signed_in(site.sign_in(password=ANOTHER))


def test_change_lets_no_older_reset_link_work(site: Site) -> None:
    browser = site.signed_in()
    link = ask(site)

    change(browser, PASSWORD, ANOTHER)

    assert site.browser().get(link).status_code == 410
