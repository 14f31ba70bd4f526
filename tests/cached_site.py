"""The application with pages of a test's own, and a clock that a test sets."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from tests.web_app import an_app
from web.caching.extension import NAME
from web.caching.pages import cached


@dataclass
class CachedSite:
    """An application, how often its pages were made, and its time."""

    app: Flask
    made: Counter[str] = field(default_factory=Counter)
    now: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.app.extensions[NAME].clock = lambda: self.now

    def add(self, path: str, view: Callable[..., ResponseReturnValue], **terms: Any) -> None:
        """Add a page that is cached on these terms, for a minute else; it takes GET and POST."""

        def counted(**arguments: str) -> ResponseReturnValue:
            self.made[path] += 1
            return view(**arguments)

        counted.__name__ = f"view{path}"
        decorate = cached(**{"fresh_seconds": 60, **terms})
        self.app.add_url_rule(path, path, decorate(counted), methods=["GET", "POST"])

    def client(self) -> FlaskClient:
        """Return a new visitor."""
        return self.app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask as a new visitor; `If_None_Match` is the header If-None-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client().get(path, headers=named)


def a_site(**given: object) -> CachedSite:
    """Return a site that limits nobody."""
    return CachedSite(an_app(**{"ratelimit_enabled": False, **given}))
