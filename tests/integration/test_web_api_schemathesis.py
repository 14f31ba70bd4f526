"""The API asked in every way that its document allows, and in many that it does not."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from schemathesis import AuthContext, Case
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from werkzeug.serving import make_server

from tests.integration.postgres import Database
from tests.integration.web_people import let_people_in, somebody, token
from tests.ports import free_port
from tests.web_app import an_app

EXAMPLES = int(os.environ.get("EXAMPLES", "12"))  # of each operation and kind
SEED = int(os.environ.get("SEED", "4"))  # the same questions in each run: what is red is red again


@dataclass
class Findings:
    """What a run of schemathesis brought."""

    failures: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def take(self, event: object) -> None:
        """Note what this event tells."""
        if isinstance(event, events.NonFatalError | events.FatalError):
            self.failures.append(
                str(event.info if isinstance(event, events.NonFatalError) else event)
            )
        if not isinstance(event, events.ScenarioFinished):
            return
        for case_id, checks in event.recorder.checks.items():
            interaction = event.recorder.interactions[case_id]
            asked = f"{interaction.request.method} {interaction.request.uri}"
            self.failures += [
                f"{check.name}: {asked}: {check.failure_info.failure if check.failure_info else ''}"
                for check in checks
                if check.status is Status.FAILURE
            ]
        for case_id, interaction in event.recorder.interactions.items():
            if interaction.response and case_id in event.recorder.cases:
                operation = event.recorder.cases[case_id].value.operation.label
                self.statuses[operation, interaction.response.status_code] += 1


class Ada:
    """Signs in, and again once her session was ended: by a request that was made up, it may be."""

    browser: FlaskClient

    def get(self, _case: Case[Any], _context: AuthContext) -> dict[str, str]:
        """Return the cookie and the header."""
        if self.browser.get("/api/v1/me").status_code == 401:
            self.browser.get("/test/sign-in/ada@example.org")
        cookie = self.browser.get_cookie("session")
        assert cookie
        return {"session": cookie.value, **token(self.browser)}

    def set(self, case: Case[Any], data: dict[str, str], _context: AuthContext) -> None:
        """Send the cookie; and with what is as it should be the header, too."""
        case.cookies["session"] = data["session"]
        if "X-CSRFToken" in case.headers and case.meta and case.meta.generation.mode.is_positive:
            case.headers["X-CSRFToken"] = data["X-CSRFToken"]


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    """The application, served on the address that its document names."""
    port = free_port()
    app = an_app(
        base_url=f"http://127.0.0.1:{port}",
        database_url=database.url("web"),
        ratelimit_enabled=False,
    )
    let_people_in(app)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


def run(app: Flask, browser: FlaskClient | None = None) -> Findings:
    """Run every phase and every check of schemathesis against the served application."""
    document = f"{app.config['BASE_URL']}/api/v1/openapi.json"
    schema: Any = schemathesis.openapi.from_url(document, config=SchemathesisConfig(seed=SEED))
    schema.config.generation.update(max_examples=EXAMPLES)
    if browser is not None:
        provider = type("AdaHere", (Ada,), {"browser": browser})  # it wants a class
        schema.auth(refresh_interval=None)(provider)
    found = Findings()
    for event in from_schema(schema).execute():
        found.take(event)
    return found


def test_answers_to_nobody_are_as_documented(app: Flask) -> None:
    found = run(app)

    assert found.failures == []
    assert found.statuses["GET /api/v1/status", 200] > 0
    assert found.statuses["GET /api/v1/me", 401] > 0


def test_answers_to_somebody_are_as_documented(app: Flask) -> None:
    browsers = [somebody(app) for _ in range(30)]

    found = run(app, browsers[-1])

    assert found.failures == []
    assert found.statuses["GET /api/v1/me", 200] > 0
    assert found.statuses["GET /api/v1/me/sessions", 200] > 0
    assert found.statuses["GET /api/v1/me/sessions", 422] > 0
    assert found.statuses["DELETE /api/v1/me/sessions/{session_id}", 204] > 0
    assert found.statuses["DELETE /api/v1/me/sessions/{session_id}", 403] > 0
    assert found.statuses["DELETE /api/v1/me/sessions/{session_id}", 404] > 0
