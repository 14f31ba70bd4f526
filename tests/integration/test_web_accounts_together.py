"""Requests about accounts that come at the same time: each waits for its turn, and none for good."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
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
from tests.waiting import eventually
from tests.web_app import form_token, send_form
from web.accounts import accounts, announcement, passwords, tokens
from web.accounts.tokens import Purpose
from web.extensions import db

INVITATIONS = "/console/people/invitations"
OPEN_LINKS = "SELECT FROM account_tokens WHERE used_at IS NULL"
SOME_WAIT = "SELECT FROM pg_locks WHERE NOT granted"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def both(do: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(do, range(2)))


def a_link(site: Site) -> str | None:
    return send_form(site.browser(), "/account/sign-up", email=ADA).location


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/reset"])
@pytest.mark.parametrize("email", [ADA, BOB])
def test_of_two_links_that_are_asked_for_at_once_one_works(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, email: str
) -> None:
    site.account(ADA)
    let_both_come_here(monkeypatch, tokens, "close")
    browsers = [site.browser(), site.browser()]
    csrf = [form_token(browser.get(path)) for browser in browsers]

    def ask(number: int) -> int:
        fields = {"csrf_token": csrf[number], "email": [email, email.upper()][number]}
        return browsers[number].post(path, data=fields).status_code

    statuses = both(ask)

    assert statuses == [303, 303]
    assert len(site.rows(OPEN_LINKS)) == 1


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/reset"])
def test_account_is_deleted_while_its_owner_asks_for_a_link(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    browser = site.signed_in()
    send_form(site.browser(), path, email=ADA)
    csrf = form_token(browser.get("/account/delete"))
    close, closed = tokens.close, Event()

    def slow(*given: Any) -> None:
        close(*given)
        closed.set()
        eventually(lambda: site.rows(SOME_WAIT), 10, "the other request waits for this one")

    monkeypatch.setattr(tokens, "close", slow)

    def act(number: int) -> int:
        if number == 0:
            return send_form(site.browser(), path, email=ADA).status_code
        assert closed.wait(10)
        fields = {"csrf_token": csrf, "current_password": PASSWORD, "sure": "y"}
        return browser.post("/account/delete", data=fields).status_code

    statuses = both(act)

    assert statuses == [303, 303]
    for table in ("accounts", "account_tokens"):
        assert site.rows(f"SELECT FROM {table}") == []


def test_of_an_invitation_and_a_sign_up_that_are_used_at_once_one_makes_the_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_form(site.signed_in("boss@example.org", "operator"), INVITATIONS, email=ADA, role="member")
    a_link(site)
    let_both_come_here(monkeypatch, tokens, "use")
    links = [site.link("invitation"), site.link("sign_up")]
    browsers = [site.browser(), site.browser()]
    csrf = [form_token(browsers[n].get(links[n])) for n in range(2)]

    def use(number: int) -> int:
        fields = {"csrf_token": csrf[number], "password": PASSWORD, "password_again": PASSWORD}
        return browsers[number].post(links[number], data=fields).status_code

    statuses = both(use)

    assert sorted(statuses) == [303, 410]
    assert [is_signed_in(browser) for browser in browsers] == [s == 303 for s in statuses]


def test_deadlock_is_a_503_and_logged_as_what_it_is(site: Site) -> None:
    browser = site.signed_in()
    change_email(browser)

    with ThreadPoolExecutor(1) as pool, site.database.engine("owner").begin() as other:
        other.execute(text("SELECT FROM account_tokens FOR UPDATE"))
        with capture_logs() as lines:
            waiting = pool.submit(change_email, browser)
            eventually(lambda: site.rows(SOME_WAIT))
            other.execute(text("SELECT FROM accounts FOR UPDATE"))
            status, retry_after, page = waiting.result(10)

    assert (status, retry_after) == (503, "5")
    assert "Nothing has been done" in page
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["reason"]) == ("deadlock", "deadlock detected")
    assert line["statement"].startswith("UPDATE account_tokens SET used_at")


def change_email(browser: FlaskClient) -> tuple[int, str | None, str]:
    fields = {"email": "ada@new.example.org", "current_password": PASSWORD}
    answer = press(browser, "/account/email", "/account/email", **fields)
    return answer.status_code, answer.headers.get("Retry-After"), answer.text


def change_password(app: Flask, account_id: int, password: str) -> None:
    """Change it as another request would, meanwhile."""
    with app.app_context():
        account = accounts.lock(db.session(), account_id)
        assert account
        new = passwords.make_hash(password)
        accounts.change_password(db.session(), account, new, datetime.now(UTC))
        db.session.commit()


def test_sign_in_that_a_password_change_overtakes_counts_for_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = site.account()
    browser = site.browser()
    token = form_token(browser.get("/account/sign-in"))
    checked, changed = Event(), Event()
    is_right = passwords.is_right

    def slow(password: str, known: str | None) -> bool:
        found = is_right(password, known)
        checked.set()
        assert changed.wait(10)
        return found

    monkeypatch.setattr(passwords, "is_right", slow)
    statuses: list[str | None] = []
    fields = {"csrf_token": token, "email": ADA, "password": PASSWORD}
    slow_one = Thread(
        target=lambda: statuses.append(browser.post("/account/sign-in", data=fields).location)
    )
    slow_one.start()
    assert checked.wait(10)

    change_password(site.app, account, ANOTHER)
    changed.set()
    slow_one.join(10)

    assert statuses == ["/account"]
    assert not is_signed_in(browser)


def test_account_stays_while_its_owner_signs_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = site.signed_in()
    csrf = form_token(browser.get("/account/delete"))
    dearer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", dearer)  # so the account's hash is made anew
    hold, held = accounts.hold, Event()

    def slow(*given: Any) -> bool:
        found = hold(*given)
        held.set()
        eventually(lambda: site.rows(SOME_WAIT), 10, "the other request waits for this one")
        return found

    monkeypatch.setattr(accounts, "hold", slow)

    def act(number: int) -> int:
        if number == 0:
            fields = {"email": ADA, "password": PASSWORD}
            return send_form(site.browser(), "/account/sign-in", **fields).status_code
        assert held.wait(10)
        fields = {"csrf_token": csrf, "current_password": PASSWORD, "sure": "y"}
        return browser.post("/account/delete", data=fields).status_code

    assert both(act) == [303, 422], "what was checked is no longer the account's hash"


def test_first_operator_and_a_sign_up_of_the_same_address_at_once_make_one_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_link(site)
    operator_link = announcement.link(site.app)
    assert operator_link
    links = [site.link("sign_up"), urlsplit(operator_link).path]
    browsers = [site.browser(), site.browser()]
    csrf = [form_token(browsers[n].get(links[n])) for n in range(2)]
    use, used = tokens.use, Event()

    def slow(*given: Any) -> Any:
        row = use(*given)
        if row.purpose == Purpose.SIGN_UP:
            used.set()
            eventually(lambda: site.rows(SOME_WAIT), 10, "the other request waits for this one")
        return row

    monkeypatch.setattr(tokens, "use", slow)

    def act(number: int) -> int:
        assert number == 0 or used.wait(10)
        fields = {"csrf_token": csrf[number], "email": ADA}
        words = {"password": PASSWORD, "password_again": PASSWORD}
        return browsers[number].post(links[number], data={**fields, **words}).status_code

    statuses = both(act)

    assert statuses == [303, 422]
    assert [row.role for row in site.rows("SELECT role FROM accounts")] == ["member"]
