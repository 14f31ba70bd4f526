"""Accounts that an operator locks, and what becomes of invitations of who is no operator any more."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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
from web.accounts import locking
from web.accounts.accounts import LastOperatorError
from web.extensions import db

BOSS = "boss@example.org"
PEOPLE = "/console/people"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def act(browser: FlaskClient, account: int, what: str, **fields: str) -> TestResponse:
    return press(browser, PEOPLE, f"{PEOPLE}/{account}/{what}", **fields)


def tried(site: Site, password: str = PASSWORD) -> TestResponse:
    """Return what the sign-in page answers Ada."""
    return send_form(site.browser(), "/account/sign-in", email=ADA, password=password)


def is_locked(site: Site, email: str = ADA) -> bool:
    (row,) = site.rows("SELECT locked_at FROM accounts WHERE email = :email", email=email)
    return row.locked_at is not None


def audited(site: Site) -> list[tuple[str, str, str]]:
    rows = site.rows("SELECT email, action, subject FROM audit_entries ORDER BY id")
    return [(row.email, row.action, row.subject) for row in rows]


def without_token(page: TestResponse) -> list[str]:
    """Return the page's lines but for those that differ each time."""
    return [line for line in page.text.splitlines() if "csrf_token" not in line]


def filled(page: TestResponse) -> dict[str, str]:
    """Return what is sent from this page, on which a new password is chosen."""
    return {"csrf_token": form_token(page), "password": ANOTHER, "password_again": ANOTHER}


def test_who_is_locked_is_signed_out_everywhere_and_it_is_written_down(
    site: Site, boss: FlaskClient
) -> None:
    browsers = [site.signed_in(ADA), site.sign_in(ADA)]

    answer = act(boss, 2, "lock")

    assert (answer.status_code, answer.location) == (303, f"{PEOPLE}/2")
    assert not any(is_signed_in(browser) for browser in browsers)
    assert audited(site) == [(BOSS, "account.lock", ADA)]
    assert f"{ADA} is locked, and signed out everywhere." in boss.get(f"{PEOPLE}/2").text


def test_sign_in_page_says_no_more_than_for_a_wrong_password(site: Site, boss: FlaskClient) -> None:
    site.account(ADA)
    wrong = tried(site, ANOTHER)

    act(boss, 2, "lock")
    locked = tried(site)

    assert (wrong.status_code, locked.status_code) == (422, 422)
    assert without_token(wrong) == without_token(locked)


def test_who_is_unlocked_signs_in_again_and_comes_back_nowhere_by_that(
    site: Site, boss: FlaskClient
) -> None:
    before = site.signed_in(ADA)
    act(boss, 2, "lock")

    act(boss, 2, "unlock")

    assert not is_signed_in(before)
    assert is_signed_in(site.sign_in(ADA))
    assert audited(site)[1:] == [(BOSS, "account.unlock", ADA)]


def test_nobody_locks_themselves(site: Site, boss: FlaskClient) -> None:
    site.account(ADA, "operator")

    act(boss, 1, "lock")
    page = boss.get(PEOPLE).text

    assert "can&#39;t lock your own account" in page
    assert not is_locked(site, BOSS)
    assert is_signed_in(boss)
    assert audited(site) == []


def test_operator_who_is_locked_leaves_a_last_one_who_stays(site: Site, boss: FlaskClient) -> None:
    site.account(ADA, "operator")
    act(boss, 2, "lock")

    act(boss, 1, "role", role="member")

    (row,) = site.rows("SELECT role FROM accounts WHERE id = 1")
    assert row.role == "operator"
    assert f"{BOSS} is the only operator" in boss.get(PEOPLE).text


@pytest.mark.usefixtures("boss")
def test_last_operator_who_can_sign_in_is_not_locked(site: Site) -> None:
    site.account(ADA, "operator")
    site.do("UPDATE accounts SET locked_at = now() WHERE id = 1")

    with site.app.app_context(), pytest.raises(LastOperatorError):
        locking.lock_out(db.session(), 2, datetime.now(UTC))

    assert not is_locked(site)


def test_mailed_link_to_reset_the_password_does_not_unlock(site: Site, boss: FlaskClient) -> None:
    site.account(ADA)
    send_form(site.browser(), "/account/reset", email=ADA)
    before = site.link("reset")
    act(boss, 2, "lock")

    send_form(site.browser(), "/account/reset", email=ADA)
    after = site.link("reset")

    assert before != after
    assert site.browser().get(before).status_code == 410
    assert site.browser().get(after).status_code == 404
    assert [mail.kind for mail in site.mails()] == ["reset", "reset"]


def test_password_that_is_being_chosen_is_not_taken_from_who_is_locked(site: Site) -> None:
    site.account(ADA)
    send_form(site.browser(), "/account/reset", email=ADA)
    browser, link = site.browser(), site.link("reset")
    fields = filled(browser.get(link))
    site.do("UPDATE accounts SET locked_at = now() WHERE email = :email", email=ADA)

    answer = browser.post(link, data=fields)

    assert answer.status_code == 404
    assert not is_signed_in(browser)


def test_account_that_is_locked_past_the_console_is_signed_out_too(site: Site) -> None:
    ada = site.signed_in(ADA)

    site.do("UPDATE accounts SET locked_at = now() WHERE email = :email", email=ADA)

    assert not is_signed_in(ada)


def test_one_browser_is_signed_out_and_the_others_stay(site: Site, boss: FlaskClient) -> None:
    first, second = site.signed_in(ADA), site.sign_in(ADA)
    (row,) = site.rows("SELECT min(id) AS id FROM sign_ins WHERE account_id = 2")

    answer = act(boss, 2, f"sign-ins/{row.id}/end")

    assert (answer.status_code, answer.location) == (303, f"{PEOPLE}/2")
    assert not is_signed_in(first)
    assert is_signed_in(second)
    assert audited(site) == [(BOSS, "account.end_sign_in", ADA)]


def test_sign_in_of_another_account_is_not_ended_under_a_wrong_name(
    site: Site, boss: FlaskClient
) -> None:
    site.account(ADA)

    act(boss, 2, "sign-ins/1/end")

    assert is_signed_in(boss)
    assert audited(site) == []


def test_page_of_a_person_shows_where_they_are_signed_in(site: Site, boss: FlaskClient) -> None:
    site.account(ADA)
    browser = site.browser()
    browser.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0"
    send_form(browser, "/account/sign-in", email=ADA, password=PASSWORD)

    page = boss.get(f"{PEOPLE}/2").text

    assert "Firefox on Linux" in page
    assert "from 127.0.0.1" in page
    assert "last seen <time" in page


@pytest.mark.parametrize(
    "path", ["1/lock", "1/unlock", "1/role", "1/end-sign-ins", "1/sign-ins/1/end"]
)
def test_members_do_none_of_it(site: Site, boss: FlaskClient, path: str) -> None:
    member = site.signed_in(ADA)

    answer = press(member, "/account", f"{PEOPLE}/{path}", role="member")

    assert answer.status_code == 404
    assert is_signed_in(boss)
    assert audited(site) == []


def invited(site: Site, browser: FlaskClient) -> str:
    """Have Bob invited, and return his link."""
    send_form(browser, f"{PEOPLE}/invitations", email=BOB, role="member")
    return site.link("invitation")


@pytest.mark.parametrize(("act_on", "fields"), [("lock", {}), ("role", {"role": "member"})])
def test_invitation_of_who_is_no_operator_any_more_works_no_more(
    site: Site, boss: FlaskClient, act_on: str, fields: dict[str, str]
) -> None:
    ada = site.signed_in(ADA, "operator")
    link, page = invited(site, ada), boss.get(f"{PEOPLE}/invitations").text

    act(boss, 2, act_on, **fields)

    assert f"by {ADA}" in page
    assert site.browser().get(link).status_code == 410
    assert "No invitation is open." in boss.get(f"{PEOPLE}/invitations").text


def test_invitation_that_is_being_accepted_works_no_more(site: Site, boss: FlaskClient) -> None:
    link, guest = invited(site, site.signed_in(ADA, "operator")), site.browser()
    fields = filled(guest.get(link))
    act(boss, 2, "role", role="member")

    answer = guest.post(link, data=fields)

    assert answer.status_code == 410
    assert site.rows("SELECT FROM accounts WHERE email = :email", email=BOB) == []


@pytest.mark.usefixtures("boss")
def test_invitation_of_an_operator_who_left_works_no_more(site: Site) -> None:
    ada = site.signed_in(ADA, "operator")
    link = invited(site, ada)

    send_form(ada, "/account/delete", current_password=PASSWORD, sure="y")

    assert site.browser().get(link).status_code == 404


def test_invitation_from_before_it_was_written_who_sent_it_works(
    site: Site, boss: FlaskClient
) -> None:
    link = invited(site, boss)
    site.do("UPDATE account_tokens SET invited_by = NULL")

    assert site.browser().get(link).status_code == 200


def test_each_change_is_in_the_audit_log_with_who_and_from_where(
    site: Site, boss: FlaskClient
) -> None:
    site.account(ADA)
    act(boss, 2, "role", role="operator")
    invited(site, boss)
    press(boss, f"{PEOPLE}/invitations", f"{PEOPLE}/invitations/1/withdraw")
    act(boss, 2, "end-sign-ins")

    rows = site.rows("SELECT action, subject, address, request_id, detail FROM audit_entries")

    assert [(row.action, row.subject) for row in rows] == [
        ("account.role", ADA),
        ("invitation.send", BOB),
        ("invitation.withdraw", BOB),
        ("account.end_sign_ins", ADA),
    ]
    assert rows[0].detail == {"before": "member", "after": "operator"}
    assert all(row.address == "127.0.0.1" and row.request_id for row in rows)
