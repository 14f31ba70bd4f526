"""Signing up: the address is proven first, and the page tells nobody who has an account."""

from concurrent.futures import ThreadPoolExecutor

import pytest

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
from web.accounts import tokens


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def ask(site: Site, email: str = ADA) -> str:
    send_form(site.browser(), "/account/sign-up", email=email)
    return site.link("sign_up")


def accounts(site: Site) -> list[tuple[str, str]]:
    return [(row.email, row.role) for row in site.rows("SELECT * FROM accounts ORDER BY id")]


def test_account_is_made_by_the_mailed_link_and_its_owner_is_signed_in(site: Site) -> None:
    browser = site.browser()

    asked = send_form(browser, "/account/sign-up", email=" Ada@Example.ORG ")
    before = accounts(site)
    made = choose(browser, site.link("sign_up"))

    assert (asked.status_code, asked.location) == (303, "/account/sign-up/asked")
    assert before == []
    assert (made.status_code, made.location) == (303, "/account")
    assert accounts(site) == [("Ada@example.org", "member")]
    assert "Ada@example.org" in browser.get("/account").text
    assert is_signed_in(site.sign_in(ADA))


def test_link_that_is_only_opened_makes_nothing(site: Site) -> None:
    link = ask(site)

    opened = [site.browser().get(link).status_code for _ in range(2)]

    assert opened == [200, 200]
    assert accounts(site) == []
    assert choose(site.browser(), link).status_code == 303


def test_page_never_tells_whether_an_address_has_an_account(site: Site) -> None:
    site.account(ADA)

    known = send_form(site.browser(), "/account/sign-up", email=ADA.upper())
    unknown = send_form(site.browser(), "/account/sign-up", email=BOB)

    assert (known.status_code, known.location, known.data) == (
        unknown.status_code,
        unknown.location,
        unknown.data,
    )
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    assert [(mail.kind, mail.to) for mail in site.mails()] == [
        ("has_account", ADA),
        ("sign_up", BOB),
    ]


def test_who_has_an_account_is_told_so_by_mail_with_no_link_that_changes_anything(
    site: Site,
) -> None:
    site.account(ADA)

    send_form(site.browser(), "/account/sign-up", email=ADA)

    (mail,) = site.mails()
    assert "You have an account already" in " ".join(mail.text.split())
    assert "http://localhost:8000/account/sign-in" in mail.text
    assert "http://localhost:8000/account/reset" in mail.text
    assert "confirm" not in mail.text


def test_address_is_asked_for_again_with_what_was_typed_and_the_reason(site: Site) -> None:
    answer = send_form(site.browser(), "/account/sign-up", email="ada")

    assert answer.status_code == 422
    assert 'value="ada"' in answer.text
    assert 'aria-describedby="email-error"' in answer.text
    assert "not an e-mail address" in answer.text
    assert site.mails() == []


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        pytest.param("short", "short", "at least 12 characters", id="short"),
        pytest.param(PASSWORD, ANOTHER, "not the same", id="slip of the finger"),
        pytest.param("ada@example.org1", "ada@example.org1", "guessed too easily", id="address"),
        pytest.param("", "", "at least 12 characters", id="nothing"),
    ],
)
def test_password_is_refused_with_the_reason_and_not_shown_again(
    site: Site, password: str, again: str, said: str
) -> None:
    link = ask(site)

    answer = send_form(site.browser(), link, password=password, password_again=again)

    assert answer.status_code == 422
    assert said in answer.text
    assert not password or password not in answer.text.replace(ADA, "")
    assert accounts(site) == []


def test_link_works_once(site: Site) -> None:
    link = ask(site)
    page = site.browser()
    token = form_token(page.get(link))
    choose(site.browser(), link)

    again = page.get(link)
    sent = page.post(link, data={"csrf_token": token, "password": ANOTHER, "again": ANOTHER})

    assert (again.status_code, sent.status_code) == (410, 410)
    assert "This link has been used" in again.text
    assert accounts(site) == [(ADA, "member")]
    assert is_signed_in(site.sign_in(ADA, PASSWORD))


def test_link_ends_after_a_day(site: Site) -> None:
    link = ask(site)
    (row,) = site.rows("SELECT expires_at - created_at AS lifetime FROM account_tokens")
    browser = site.browser()
    token = form_token(browser.get(link))
    site.do("UPDATE account_tokens SET expires_at = now()")

    late = browser.post(link, data={"csrf_token": token, "password": PASSWORD})

    assert row.lifetime.total_seconds() == 24 * 3600
    assert late.status_code == 410
    assert "It worked for 24 hours" in late.text
    assert accounts(site) == []


def test_mail_is_not_sent_once_its_link_has_expired(site: Site) -> None:
    ask(site)

    (row,) = site.rows(
        "SELECT o.expires_at AS mail, t.expires_at AS link FROM outbox o, account_tokens t"
    )

    assert row.mail == row.link


def test_newest_link_alone_works(site: Site) -> None:
    older, newer = ask(site, ADA), ask(site, ADA.upper())

    assert site.browser().get(older).status_code == 410
    assert site.browser().get(newer).status_code == 200


@pytest.mark.parametrize("token", ["unknown", "a" * 3000, "%00", "ü", "A" * 43])
def test_forged_link_is_unknown(site: Site, token: str) -> None:
    answer = site.browser().get(f"/account/sign-up/confirm/{token}")

    assert answer.status_code == 404
    assert "We don&#39;t know this link" in answer.text


@pytest.mark.parametrize(
    "path", ["invitation", "reset/confirm", "email/old", "email/new", "first-operator"]
)
def test_link_is_worth_nothing_for_another_purpose(site: Site, path: str) -> None:
    token = ask(site).rpartition("/")[2]

    assert site.browser().get(f"/account/{path}/{token}").status_code == 404


def test_of_two_who_use_a_link_at_once_one_gets_the_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_both_come_here(monkeypatch, tokens, "use")
    link = ask(site)
    browsers = [site.browser() for _ in range(2)]
    csrf = [form_token(browser.get(link)) for browser in browsers]

    def use(number: int) -> int:
        word = [PASSWORD, ANOTHER][number]
        fields = {"csrf_token": csrf[number], "password": word, "password_again": word}
        return browsers[number].post(link, data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(use, range(2)))

    assert sorted(statuses) == [303, 410]
    assert accounts(site) == [(ADA, "member")]
    assert [is_signed_in(browser) for browser in browsers] == [s == 303 for s in statuses]


def test_token_is_in_no_page_title_and_not_in_the_database(site: Site) -> None:
    link = ask(site)
    token = link.rpartition("/")[2]

    page = site.browser().get(link).text

    assert token not in page
    (row,) = site.rows("SELECT account_tokens::text AS everything FROM account_tokens")
    assert token not in row.everything


def test_neither_link_nor_mail_is_there_when_the_mail_cannot_be_queued(site: Site) -> None:
    site.do("ALTER TABLE outbox ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    try:
        answer = send_form(site.browser(), "/account/sign-up", email=ADA)
    finally:
        site.do("ALTER TABLE outbox DROP CONSTRAINT full_up")

    assert answer.status_code == 500
    assert site.rows("SELECT FROM account_tokens") == []


def test_who_is_signed_in_is_sent_to_their_account(site: Site) -> None:
    browser = site.signed_in()

    for path in ("/account/sign-up", "/account/sign-in"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, "/account")


@pytest.mark.parametrize(
    ("mode", "said"),
    [("invite", "You need an invitation"), ("closed", "There are no new accounts")],
)
def test_nobody_signs_up_unasked_where_that_is_not_open(
    site: Site, database: Database, monkeypatch: pytest.MonkeyPatch, mode: str, said: str
) -> None:
    older = ask(site)
    shut = Site(database, monkeypatch, registration=mode)
    browser = shut.browser()
    token = form_token(browser.get("/account/sign-in"))

    page = browser.get("/account/sign-up")
    sent = browser.post("/account/sign-up", data={"csrf_token": token, "email": BOB})
    linked = browser.post(older, data={"csrf_token": token, "password": PASSWORD})

    assert (page.status_code, sent.status_code, linked.status_code) == (200, 403, 403)
    assert said in page.text
    assert said in linked.text
    assert [mail.to for mail in shut.mails()] == [ADA]
    assert accounts(shut) == []
    assert 'href="/account/sign-up"' not in browser.get("/account/sign-in").text


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/reset"])
def test_mails_to_one_address_are_limited_whether_or_not_it_has_an_account(
    database: Database, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    site = Site(database, monkeypatch, ratelimit_enabled=True, ratelimit_default="1000 per day")
    site.account(ADA)

    known, unknown = (
        [send_form(site.browser(), path, email=email).status_code for _ in range(4)]
        for email in (ADA, BOB)
    )

    assert known == unknown == [303, 303, 303, 429]
    assert len(site.mails()) == 6
