"""Addresses that get no mail, in the console."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.integration.account_site import Site, press
from tests.integration.console_pages import BOSS, SUPPRESSIONS, asked, table
from tests.integration.errand_boy import at_work, ended
from tests.integration.postgres import Database


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


@pytest.fixture
def mailer(database: Database) -> Iterator[None]:
    """One that does what operators ask."""
    with at_work(database):
        yield


@pytest.mark.usefixtures("mailer")
def test_address_is_put_on_the_list_and_taken_off(
    boss: FlaskClient, site: Site, database: Database
) -> None:
    put = asked(
        boss,
        SUPPRESSIONS,
        SUPPRESSIONS,
        address="Bob@example.net",
        scope="notice",
        reason="he asked",
    )
    ended(database, put)
    listed = table(boss.get(SUPPRESSIONS).text)
    taken_off = asked(
        boss, SUPPRESSIONS, f"{SUPPRESSIONS}/end", address="bob@example.net", scope="notice"
    )
    ended(database, taken_off)

    assert listed[5:8] == ["bob@example.net", "of kind notice", "he asked"]
    assert "Every address gets mail." in boss.get(SUPPRESSIONS).text
    actions = [row.action for row in site.rows("SELECT action FROM audit_entries ORDER BY id")]
    assert actions == ["mailer.suppress", "mailer.unsuppress"]


def test_what_is_no_address_is_not_put_on_the_list(boss: FlaskClient, site: Site) -> None:
    press(boss, SUPPRESSIONS, SUPPRESSIONS, address="bob", scope="*")

    assert "Not an address that mail can be sent to: bob" in boss.get(SUPPRESSIONS).text
    assert site.rows("SELECT FROM jobs") == []


def test_list_of_addresses_is_searched_and_paged(boss: FlaskClient, site: Site) -> None:
    site.do(
        "INSERT INTO mail_suppressions (address, scope, reason)"
        " SELECT 'reader-' || to_char(n, 'FM00') || '@example.net', s, ''"
        " FROM generate_series(1, 11) n, unnest(ARRAY['*', 'notice']) s"
    )

    first = boss.get(SUPPRESSIONS).text
    (following,) = re.findall(rf'href="({SUPPRESSIONS}\?[^"]*after=[^"]*)"', first)
    second = boss.get(unescape(following)).text
    found = boss.get(f"{SUPPRESSIONS}?q=READER-07").text

    assert (first.count(">Let through<"), second.count(">Let through<")) == (20, 2)
    assert "reader-11@example.net" in second
    assert found.count(">Let through<") == 2
