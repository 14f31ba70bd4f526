"""The site with subscribers, and an operator who tells them of things."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.account_site import Site, press
from tests.integration.postgres import Database
from tests.web_app import send_form

BOSS = "boss@example.org"
CONSOLE = "/console/notices"
INCIDENT = {"kind": "incident", "title": "Mail is delayed", "words": "Our relay is slow."}


class NoticeSite(Site):
    """With as many subscribers as a test wants."""

    def __init__(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, **given: object
    ) -> None:
        super().__init__(database, monkeypatch, **given)
        self.boss = self.signed_in(BOSS, "operator")

    def subscribe(self, *addresses: str, state: str = "confirmed") -> None:
        """Write subscribers, confirmed unless a test says otherwise."""
        for address in addresses:
            self.do(
                "INSERT INTO subscribers (email, state, token_hash, token_expires_at)"
                " VALUES (:address, :state, convert_to(:address, 'UTF8'), now())",
                address=address,
                state=state,
            )

    def draft(self, **fields: str) -> str:
        """Write a draft by the form, and return its path."""
        answer = send_form(self.boss, f"{CONSOLE}/new", **{**INCIDENT, **fields})
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    def publish(self, path: str) -> TestResponse:
        """Press the button."""
        return press(self.boss, f"{CONSOLE}/new", f"{path}/publish")

    def published(self, **fields: str) -> str:
        """Write a draft and publish it; return its path in the console."""
        path = self.draft(**fields)
        assert self.publish(path).status_code == 303
        return path

    def go_on(self, path: str, state: str, words: str, **more: str) -> TestResponse:
        """Fill in the form for an update, and send it."""
        return press(self.boss, path, self.form_of(path), state=state, words=words, **more)

    def form_of(self, path: str) -> str:
        """Return where the form for an update is sent to."""
        found = re.search(rf'action="({path}/updates\?after=\d+)"', self.boss.get(path).text)
        assert found
        return found[1]

    def outbox(self) -> list[tuple[str, str]]:
        """Return subject and recipient of each notice that was mailed, the oldest first."""
        rows = self.rows("SELECT subject, recipient FROM outbox WHERE kind = 'notice' ORDER BY id")
        return [(row.subject, row.recipient) for row in rows]

    def audited(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what the audit log has of notices."""
        rows = self.rows("SELECT email, action, subject, detail FROM audit_entries ORDER BY id")
        assert {row.email for row in rows} <= {BOSS}
        return [(row.action, row.subject, row.detail) for row in rows]

    def visitor(self) -> FlaskClient:
        """Return the browser of somebody who has no account."""
        return self.browser()
