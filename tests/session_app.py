"""The application with a few more views, for what the tests do with sessions."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, current_app, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from web.sessions.interface import end, rotate

PRODUCTION = {
    "app_env": "production",
    "base_url": "https://status.example.org",
    "cors_origins": "https://status.example.org",
    "database_url": "postgresql://web@/nothing?host=/nonexistent&sslmode=verify-full",
}


class Clock:
    """The time, which the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_800_000_000.0
        monkeypatch.setattr("time.time", lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        """Let this much time go by."""
        self.now += seconds


def remember() -> str:
    """Start a session."""
    session["name"] = "ada"
    return "ok"


def recall() -> str:
    """Say what the session holds."""
    return str(session.get("name"))


def change() -> str:
    """Change something else in the session."""
    session["changed"] = secrets.token_hex(4)
    return "ok"


def forget() -> str:
    """Empty the session as Flask does."""
    session.clear()
    return "ok"


def leave() -> str:
    """Sign out."""
    end()
    return "ok"


def move() -> str:
    """Give the session another id."""
    rotate()
    return "ok"


def sign_in() -> str:
    """Begin a session anew, as a sign-in does."""
    session.clear()
    session["name"] = "grace"
    rotate()
    return "ok"


def sign_in_and_ask() -> str:
    """Begin a session anew, and show a form in the same answer."""
    generate_csrf()
    sign_in()
    return str(generate_csrf())


def slow_change() -> str:
    """Change the session, after what happens meanwhile."""
    held = session["name"]
    current_app.extensions["meanwhile"]()
    session["slow"] = held
    return "ok"


def slow_move() -> str:
    """Give the session another id, after what happens meanwhile."""
    assert session["name"]
    current_app.extensions["meanwhile"]()
    rotate()
    return str(session.get("name"))


def slow_sign_in() -> str:
    """Begin a session anew, after what happens meanwhile."""
    session.clear()
    session["name"] = "grace"
    current_app.extensions["meanwhile"]()
    rotate()
    return "ok"


def slow_read() -> str:
    """Only read the session, before what happens meanwhile."""
    held = session["name"]
    current_app.extensions["meanwhile"]()
    return str(held)


QUICK = (remember, recall, change, forget, leave, move, sign_in, sign_in_and_ask)
SLOW = (slow_change, slow_move, slow_sign_in, slow_read)


def with_views(app: Flask) -> Flask:
    """Return the application with these views."""
    for view in QUICK + SLOW:
        app.add_url_rule(f"/{view.__name__}", view.__name__, view)
    app.add_url_rule("/api/recall", "api_recall", recall)
    return app


def meanwhile(app: Flask, act: Callable[[], object]) -> None:
    """Say what is to happen while a slow view is at work."""
    app.extensions["meanwhile"] = act


def same_browser(client: FlaskClient) -> FlaskClient:
    """Return another window of the browser, which holds the cookie of now."""
    window = client.application.test_client()
    window.set_cookie("session", cookie_of(client))
    return window


def files(folder: Path) -> list[Path]:
    """Return the session files of a folder."""
    return [path for path in folder.iterdir() if path.is_file()]


def cookie_of(client: FlaskClient) -> str:
    """Return the id that the browser holds."""
    cookie = client.get_cookie("session")
    assert cookie
    return cookie.value
