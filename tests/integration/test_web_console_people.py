"""What operators do about people: roles, invitations, and an end to sign-ins."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.integration.account_site import (
    ADA,
    BOB,
    Site,
    choose,
    is_signed_in,
    let_both_come_here,
    press,
)
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.accounts import accounts

BOSS = "boss@example.org"
COOKIE = "session"
PEOPLE = "/console/people"
INVITATIONS = "/console/people/invitations"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def change_role(browser: FlaskClient, account: int, role: str) -> TestResponse:
    return press(browser, PEOPLE, f"{PEOPLE}/{account}/role", role=role)


def roles(site: Site) -> dict[str, str]:
    return {row.email: row.role for row in site.rows("SELECT email, role FROM accounts")}


@pytest.mark.parametrize("path", [PEOPLE, INVITATIONS])
def test_pages_of_operators_are_not_there_for_members(site: Site, path: str) -> None:
    member = site.signed_in(ADA)

    assert member.get(path).status_code == 404
    assert PEOPLE not in member.get("/account").text


@pytest.mark.parametrize(
    "path", ["1/role", "1/end-sign-ins", "invitations", "invitations/1/withdraw"]
)
def test_members_do_nothing_that_operators_do(site: Site, boss: FlaskClient, path: str) -> None:
    member = site.signed_in(ADA)

    fields = {"role": "member", "email": BOB}
    answer = press(member, "/account", f"{PEOPLE}/{path}", **fields)

    assert answer.status_code == 404
    assert is_signed_in(boss)
    assert roles(site) == {BOSS: "operator", ADA: "member"}
    assert site.mails() == []


def test_role_counts_from_the_next_click_on_and_the_session_gets_another_id(
    site: Site, boss: FlaskClient
) -> None:
    member = site.signed_in(ADA)
    before = member.get_cookie(COOKIE)

    with capture_logs() as lines:
        answer = change_role(boss, 2, "operator")
    seen = member.get(PEOPLE)

    after = member.get_cookie(COOKIE)
    assert (answer.status_code, answer.location) == (303, PEOPLE)
    assert f"{ADA} is an operator now." in boss.get(PEOPLE).text
    assert seen.status_code == 200
    assert before
    assert after
    assert before.value != after.value
    replay = site.browser()
    replay.set_cookie(COOKIE, before.value)
    assert not is_signed_in(replay)
    (line,) = [line for line in lines if line["event"] == "role changed"]
    assert (line["account"], line["role"], line["by"]) == (2, "operator", 1)


def test_operator_who_becomes_a_member_is_one_at_once(site: Site, boss: FlaskClient) -> None:
    other = site.signed_in(ADA, "operator")

    change_role(boss, 2, "member")

    assert other.get(PEOPLE).status_code == 404
    assert is_signed_in(other)


def test_last_operator_stays_one_and_reads_why(site: Site, boss: FlaskClient) -> None:
    change_role(boss, 1, "member")

    assert roles(site) == {BOSS: "operator"}
    assert f"{BOSS} is the only operator" in boss.get(PEOPLE).text


def test_of_two_operators_who_demote_each_other_at_once_one_stays(
    site: Site, boss: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_both_come_here(monkeypatch, accounts, "require_another_operator")
    browsers = [boss, site.signed_in(ADA, "operator")]
    tokens = [form_token(browser.get(PEOPLE)) for browser in browsers]

    def demote(number: int) -> int:
        fields = {"csrf_token": tokens[number], "role": "member"}
        return browsers[number].post(f"{PEOPLE}/{2 - number}/role", data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(demote, range(2)))

    assert sorted(roles(site).values()) == ["member", "operator"]


@pytest.mark.parametrize("role", ["", "owner", "operator'--"])
def test_role_that_there_is_not_is_refused(site: Site, boss: FlaskClient, role: str) -> None:
    site.account(ADA)

    assert change_role(boss, 2, role).status_code == 400
    assert roles(site)[ADA] == "member"


def test_request_that_names_no_role_changes_none(site: Site, boss: FlaskClient) -> None:
    site.account(ADA, "operator")

    answer = press(boss, PEOPLE, f"{PEOPLE}/2/role")

    assert answer.status_code == 400
    assert roles(site)[ADA] == "operator"


def test_somebody_who_is_not_there_is_not_found(boss: FlaskClient) -> None:
    assert change_role(boss, 99, "member").status_code == 404


def test_operator_signs_somebody_out_everywhere(site: Site, boss: FlaskClient) -> None:
    member = site.signed_in(ADA)

    press(boss, PEOPLE, f"{PEOPLE}/2/end-sign-ins")

    assert not is_signed_in(member)
    assert f"{ADA} is signed out everywhere." in boss.get(PEOPLE).text


def test_people_are_found_by_a_part_of_their_address(site: Site, boss: FlaskClient) -> None:
    site.account("ada_1@example.org")
    site.account("adax1@example.org")

    found = boss.get(f"{PEOPLE}?q=ADA_").text
    nobody = boss.get(f"{PEOPLE}?q=%25%00'").text

    assert "ada_1@example.org" in found
    assert "adax1@example.org" not in found
    assert "Nobody has such an address." in nobody


def test_people_are_listed_in_pages_of_twenty(site: Site, boss: FlaskClient) -> None:
    site.do(
        "INSERT INTO accounts (email, password_hash)"
        " SELECT 'p' || n || '@example.org', '' FROM generate_series(1, 20) n"
    )

    first, second = boss.get(PEOPLE).text, boss.get(f"{PEOPLE}?before=2").text

    assert first.count("since <time") == 20
    assert f'href="{PEOPLE}?before=2"' in first
    assert second.count("since <time") == 1


def invite(browser: FlaskClient, email: str, role: str = "member") -> TestResponse:
    return send_form(browser, INVITATIONS, email=email, role=role)


@pytest.mark.parametrize("mode", ["open", "invite"])
@pytest.mark.parametrize("role", ["member", "operator"])
def test_invitation_makes_an_account_with_the_role_that_the_operator_chose(
    database: Database, monkeypatch: pytest.MonkeyPatch, mode: str, role: str
) -> None:
    site = Site(database, monkeypatch, registration=mode)
    invited = invite(site.signed_in(BOSS, "operator"), ADA, role)
    browser = site.browser()

    accepted = choose(browser, site.link("invitation"))

    assert (invited.status_code, invited.location) == (303, INVITATIONS)
    assert (accepted.status_code, accepted.location) == (303, "/account")
    assert is_signed_in(browser)
    assert roles(site) == {BOSS: "operator", ADA: role}


def test_invitation_lasts_a_week(site: Site, boss: FlaskClient) -> None:
    invite(boss, ADA)

    (row,) = site.rows("SELECT expires_at - created_at AS lifetime FROM account_tokens")

    assert row.lifetime.days == 7


def test_role_is_the_operators_to_choose_and_not_the_guests(site: Site, boss: FlaskClient) -> None:
    invite(boss, ADA)

    choose(site.browser(), site.link("invitation"), role="operator")

    assert roles(site)[ADA] == "member"


def test_invitations_are_worth_nothing_where_sign_up_is_closed(
    site: Site, boss: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(boss, ADA)
    closed = Site(database, monkeypatch, registration="closed")

    opened = closed.browser().get(site.link("invitation"))
    boss_there = closed.signed_in(BOSS)
    page = boss_there.get(INVITATIONS)
    token = form_token(boss_there.get(PEOPLE))
    sent = boss_there.post(INVITATIONS, data={"csrf_token": token, "email": BOB, "role": "member"})

    assert opened.status_code == 403
    assert "Invite somebody" not in page.text
    assert sent.status_code == 403
    assert len(site.mails()) == 1


def test_operator_is_told_who_has_an_account_already(site: Site, boss: FlaskClient) -> None:
    site.account(ADA)

    answer = invite(boss, ADA.upper())

    assert answer.status_code == 422
    assert "This person has an account already" in answer.text
    assert site.mails() == []


def test_invitation_without_a_role_is_refused_beside_the_field(
    site: Site, boss: FlaskClient
) -> None:
    answer = send_form(boss, INVITATIONS, email=ADA)

    assert answer.status_code == 422
    assert 'id="role" name="role" required aria-invalid="true"' in answer.text
    assert 'aria-describedby="role-error"' in answer.text
    assert '<p class="error" id="role-error">Please choose a role.</p>' in answer.text
    assert site.mails() == []


def test_withdrawn_invitation_works_no_more(site: Site, boss: FlaskClient) -> None:
    invite(boss, ADA)
    listed = boss.get(INVITATIONS).text

    press(boss, INVITATIONS, f"{INVITATIONS}/1/withdraw")

    assert ADA in listed
    assert site.browser().get(site.link("invitation")).status_code == 410
    assert f"The invitation of {ADA} works no more." in boss.get(INVITATIONS).text
    assert "No invitation is open." in boss.get(INVITATIONS).text


def test_only_invitations_can_be_withdrawn(site: Site, boss: FlaskClient) -> None:
    send_form(site.browser(), "/account/sign-up", email=ADA)

    press(boss, INVITATIONS, f"{INVITATIONS}/1/withdraw")

    assert site.browser().get(site.link("sign_up")).status_code == 200


def test_who_signs_up_unasked_leaves_no_invitation_open(site: Site, boss: FlaskClient) -> None:
    invite(boss, ADA)
    send_form(site.browser(), "/account/sign-up", email=ADA)

    choose(site.browser(), site.link("sign_up"))

    assert site.browser().get(site.link("invitation")).status_code == 410
    assert "No invitation is open." in boss.get(INVITATIONS).text
