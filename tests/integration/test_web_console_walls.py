"""Every address of the console and of its API, as the application has them: who gets in, and what changes what."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.integration.account_site import ADA, Site
from tests.integration.postgres import Database
from tests.web_app import form_token
from web.api.blueprint import TOKEN_HEADER

BOSS = "boss@example.org"
CONSOLE, API = "/console", "/api/v1/console"
VALUES = {"backup_id": "20261122-120000", "backup": "20261122-120000", "verb": "take"}
TOO_LARGE = 2**63
NO_TEXT = "a\0b"  # PostgreSQL has no such character
# What the console's forms have, in the way that gets furthest.
GOOD = {
    "kind": "incident",
    "reason": "a test",
    "gate": "relay",
    "address": "ada@example.org",
    "scope": "*",
    "who": "203.0.113.9",
    "rule": "site",
    "tag": "notices",
    "email": "bob@example.org",
    "role": "member",
    "title": "Mail is delayed",
    "words": "Our relay is slow.",
    "state": "resolved",
    "one": "2027-03-01",
}
FIELDS = (*GOOD, "id", "target", "parts", "begins_at", "ends_at", "other")
BODIES = {
    "/limits/clear": {"who": "203.0.113.9", "rule": "site"},
    "/cache/void": {"tag": "notices"},
    "/invitations": {"email": "bob@example.org", "role": "member"},
    "/notices": {"kind": "incident", "title": "Mail is late", "words": "Our relay is slow."},
    "/mail/pause": {"kind": "notice", "reason": "a test"},
    "/mail/resume": {"kind": "notice"},
    "/mail/probe": {"gate": "relay"},
    "/suppressions": {"address": "ada@example.org", "scope": "*", "reason": "a test"},
    "/suppressions/end": {"address": "ada@example.org", "scope": "*"},
    "/backups/jobs": {"verb": "verify", "id": "20261122-120000", "target": "local"},
}
QUERIES = (
    "before",
    "after",
    "scope",
    "q",
    "state",
    "kind",
    "who",
    "action",
    "day",
    "at",
    "version",
)


class Door(NamedTuple):
    """One address, and how it is asked."""

    method: str
    rule: Rule

    def path(self, number: int = 1) -> str:
        """Return an address of this rule."""
        return re.sub(
            r"<(?:[^<>]*:)?(\w+)>", lambda found: VALUES.get(found[1], str(number)), self.rule.rule
        )

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    @property
    def is_change(self) -> bool:
        """Return whether it is there to change something."""
        return self.method != "GET"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def doors(app: Flask, prefix: str) -> Iterator[Door]:
    """Yield each of them below this address."""
    for rule in app.url_map.iter_rules():
        if rule.rule == prefix or rule.rule.startswith(f"{prefix}/"):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield Door(method, rule)


def token_of(browser: FlaskClient) -> str:
    """Return a form token that is good for this browser."""
    page = browser.get("/account")
    return form_token(page if page.status_code == 200 else browser.get("/subscribe"))


def opened(browser: FlaskClient, door: Door, token: str, number: int = 1) -> TestResponse:
    """Ask there with a token, as a form or as a program does."""
    path = door.path(number)
    if not door.is_change:
        return browser.get(path)
    if path.startswith(API):
        headers = {TOKEN_HEADER: token}
        return browser.open(path, method=door.method, headers=headers, json={})
    return browser.open(path, method=door.method, data={"csrf_token": token})


def test_there_is_something_to_walk(site: Site) -> None:
    assert len(list(doors(site.app, CONSOLE))) > 50
    assert len(list(doors(site.app, API))) > 40


@pytest.mark.parametrize("prefix", [CONSOLE, API])
def test_nothing_is_there_for_members(site: Site, prefix: str) -> None:
    member = site.signed_in(ADA)
    token = token_of(member)

    answers = {str(door): opened(member, door, token) for door in doors(site.app, prefix)}

    assert {door: got.status for door, got in answers.items() if got.status_code != 404} == {}


def test_nobody_is_sent_to_sign_in(site: Site) -> None:
    stranger = site.browser()
    token = token_of(stranger)

    answers = {str(door): opened(stranger, door, token) for door in doors(site.app, CONSOLE)}

    told = {door: (got.status_code, of_page(got)) for door, got in answers.items()}
    assert set(told.values()) == {(303, "/account/sign-in")}, told


def of_page(answer: TestResponse) -> str:
    """Return where it leads, without what it says there."""
    return (answer.location or "").partition("?")[0]


def test_programs_of_nobody_are_told_so(site: Site) -> None:
    stranger = site.browser()
    token = token_of(stranger)

    answers = {str(door): opened(stranger, door, token) for door in doors(site.app, API)}

    assert {door: got.status for door, got in answers.items() if got.status_code != 401} == {}


@pytest.mark.parametrize(("prefix", "status"), [(CONSOLE, 400), (API, 403)])
def test_what_changes_something_needs_a_token(site: Site, prefix: str, status: int) -> None:
    boss = site.signed_in(BOSS, "operator")

    answers = {
        str(door): opened(boss, door, "forged")
        for door in doors(site.app, prefix)
        if door.is_change
    }

    assert {door: got.status for door, got in answers.items() if got.status_code != status} == {}
    assert site.rows("SELECT FROM audit_entries") == site.rows("SELECT FROM jobs") == []


def test_what_is_only_looked_at_changes_nothing(site: Site) -> None:
    boss = site.signed_in(BOSS, "operator")

    answers = {
        str(door): opened(boss, door, "")
        for prefix in (CONSOLE, API)
        for door in doors(site.app, prefix)
        if not door.is_change
    }

    assert {answer.status_code for answer in answers.values()} == {200, 404}
    assert site.rows("SELECT FROM audit_entries") == site.rows("SELECT FROM jobs") == []


@pytest.mark.parametrize("number", [TOO_LARGE - 1, TOO_LARGE])
def test_number_of_nothing_is_answered(site: Site, number: int) -> None:
    boss = site.signed_in(BOSS, "operator")
    token = token_of(boss)
    numbered = [
        door
        for prefix in (CONSOLE, API)
        for door in doors(site.app, prefix)
        if door.rule.arguments - VALUES.keys()
    ]

    assert numbered
    assert broken({str(door): opened(boss, door, token, number) for door in numbered}) == {}


@pytest.mark.parametrize(
    "rubbish", [NO_TEXT, "x" * 3_000, "-1", f"{TOO_LARGE}", "a\r\nb: c"], ids=ascii
)
def test_page_that_is_asked_rubbish_answers(site: Site, rubbish: str) -> None:
    boss = site.signed_in(BOSS, "operator")
    query = urlencode(dict.fromkeys(QUERIES, rubbish))

    answers = {
        str(door): boss.get(f"{door.path()}?{query}")
        for door in doors(site.app, CONSOLE)
        if not door.is_change
    }

    assert broken(answers) == {}


def test_form_with_what_is_no_text_is_answered(site: Site) -> None:
    boss = site.signed_in(BOSS, "operator")
    token = token_of(boss)

    answers = {
        f"{door} {name}": boss.post(door.path(), data={"csrf_token": token, **GOOD, name: NO_TEXT})
        for door in doors(site.app, CONSOLE)
        for name in FIELDS
        if door.is_change
    }

    assert broken(answers) == {}


@pytest.mark.parametrize("rubbish", [NO_TEXT, "x" * 3_000, "-1", f"{TOO_LARGE}"], ids=ascii)
def test_program_that_asks_rubbish_is_answered(site: Site, rubbish: str) -> None:
    boss = site.signed_in(BOSS, "operator")

    answers = {
        f"{door} {name}": boss.get(f"{door.path()}?{urlencode({name: rubbish})}")
        for door in doors(site.app, API)
        for name in QUERIES
        if not door.is_change
    }

    assert broken(answers) == {}


@pytest.mark.parametrize("rubbish", [NO_TEXT, "\ud800"], ids=ascii)
def test_program_that_sends_what_is_no_text_is_answered(site: Site, rubbish: str) -> None:
    boss = site.signed_in(BOSS, "operator")
    headers = {TOKEN_HEADER: token_of(boss)}

    answers = {
        f"{door} {name}": boss.post(door.path(), headers=headers, json=body)
        for door in doors(site.app, API)
        for body, name in bodies(door, rubbish)
    }

    assert answers
    assert broken(answers) == {}


def bodies(door: Door, rubbish: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield what a program may send there, each time with rubbish in one place."""
    for known, body in BODIES.items():
        if door.rule.rule.endswith(known) and door.method == "POST":
            for name in body:
                yield {**body, name: rubbish}, name


def broken(answers: dict[str, TestResponse]) -> dict[str, str]:
    """Return those that are our own fault."""
    return {door: got.status for door, got in answers.items() if got.status_code >= 500}
