"""The end of an account."""

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
    choose,
    is_signed_in,
    let_both_come_here,
)
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.accounts import accounts


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def delete(browser: FlaskClient, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = send_form(browser, "/account/delete", current_password=password, **more)
    return answer.status_code, answer.text


def test_account_is_deleted_with_everything_of_it_but_subscriptions(site: Site) -> None:
    browser = site.browser()
    send_form(site.browser(), "/account/sign-up", email=ADA)
    choose(browser, site.link("sign_up"))
    elsewhere = site.sign_in()
    send_form(site.browser(), "/account/sign-up", email=ADA.upper())
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


def test_links_of_somebody_else_outlive_the_account_that_they_name(site: Site) -> None:
    ada, bob = site.signed_in(ADA), site.signed_in(BOB)
    send_form(bob, "/account/email", email=ADA, current_password=PASSWORD)

    delete(ada, sure="y")

    assert site.browser().get(site.link("email_old")).status_code == 200


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
