"""Who is signed in where: everybody together, as operators see it."""

import pytest
from flask.testing import FlaskClient

from tests.integration.account_site import ADA, BOB, Site, is_signed_in, press
from tests.integration.postgres import Database

BOSS = "boss@example.org"
PAGE, API = "/console/people/sign-ins", "/api/v1/console/people/sessions"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def who_is(boss: FlaskClient) -> list[str]:
    """Return who is signed in, as programs are told and the page shows."""
    told = boss.get(API).json
    assert told
    page = boss.get(PAGE).text
    found = [one["email"] for one in told["items"]]
    assert [email for email in (BOSS, ADA, BOB) if f"<strong>{email}</strong>" in page] == [
        email for email in (BOSS, ADA, BOB) if email in found
    ]
    return found


def test_everybody_is_listed_the_newest_first(site: Site, boss: FlaskClient) -> None:
    site.signed_in(ADA)
    site.signed_in(BOB)
    site.sign_in(ADA)

    assert who_is(boss) == [ADA, BOB, ADA, BOSS]
    assert boss.get(PAGE).text.count("this browser") == 1


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE sign_ins SET expires_at = now() WHERE account_id = :id",
        "UPDATE accounts SET epoch = epoch + 1 WHERE id = :id",
        "UPDATE accounts SET locked_at = now() WHERE id = :id",
    ],
)
def test_sign_in_that_is_worth_nothing_any_more_is_not_listed(
    site: Site, boss: FlaskClient, ended: str
) -> None:
    site.signed_in(ADA)
    (row,) = site.rows("SELECT id FROM accounts WHERE email = :email", email=ADA)

    site.do(ended, id=row.id)

    assert who_is(boss) == [BOSS]


def test_one_of_them_is_ended_from_here(site: Site, boss: FlaskClient) -> None:
    ada, again = site.signed_in(ADA), site.sign_in(ADA)
    told = boss.get(API).json
    assert told
    newest = told["items"][0]

    press(boss, PAGE, f"/console/people/{newest['account_id']}/sign-ins/{newest['id']}/end")

    assert (is_signed_in(ada), is_signed_in(again)) == (True, False)
    assert who_is(boss) == [ADA, BOSS]


def test_list_comes_in_pages(site: Site, boss: FlaskClient) -> None:
    for _ in range(2):
        site.signed_in(ADA)
    first = boss.get(f"{API}?limit=2").json
    assert first

    second = boss.get(first["next"].removeprefix("http://localhost:8000")).json

    assert second
    assert [one["email"] for one in second["items"]] == [BOSS]
    assert ADA not in boss.get(f"{PAGE}?before={first['items'][1]['id']}").text
