"""The site as people with accounts meet it: browsers, mailboxes, and a look behind the scenes."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy
from threading import Barrier, BrokenBarrierError
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.integration.postgres import Database
from tests.web_app import an_app, form_token, send_form
from web.accounts import accounts, passwords
from web.extensions import db

ADA, BOB = "ada@example.org", "bob@example.org"
PASSWORD = "seven green kites over Delft"
ANOTHER = "a lighthouse full of teapots"
LINK = re.compile(r"http://localhost:8000(/account/\S+/[A-Za-z0-9_-]{43})")
# Costs of nothing: what is tested here is what becomes of the answer.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Mail(NamedTuple):
    """One mail of the outbox."""

    kind: str
    to: str
    text: str


class Site:
    """The application on a real database, and what its visitors do."""

    def __init__(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, **given: object
    ) -> None:
        self.database = database
        monkeypatch.setattr(passwords, "_hasher", CHEAP)
        passwords._nobodys.cache_clear()  # noqa: SLF001 it was made with another hasher
        settings = {"ratelimit_enabled": False, **given}
        self.app = an_app(database_url=database.url("web"), **settings)

    def browser(self) -> FlaskClient:
        """Return one that knows no cookie."""
        return self.app.test_client()

    def account(self, email: str = ADA, role: str = "member", password: str = PASSWORD) -> int:
        """Make an account, and return its id."""
        with self.app.app_context():
            made = accounts.create(
                db.session(), email, passwords.make_hash(password), datetime.now(UTC), role
            )
            assert made
            number = made.id
            db.session.commit()
        return number

    def signed_in(self, email: str = ADA, role: str = "member") -> FlaskClient:
        """Return the browser of somebody who has an account, and is signed in."""
        if not self.rows("SELECT FROM accounts WHERE email = :email", email=email):
            self.account(email, role)
        return self.sign_in(email)

    def sign_in(self, email: str = ADA, password: str = PASSWORD) -> FlaskClient:
        """Return a browser in which they are signed in."""
        browser = self.browser()
        answer = send_form(browser, "/account/sign-in", email=email, password=password)
        assert answer.location == "/account", answer.text
        return browser

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Return what the database's owner sees."""
        with self.database.engine("owner").connect() as connection:
            return list(connection.execute(text(statement), values))

    def do(self, statement: str, **values: object) -> None:
        """Change something behind the application's back."""
        with self.database.engine("owner").begin() as connection:
            connection.execute(text(statement), values)

    def mails(self) -> list[Mail]:
        """Return all mail, the oldest first."""
        join = "SELECT o.kind, o.recipient, b.content FROM outbox o JOIN mail_bodies b ON b.id = o.body_id"
        return [
            Mail(row.kind, row.recipient, plain_text(bytes(row.content)))
            for row in self.rows(f"{join} ORDER BY o.id")
        ]

    def link(self, kind: str) -> str:
        """Return the path of the link in the newest mail of this kind."""
        newest = [mail for mail in self.mails() if mail.kind == kind][-1]
        found = LINK.search(newest.text)
        assert found, newest.text
        return found[1]


def let_both_come_here(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    """Have each of two requests wait for the other once it has done this; not where they take turns."""
    done = getattr(module, name)
    here = Barrier(2)

    def late(*given: Any) -> Any:
        result = done(*given)
        with suppress(BrokenBarrierError):
            here.wait(0.5)
        return result

    monkeypatch.setattr(module, name, late)


def plain_text(raw: bytes) -> str:
    """Return the text of a mail."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    assert body
    return str(body.get_content())


def choose(browser: FlaskClient, link: str, password: str = PASSWORD, **more: str) -> TestResponse:
    """Open a link, and choose a password there."""
    return send_form(browser, link, password=password, password_again=password, **more)


def press(browser: FlaskClient, page: str, action: str, **fields: str) -> TestResponse:
    """Open a page, and send one of its small forms."""
    token = form_token(browser.get(page))
    return browser.post(action, data={"csrf_token": token, **fields})


def is_signed_in(browser: FlaskClient) -> bool:
    """Return whether this browser's account is shown to it."""
    return browser.get("/account").status_code == 200
