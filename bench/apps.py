"""Serve what is measured, in web's own image: python apps.py bare|whole|counted|NUMBER OF LAYERS."""

import sys
from collections.abc import Callable

from flask import Flask, Response, g, has_request_context, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, event, func, select

from common import logs
from common.schema import heartbeats
from web import app as ours
from web.api import cors
from web.exchange import headers, tracing
from web.extensions import csrf, db
from web.limits import limiter
from web.server import Server
from web.sessions import interface as sessions
from web.settings import Settings

# In the order in which the application adds them.
LAYERS: tuple[Callable[[Flask, Settings], object], ...] = (
    lambda app, _settings: tracing.init_app(app),
    sessions.init_app,
    limiter.init_app,
    lambda app, _settings: csrf.init_app(app),
    cors.init_app,
    lambda app, _settings: headers.init_app(app),
)


class Measured(Server):
    """The same server, on the same settings, with what is measured in it."""

    def __init__(self, settings: Settings, what: str) -> None:
        self._what = what
        super().__init__(settings)

    def load(self) -> Flask:
        """Build what is measured."""
        match self._what:
            case "bare":
                return with_hello(Flask("bare"))
            case "whole":
                return with_query(ours.create_app(self._settings))
            case "counted":
                return with_count(ours.create_app(self._settings))
            case number:
                return layered(self._settings, int(number))


def layered(settings: Settings, number: int) -> Flask:
    """Return hello behind the first layers of the application."""
    app = Flask("layered")
    ours.configure(app, settings)
    for add in LAYERS[:number]:
        add(app, settings)
    return with_hello(app)


def with_hello(app: Flask) -> Flask:
    """Add the least that a page can be."""
    app.add_url_rule("/hello", "hello", lambda: "Hello, World!")
    return app


def with_query(app: Flask) -> Flask:
    """Add a page that nothing keeps, with one query."""

    def query() -> ResponseReturnValue:
        parts = db.session.scalar(select(func.count()).select_from(heartbeats))
        return render_template("error.html", title="Parts", detail=f"{parts} of them", status=200)

    app.add_url_rule("/query", "query", query)
    return app


def with_count(app: Flask) -> Flask:
    """Have each answer say how many statements the database was sent for it."""

    def note(*_: object) -> None:
        if has_request_context():
            g.statements = g.get("statements", 0) + 1

    def tell(response: Response) -> Response:
        response.headers["X-Statements"] = g.get("statements", 0)
        return response

    event.listen(Engine, "before_cursor_execute", note)
    app.after_request(tell)
    return app


if __name__ == "__main__":
    read = Settings.read()
    logs.configure("web", read.log_level)
    Measured(read, sys.argv[1]).run()
