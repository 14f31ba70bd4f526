"""Public pages that are made once, and are the same for everyone.

Kept are answers of status 200 to GET and HEAD of people without a session, and of these only body and
`KEPT_HEADERS`: all else belongs to one request. A view under `cached` sees a plain request with what the
key holds (path, declared query arguments) and nothing else of the client's, so nothing else gets into
the page. Whatever touches the session or the form's token is never kept.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, wraps
from http import HTTPStatus
from io import BytesIO
from typing import ParamSpec
from urllib.parse import urlencode, urlsplit

from flask import Request, Response, g
from flask.ctx import RequestContext
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from web.caching.entry import Entry
from web.caching.extension import keeper_of
from web.caching.figures import Figures
from web.caching.jobs import KEPT_PAGE, Job, KeptPage, Made, Terms, Unkept

KEPT_HEADERS = (
    "Content-Type", "Content-Language", "Content-Disposition", "Content-Security-Policy",
    "Cache-Control", "Vary", "ETag", "Last-Modified", "Link", "X-Robots-Tag",
    "Cross-Origin-Resource-Policy",
)  # fmt: skip
BY_DEFAULT = "public, no-cache"  # may be kept by all, who ask us whether it is still the same
MAY_VARY_ON = {"accept-encoding", "origin"}  # neither changes the body
LARGEST_BODY = 128 * 1024
LONGEST_PATH = 300
LONGEST_VALUE = 64  # of a query argument
OF_ONE_READER = ("csrf_token", "csp_nonce")  # in `g`, once the page has one
OF_THE_SERVER = (
    "PATH_INFO", "SCRIPT_NAME", "SERVER_PROTOCOL",
    "wsgi.version", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
)  # fmt: skip

Arguments = ParamSpec("Arguments")
View = Callable[Arguments, ResponseReturnValue]


def cached(
    *,
    fresh_seconds: float | None = None,
    stale_seconds: float = 0,
    stale_on_error_seconds: float = 0,
    on: tuple[str, ...] = (),
    query: tuple[str, ...] = (),
) -> Callable[[View[Arguments]], View[Arguments]]:
    """Keep what the view answers; stands directly below the route.

    Past its fresh time a page is shown for `stale_seconds` more while one request makes it anew, and for
    `stale_on_error_seconds` while the database is away. A tag of `on` that is invalidated voids it.
    """
    terms = Terms(fresh_seconds, stale_seconds, stale_on_error_seconds, on)

    def decorate(view: View[Arguments]) -> View[Arguments]:
        figures = Figures(f"{view.__module__}.{view.__name__}")

        @wraps(view)
        def show(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
            # Through the proxy, each look at the request would take longer than finding the page.
            context = request_ctx._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 a proxy's method
            asked = arguments(context.request, query) if is_anonymous(context) else None
            if asked is None:
                figures.bypassed.inc()
                return for_one_reader(context, view(*args, **kwargs))
            make = partial(make_page, context, partial(view, *args, **kwargs), asked)
            # Encoded arguments have no space, so where the path begins is certain.
            job = Job(f"page {asked} {context.request.path}", terms, figures, make)
            made = keeper_of(context.app).obtain(job)
            if isinstance(made, Entry):
                endpoint = str(context.request.endpoint)
                kept = KeptPage(replace(job, make=made_elsewhere), made, endpoint, show)
                context.request.environ[KEPT_PAGE] = kept
            return answer(context, made)

        return show

    return decorate


def made_elsewhere() -> Made:
    """Make nothing: the lane before Flask looks at what is kept, and holds no request for it."""
    raise NotImplementedError


def for_one_reader(context: RequestContext, answer: ResponseReturnValue) -> Response:
    """Return the answer to a request that was not made plain: it may hold what is that reader's."""
    response = context.app.make_response(answer)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def is_anonymous(context: RequestContext) -> bool:
    """Return whether the request is one to read, of somebody without a session."""
    request, environ = context.request, context.request.environ
    if request.method not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in environ:
        return False
    if "HTTP_COOKIE" in environ and context.app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return False
    return not session_is_touched(context)


def session_is_touched(context: RequestContext) -> bool:
    """Return whether somebody asked for the session or put something into it."""
    session = context._session  # noqa: SLF001 asking Flask for the session would touch it
    return session is not None and (session.accessed or session.modified)


def arguments(request: Request, query: tuple[str, ...]) -> str | None:
    """Return the declared arguments, encoded; None where the address is none that we would link."""
    if len(request.path) > LONGEST_PATH:
        return None
    if not query:
        return ""
    given = [(name, value) for name in query for value in request.args.getlist(name)]
    too_many = len(given) > len({name for name, _ in given})
    too_long = any(len(value) > LONGEST_VALUE for _, value in given)
    return None if too_many or too_long else urlencode(given)


def make_page(context: RequestContext, view: Callable[[], ResponseReturnValue], query: str) -> Made:
    """Return the page as it is kept, or the answer where it is not to be."""
    with plain_request(context, query):
        try:
            response = context.app.make_response(view())
        except HTTPException as error:
            return Unkept(error)
    if not may_be_kept(response) or session_is_touched(context):
        return Unkept(response)
    return entry_of(response, keeper_of(context.app).clock())


@contextmanager
def plain_request(context: RequestContext, query: str) -> Iterator[None]:
    """Show the view a GET of this site's own address, without the client's headers, cookies and body."""
    whole, adapter = context.request, context.url_adapter
    site = urlsplit(context.app.config["BASE_URL"])
    environ = {name: whole.environ[name] for name in OF_THE_SERVER if name in whole.environ}
    environ |= {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": query,
        "HTTP_HOST": site.netloc,
        "SERVER_NAME": site.hostname,
        "SERVER_PORT": str(site.port or {"http": 80, "https": 443}[site.scheme]),
        "wsgi.url_scheme": site.scheme,
        "wsgi.input": BytesIO(),
    }
    plain = context.app.request_class(environ)
    plain.url_rule, plain.view_args = whole.url_rule, whole.view_args
    context.request, context.url_adapter = plain, context.app.create_url_adapter(plain)
    try:
        yield
    finally:
        context.request, context.url_adapter = whole, adapter


def may_be_kept(response: Response) -> bool:
    """Return whether the answer is for everyone."""
    control = response.cache_control
    return (
        response.status_code == HTTPStatus.OK
        and "Set-Cookie" not in response.headers
        and not (control.no_store or control.private)
        and {name.lower() for name in response.vary} <= MAY_VARY_ON
        and not any(name in g for name in OF_ONE_READER)
        and not (response.is_streamed or response.direct_passthrough)
        and len(response.get_data()) <= LARGEST_BODY
    )


def entry_of(response: Response, now: float) -> Entry:
    """Return the answer as it is kept, with what a client needs to ask whether it is still the same."""
    body = response.get_data()
    response.headers.setdefault("Cache-Control", BY_DEFAULT)
    response.headers.setdefault("ETag", f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    response.headers.setdefault("Last-Modified", http_date(now))
    headers = [(name, response.headers[name]) for name in KEPT_HEADERS if name in response.headers]
    return Entry(body, headers=tuple(headers))


def answer(context: RequestContext, made: Made) -> Response:
    """Return the page to this client; status 304 where it has the same already."""
    if isinstance(made, Unkept):
        if isinstance(made.answer, HTTPException):
            raise made.answer
        response: Response = made.answer
        return response
    age, environ = made.age(keeper_of(context.app).clock()), context.request.environ
    headers = [*made.headers, ("Age", str(int(age)))]
    response = context.app.response_class(made.body, headers=headers)
    if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ:
        response.make_conditional(environ)
    return response
