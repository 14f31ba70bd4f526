"""Moving an account to another address: the password, and both mailboxes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.integration.account_site import (
    ADA,
    ANOTHER,
    BOB,
    PASSWORD,
    Site,
    choose,
    is_signed_in,
    let_both_come_here,
    press,
)
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.accounts import tokens

NEW = "ada@new.example.org"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def ask(browser: FlaskClient, email: str = NEW, password: str = PASSWORD) -> TestResponse:
    return send_form(browser, "/account/email", email=email, current_password=password)


def confirm(site: Site, kind: str) -> str | None:
    link = site.link(kind)
    return press(site.browser(), link, link).location


def choose_there(browser: FlaskClient, link: str, token: str) -> TestResponse:
    fields = {"csrf_token": token, "password": ANOTHER, "password_again": ANOTHER}
    return browser.post(link, data=fields)


def emails(site: Site) -> list[str]:
    return [row.email for row in site.rows("SELECT email FROM accounts ORDER BY id")]


@pytest.mark.parametrize("order", [("email_old", "email_new"), ("email_new", "email_old")])
def test_address_changes_once_both_mailboxes_have_confirmed_in_any_order(
    site: Site, order: tuple[str, str]
) -> None:
    asked = ask(site.signed_in())
    mailed = [(mail.kind, mail.to) for mail in site.mails()]

    first = confirm(site, order[0])
    between = emails(site)
    with capture_logs() as lines:
        second = confirm(site, order[1])

    assert (asked.status_code, asked.location) == (303, "/account/email/asked")
    assert mailed == [("email_old", ADA), ("email_new", NEW)]
    assert first == "/account/email/confirmed/waiting"
    assert between == [ADA]
    assert second == "/account/email/confirmed/changed"
    assert emails(site) == [NEW]
    assert is_signed_in(site.sign_in(NEW))
    assert [line["account"] for line in lines if line["event"] == "e-mail changed"] == [1]


def test_old_mailbox_is_told_that_the_address_was_changed(site: Site) -> None:
    ask(site.signed_in())
    confirm(site, "email_old")
    confirm(site, "email_new")

    mail = site.mails()[-1]

    assert (mail.kind, mail.to) == ("email_changed", ADA)
    assert NEW in mail.text


def test_links_that_are_only_opened_change_nothing(site: Site) -> None:
    ask(site.signed_in())

    opened = [
        site.browser().get(site.link(kind)).status_code for kind in ("email_old", "email_new")
    ]

    assert opened == [200, 200]
    assert emails(site) == [ADA]
    assert confirm(site, "email_old") == "/account/email/confirmed/waiting"


def test_both_at_once_change_the_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    let_both_come_here(monkeypatch, tokens, "use")
    ask(site.signed_in())
    links = [site.link(kind) for kind in ("email_old", "email_new")]
    browsers = [site.browser() for _ in links]
    csrf = [form_token(b.get(link)) for b, link in zip(browsers, links, strict=True)]

    def use(number: int) -> str | None:
        fields = {"csrf_token": csrf[number]}
        return browsers[number].post(links[number], data=fields).location

    with ThreadPoolExecutor(2) as pool:
        locations = sorted(str(location) for location in pool.map(use, range(2)))

    assert locations == ["/account/email/confirmed/changed", "/account/email/confirmed/waiting"]
    assert emails(site) == [NEW]


def test_each_link_works_once(site: Site) -> None:
    ask(site.signed_in())
    link = site.link("email_old")
    browser = site.browser()
    token = form_token(browser.get(link))
    browser.post(link, data={"csrf_token": token})

    again = browser.post(link, data={"csrf_token": token})

    assert again.status_code == 410
    assert emails(site) == [ADA]


def test_one_mailbox_cannot_confirm_for_the_other(site: Site) -> None:
    ask(site.signed_in())
    token = site.link("email_new").rpartition("/")[2]

    assert site.browser().get(f"/account/email/old/{token}").status_code == 404


def test_links_end_after_a_day(site: Site) -> None:
    ask(site.signed_in())
    confirm(site, "email_old")
    link = site.link("email_new")
    browser = site.browser()
    token = form_token(browser.get(link))
    site.do("UPDATE account_tokens SET expires_at = now() WHERE used_at IS NULL")

    assert browser.post(link, data={"csrf_token": token}).status_code == 410
    assert emails(site) == [ADA]


def test_newer_change_replaces_an_older_also_one_that_is_half_confirmed(site: Site) -> None:
    browser = site.signed_in()
    ask(browser, "first@example.org")
    older_old, older_new = site.link("email_old"), site.link("email_new")
    press(site.browser(), older_old, older_old)

    ask(browser, "second@example.org")
    ended = [site.browser().get(link).status_code for link in (older_old, older_new)]
    confirmed = confirm(site, "email_new")

    assert ended == [410, 410]
    assert confirmed == "/account/email/confirmed/waiting"
    assert emails(site) == [ADA]


def test_nothing_ever_comes_of_an_address_that_has_an_account_and_the_page_is_the_same(
    site: Site,
) -> None:
    site.account(BOB)
    browser = site.signed_in()

    free = ask(browser, NEW)
    taken = ask(browser, BOB.upper())

    assert (free.status_code, free.location, free.data) == (
        taken.status_code,
        taken.location,
        taken.data,
    )
    newest = site.mails()[-2:]
    assert [(mail.kind, mail.to) for mail in newest] == [("email_old", ADA), ("email_taken", BOB)]
    assert "/account/email/" not in newest[1].text
    assert confirm(site, "email_old") == "/account/email/confirmed/waiting"
    assert emails(site) == [BOB, ADA]


def test_address_that_an_account_took_meanwhile_stays_its_own(site: Site) -> None:
    ask(site.signed_in())
    confirm(site, "email_old")
    site.account(NEW)

    outcome = confirm(site, "email_new")

    assert outcome == "/account/email/confirmed/taken"
    assert emails(site) == [ADA, NEW]
    page = site.browser().get(outcome)
    assert "keeps the old one" in page.text


def test_change_needs_the_password(site: Site) -> None:
    answer = ask(site.signed_in(), NEW, ANOTHER)

    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert f'value="{NEW}"' in answer.text
    assert site.mails() == []


def test_same_address_is_no_change(site: Site) -> None:
    answer = ask(site.signed_in(), ADA.upper())

    assert answer.status_code == 422
    assert "This is your address already." in answer.text


def test_password_change_ends_a_change_of_address_that_was_asked_for_before(site: Site) -> None:
    ask(site.signed_in())
    old, new = site.link("email_old"), site.link("email_new")
    send_form(site.browser(), "/account/reset", email=ADA)

    choose(site.browser(), site.link("reset"), ANOTHER)

    assert [site.browser().get(link).status_code for link in (old, new)] == [410, 410]


def test_link_to_reset_the_password_does_not_stay_in_the_old_mailbox(site: Site) -> None:
    ask(site.signed_in())
    send_form(site.browser(), "/account/reset", email=ADA)
    confirm(site, "email_old")
    confirm(site, "email_new")

    assert site.browser().get(site.link("reset")).status_code == 410


def test_link_to_reset_the_password_is_worth_nothing_once_the_address_is_another(
    site: Site,
) -> None:
    site.account()
    send_form(site.browser(), "/account/reset", email=ADA)
    link, browser = site.link("reset"), site.browser()
    token = form_token(browser.get(link))
    site.do("UPDATE accounts SET email = :email", email=NEW)

    opened = site.browser().get(link)
    sent = choose_there(browser, link, token)

    assert (opened.status_code, sent.status_code) == (404, 404)
    assert is_signed_in(site.sign_in(NEW))


def test_requests_are_limited_by_account(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(database, monkeypatch, ratelimit_enabled=True, ratelimit_default="1000 per day")
    browser = site.signed_in()

    statuses = [ask(browser, f"{number}@example.org").status_code for number in range(6)]

    assert statuses == [303] * 5 + [429]
