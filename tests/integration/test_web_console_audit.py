"""The audit log: searched, and as a file."""

import csv
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from tests.integration.account_site import Site
from tests.integration.postgres import Database
from tests.integration.queries import counted
from web.console import audit_search
from web.models import AuditEntry

BOSS = "boss@example.org"
PAGE = "/console/audit-log"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def write(site: Site, *entries: dict[str, Any]) -> None:
    usual = {
        "at": datetime(2027, 3, 1, 12, 0, tzinfo=UTC),
        "email": BOSS,
        "address": "203.0.113.7",
        "action": "mail.retry",
        "subject": "mail 7",
        "detail": {},
        "request_id": "r",
    }
    with site.database.engine("owner").begin() as connection:
        connection.execute(insert(AuditEntry), [{**usual, **entry} for entry in entries])


def subjects(page: str) -> list[str]:
    return [word for word in ("one", "two", "three", "four") if f"</strong> {word}\n" in page]


@pytest.fixture
def _four(site: Site) -> None:
    write(
        site,
        {"subject": "one", "email": "ada_1@example.org"},
        {"subject": "two", "email": "adax1@example.org", "action": "cache.clear"},
        {"subject": "three", "at": datetime(2027, 3, 2, 0, 0, tzinfo=UTC)},
        {"subject": "four", "at": datetime(2027, 3, 2, 23, 59, 59, tzinfo=UTC)},
    )


@pytest.mark.usefixtures("_four")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["one", "two", "three", "four"]),
        ("who=ADA_", ["one"]),
        ("action=cache.", ["two"]),
        ("action=ache", []),
        ("day=2027-03-02", ["three", "four"]),
        ("day=2027-03-01&action=mail.", ["one"]),
        pytest.param("day=soon", ["one", "two", "three", "four"], id="no day"),
        pytest.param("day=9999-12-31", ["one", "two", "three", "four"], id="last day of time"),
        pytest.param("who=%00%25", [], id="odd letters"),
    ],
)
def test_entries_are_found_by_who_what_and_day(
    boss: FlaskClient, query: str, found: list[str]
) -> None:
    answer = boss.get(f"{PAGE}?{query}")

    assert answer.status_code == 200
    assert subjects(answer.text) == found


@pytest.mark.usefixtures("_four")
def test_file_holds_what_the_search_finds(boss: FlaskClient) -> None:
    page = boss.get(f"{PAGE}?day=2027-03-02").text
    answer = boss.get(f"{PAGE}/export?day=2027-03-02")

    head, *rows = list(csv.reader(answer.text.splitlines()))
    assert f'href="{PAGE}/export?day=2027-03-02"' in page
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    assert head == ["at", "email", "address", "action", "subject", "detail", "request_id"]
    assert [row[4] for row in rows] == ["four", "three"]
    assert rows[1][0] == "2027-03-02T00:00:00+00:00"


def test_no_cell_of_the_file_is_a_formula(site: Site, boss: FlaskClient) -> None:
    write(site, {"subject": "=cmd|' /C calc'!A0", "detail": {"why": "=1"}, "action": "@a"})

    _, row = list(csv.reader(boss.get(f"{PAGE}/export").text.splitlines()))

    assert row[3:6] == ["'@a", "'=cmd|' /C calc'!A0", '{"why": "=1"}']


def test_long_file_is_read_in_parts_while_it_is_sent(
    site: Site, boss: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "AT_ONCE", 10)
    write(site, *({"subject": str(number)} for number in range(30)))

    with counted(site.app) as sent:
        text = boss.get(f"{PAGE}/export").text

    rows = list(csv.reader(text.splitlines()))
    assert [row[4] for row in rows[1:]] == [str(number) for number in reversed(range(30))]
    assert len([one for one in sent if "audit_entries" in one]) == 4


def test_entries_are_listed_in_pages_that_keep_the_search(site: Site, boss: FlaskClient) -> None:
    write(site, *({"subject": str(number)} for number in range(21)))

    page = boss.get(f"{PAGE}?action=mail.").text

    assert f'href="{PAGE}?before=2&amp;action=mail."' in page
