"""Odd things sent to every form of the pages: an answer for people each time, and no way round a limit."""

import io
from typing import Any

import pytest

from tests.integration.account_site import ADA, BOB, Site
from tests.integration.postgres import Database
from tests.unit.test_web_csrf import EXEMPT, changing_routes
from tests.unit.test_web_headers import path_of
from tests.web_app import form_token
from web.api.cors import API

FIELDS = (
    "email", "password", "password_again", "current_password", "sure", "role", "q", "next", "browser",
)  # fmt: skip
ODD: dict[str, dict[str, Any]] = {
    "json": {"json": {"email": 5, "password": {"a": 1}}},
    "json list": {"json": [1, 2]},
    "json text": {"json": "abc"},
    "json surrogate": {"data": '{"password":"\\ud800"}', "content_type": "application/json"},
    "no json": {"data": "{", "content_type": "application/json"},
    "nothing": {},
    "code zero": {"data": dict.fromkeys(FIELDS, "a\0@example.org")},
    "not utf-8": {
        "data": b"email=%ff%ed%a0%80&password=%ff&role=%ff&current_password=%ff",
        "content_type": "application/x-www-form-urlencoded",
    },
    "long": {"data": dict.fromkeys(FIELDS, "x" * 5000)},
    "twice": {"data": {name: ["a", "b"] for name in FIELDS}},
    "line breaks": {"data": dict.fromkeys(FIELDS, "a@example.org\r\nBcc: b@example.org")},
}


def files() -> dict[str, Any]:
    """Return a form whose fields are files; one that was read is empty."""
    return {"data": {name: (io.BytesIO(b"x"), "x.txt") for name in FIELDS}}


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.mark.parametrize("odd", [*ODD, "files"])
@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "an operator"])
def test_no_form_fails_by_what_is_sent(site: Site, odd: str, signed_in: bool) -> None:
    for method, rule in changing_routes(site.app):
        if rule.endpoint in EXEMPT or rule.rule.startswith(API):
            continue
        browser = site.signed_in(role="operator") if signed_in else site.browser()
        page = "/account" if signed_in else "/account/sign-in"
        headers = {"X-CSRFToken": form_token(browser.get(page))}
        sent = ODD.get(odd) or files()

        answer = browser.open(path_of(site.app, rule), method=method, headers=headers, **sent)

        assert answer.status_code < 500, (rule, odd, answer.text)
    assert [mail.to for mail in site.mails() if mail.to not in {ADA, BOB}] == []


def test_json_is_no_way_round_the_limit_by_account(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(database, monkeypatch, ratelimit_enabled=True, trusted_proxies=1)
    site.account()

    def guess(number: int, **sent: Any) -> int:
        browser = site.browser()
        forwarded = {"X-Forwarded-For": f"203.0.113.{number}"}
        token = form_token(browser.get("/account/sign-in", headers=forwarded))
        headers = {**forwarded, "X-CSRFToken": token}
        return browser.post("/account/sign-in", headers=headers, **sent).status_code

    as_json = [guess(n, json={"email": ADA, "password": f"guess {n}"}) for n in range(3)]
    as_form = [guess(n, data={"email": ADA, "password": f"guess {n}"}) for n in range(12)]

    assert as_json == [422] * 3
    assert as_form == [422] * 10 + [429] * 2
    assert site.rows("SELECT FROM sign_ins") == []
