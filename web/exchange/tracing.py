"""One id for each request, from edge through the outbox to the mailer, and one line in the log."""

import re
import secrets
import time
from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask
from flask import Flask, Request, Response, g, request
from typing_extensions import override
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from web.operation import figures

HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,}")  # in an address without a route: a mistyped link

READS = {"GET", "HEAD", "OPTIONS"}
SLOW_MS = 1000

log = structlog.get_logger(__name__)


class TracedFlask(APIFlask):
    """APIFlask, but for its line about a failure: that holds the whole path, and so a link's token."""

    @override
    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what makes links; for a Host that is none our own, as the error's page has links."""
        try:
            return super().create_url_adapter(request)
        except HTTPException as error:
            if request is None:
                raise
            request.routing_exception = error
            return self.url_map.bind(self.config["HOST"])

    @override
    def log_exception(self, exc_info: Any) -> None:
        """Log what nobody foresaw, with its traceback."""
        words = ("Exception on %s [%s]", path_without_secrets(), request.method)
        self.logger.error(*words, exc_info=exc_info)


def init_app(app: Flask) -> None:
    """Trace the requests of this application; comes first, so that it sees all that happens."""
    app.before_request(begin)
    app.after_request(finish)


def begin() -> None:
    """Bind the request's id, so that it stands in every line logged on its behalf."""
    g.started = time.perf_counter()
    g.request_id = known_id(request.headers.get(HEADER, "")) or secrets.token_hex(16)
    structlog.contextvars.clear_contextvars()  # the thread may have served another request
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def known_id(value: str) -> str | None:
    """Return the id if it looks like one, so that nobody writes what they like into the log."""
    return value if _ID.fullmatch(value) else None


def finish(response: Response) -> Response:
    """Log the request and return its id to the client."""
    response.headers[HEADER] = g.request_id
    seconds = time.perf_counter() - g.started
    figures.note(response, seconds)
    ms = seconds * 1000
    write = log.debug if is_routine(response, ms) else log.info
    write(
        "request",
        method=request.method,
        path=path_without_secrets(),
        status=response.status_code,
        ms=round(ms, 1),
        address=request.remote_addr,
    )
    return response


def is_routine(response: Response, ms: float) -> bool:
    """Return whether edge's line says all there is to say: a page was read, well and in time.

    A line more for each would cost more than finding the page does.
    """
    return (
        request.method in READS and response.status_code < HTTPStatus.BAD_REQUEST and ms < SLOW_MS
    )


def path_without_secrets() -> str:
    """Return the path, or its pattern where it holds a token: the log's readers could use it."""
    if request.url_rule and "token" in request.url_rule.arguments:
        return request.url_rule.rule
    return _TOKEN.sub("...", request.path)
