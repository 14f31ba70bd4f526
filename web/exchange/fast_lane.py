"""Pages that are kept, answered before Flask is woken: that alone takes most of a page's time.

Only the plainest request passes here: a GET of a page's own address, of somebody without a session, that
is fresh and whose answer a whole request has gone through before, so that its headers are known. It is
counted like any other. All else goes the whole way: conditions that need thought, other sites' scripts,
stale pages, and who has used up their limits.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from flask import Flask
from werkzeug.http import remove_entity_headers

from web.caching.entry import Headers
from web.caching.extension import keeper_of
from web.caching.jobs import KEPT_PAGE, Job, KeptPage
from web.caching.pages import KEPT_HEADERS
from web.exchange.headers import HEADERS
from web.exchange.tracing import known_id
from web.limits import who
from web.limits.limiter import count_page, has_limits_of_its_own
from web.operation import figures

MOST_PAGES = 500
OF_ONE_REQUEST = {"X-Request-ID", "Age", "Date", "Content-Length"}
# A page with any other header goes the whole way: it may be another's with each request.
OF_EVERY_READER = {*KEPT_HEADERS, *HEADERS, "Strict-Transport-Security"}
# What they do before a view, the lane does itself, or it is nothing for who only reads.
DONE_HERE = {"web.exchange.tracing", "flask_limiter._extension", "flask_wtf.csrf"}
STATUS_LINES = {HTTPStatus.OK: "200 OK", HTTPStatus.NOT_MODIFIED: "304 NOT MODIFIED"}
WHOLE_WAY = (
    "HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_RANGE", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE",
    "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE",
)  # fmt: skip

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Known:
    """A page whose headers are known, as long as its entry has the same ones."""

    job: Job
    endpoint: str
    of_entry: Headers
    headers: list[tuple[str, str]]
    etag: str


class FastLane:
    """Stands before Flask, and hands on what it does not answer."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._whole_way = cast("Application", app.wsgi_app)
        self._session_cookie: str = app.config["SESSION_COOKIE_NAME"] + "="
        self._known: dict[str, Known] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request, or have it answered."""
        if not self._is_plain(environ):
            return self._whole_way(environ, start_response)
        known = self._known.get(environ["PATH_INFO"])
        answer = known and self._answer(known, environ, start_response)
        return answer or self._whole_way(environ, self._learning(environ, start_response))

    def _is_plain(self, environ: Environ) -> bool:
        """Return whether the request has nothing in it that needs thought."""
        return (
            environ["REQUEST_METHOD"] == "GET"
            and not environ.get("QUERY_STRING")
            and self._session_cookie not in environ.get("HTTP_COOKIE", "")
            and not any(name in environ for name in WHOLE_WAY)
        )

    def _answer(
        self, known: Known, environ: Environ, start_response: Callable[..., Any]
    ) -> list[bytes] | None:
        """Answer with the page, or return None where it is not fresh, or the client may not ask."""
        started = time.perf_counter()
        condition = environ.get("HTTP_IF_NONE_MATCH")
        if condition not in {None, known.etag}:
            return None
        entry = keeper_of(self._app).look(known.job)
        if entry is None or entry.headers != known.of_entry:
            return None
        if not count_page(self._app, who.of_address(environ.get("REMOTE_ADDR", ""))):
            return None
        known.job.figures.hits.inc()
        age = int(entry.age(keeper_of(self._app).clock()))
        request_id = known_id(environ.get("HTTP_X_REQUEST_ID", "")) or secrets.token_hex(16)
        length = ("Content-Length", str(len(entry.body)))
        headers = [*known.headers, length, ("Age", str(age)), ("X-Request-ID", request_id)]
        status = HTTPStatus.NOT_MODIFIED if condition else HTTPStatus.OK
        if condition:
            remove_entity_headers(headers)
        figures.count(known.endpoint, "GET", status, time.perf_counter() - started)
        start_response(STATUS_LINES[status], headers)
        return [b"" if condition else entry.body]

    def _learning(self, environ: Environ, start_response: Callable[..., Any]) -> Callable[..., Any]:
        """Return what hands the answer on, and learns its headers if it was a page that is kept."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            page: KeptPage | None = environ.get(KEPT_PAGE)
            if page is not None and status.startswith("200 "):
                self._learn(environ["PATH_INFO"], page, headers)
            return start_response(status, headers, *error)

        return start

    def _learn(self, path: str, page: KeptPage, headers: list[tuple[str, str]]) -> None:
        etag = dict(page.entry.headers).get("ETag")
        same = [header for header in headers if header[0] not in OF_ONE_REQUEST]
        if etag is None or self._is_guarded(page) or {name for name, _ in same} - OF_EVERY_READER:
            return
        if len(self._known) >= MOST_PAGES:
            self._known.clear()
        self._known[path] = Known(page.job, page.endpoint, page.entry.headers, same, etag)

    def _is_guarded(self, page: KeptPage) -> bool:
        """Return whether something stands before the view that the lane does not do itself."""
        app, blueprint = self._app, page.endpoint.rpartition(".")[0]
        before = app.before_request_funcs
        return (
            app.view_functions.get(page.endpoint) is not page.view  # a decorator above `cached`
            or any(getattr(done, "__module__", None) not in DONE_HERE for done in before[None])
            or any(before.get(name) for name in blueprints(blueprint))
            or has_limits_of_its_own(app, blueprint)
        )


def blueprints(name: str) -> list[str]:
    """Return the name of a blueprint, and of each that it is nested in."""
    parts = name.split(".")
    return [".".join(parts[:number]) for number in range(1, len(parts) + 1)]
