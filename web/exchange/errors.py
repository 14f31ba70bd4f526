"""What people and programs see when something went wrong: little, clear, the same everywhere."""

import structlog
from apiflask import HTTPError
from flask import Flask, Response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from psycopg2.errors import DeadlockDetected, QueryCanceled
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from common.database import reason_of
from web.accounts.passwords import BusyError
from web.api import problems
from web.api.cors import API
from web.exchange import stale_forms
from web.limits.headers import seconds_to_wait
from web.limits.limiter import limiter
from web.sessions.store import SessionStoreError

DATABASE_RETRY_SECONDS = 5
HEADERS_OF_ERRORS = ("Allow", "Retry-After")
EXPLANATIONS = {
    400: ("Bad request", "We could not make sense of this request."),
    404: ("Not found", "There is no page at this address."),
    405: ("Not allowed", "This address does not take this kind of request."),
    413: ("Too large", "This is more than we take in one request."),
    429: ("Too many requests", "You asked more often than we can serve. Please wait a little."),
    500: ("Our mistake", "Something went wrong on our side. It has been logged."),
    503: (
        "Back in a moment",
        "We can't reach our database just now. Nothing is lost; please try again shortly.",
    ),
}
NO_SESSIONS = (
    "Back in a moment",
    "We can't look up sessions just now. Nobody is signed out; please try again shortly.",
)
STORE_RETRY_SECONDS = 5
TOO_SLOW = (
    "Back in a moment",
    "Our database takes too long over this just now. Nothing is lost; please try again shortly.",
)
IN_THE_WAY = (
    "Back in a moment",
    "Somebody changed the same just now. Nothing has been done; please try again.",
)
LONGEST_STATEMENT = 300  # characters of it, in the log
TOO_BUSY = (
    "Back in a moment",
    "More people sign in just now than we can serve at once. Please try again shortly.",
)
BUSY_RETRY_SECONDS = 5

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Answer every error of this application."""
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(HTTPError, problems.refuse)  # APIFlask's
    app.register_error_handler(RateLimitExceeded, too_many_requests)
    app.register_error_handler(CSRFError, unproven_form)
    app.register_error_handler(SessionStoreError, session_store_away)
    app.register_error_handler(BusyError, too_busy)
    app.register_error_handler(DBAPIError, database_error)
    app.register_error_handler(PoolTimeoutError, database_away)


def explain(error: HTTPException) -> Response:
    """Answer with the page of the error's status."""
    code = error.code or InternalServerError.code
    return answer(error, *EXPLANATIONS.get(code, (error.name, error.description or "")))


def unproven_form(error: CSRFError) -> Response:
    """Offer to send the form again if it is ours; else say why it is not taken."""
    if not stale_forms.can_be_sent_again(error):
        return answer(error, *stale_forms.refusal(error))
    try:
        return Response(stale_forms.page(), stale_forms.STATUS)
    except SessionStoreError as away:  # its new token goes into the session
        return session_store_away(away)


def session_store_away(error: SessionStoreError) -> Response:
    """Answer that we are back soon: nobody is signed out because a disk or Valkey is away."""
    log.error("session store away", reason=str(error))
    return answer(ServiceUnavailable(retry_after=STORE_RETRY_SECONDS), *NO_SESSIONS)


def too_busy(_error: BusyError) -> Response:
    """Answer that we are back soon: passwords are checked so few at a time that memory is bounded."""
    log.warning("too many passwords to check")
    return answer(ServiceUnavailable(retry_after=BUSY_RETRY_SECONDS), *TOO_BUSY)


def too_many_requests(error: RateLimitExceeded) -> Response:
    """Say when to come back."""
    response = explain(error)
    met = limiter.current_limit
    response.headers["Retry-After"] = str(seconds_to_wait(met) if met else 1)
    return response


def database_error(error: DBAPIError) -> Response:
    """Answer 503 where the database is away; our own mistakes are for the page of status 500."""
    if isinstance(error.orig, QueryCanceled):
        return query_ended(error, "query cancelled", TOO_SLOW)
    if isinstance(error.orig, DeadlockDetected):
        return query_ended(error, "deadlock", IN_THE_WAY)
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return database_away(error)
    raise error


def query_ended(error: DBAPIError, event: str, explanation: tuple[str, str]) -> Response:
    """Answer why the database ended it; the statement, without its values, is for the log."""
    statement = " ".join((error.statement or "").split())[:LONGEST_STATEMENT]
    log.error(event, reason=reason_of(error), statement=statement)
    return answer(ServiceUnavailable(retry_after=DATABASE_RETRY_SECONDS), *explanation)


def database_away(error: DBAPIError | PoolTimeoutError) -> Response:
    """Answer that we are back soon; the broken transaction ends with the request."""
    # The error's own text would bring the statement's values along, addresses and all.
    reason = error.orig if isinstance(error, DBAPIError) else error
    log.error("database away", error=type(error).__name__, reason=str(reason).strip())
    return explain(ServiceUnavailable(retry_after=DATABASE_RETRY_SECONDS))


def answer(error: HTTPException, title: str, detail: str) -> Response:
    """Return the error as a page, or under /api/ as problem details (RFC 9457)."""
    status = error.code or InternalServerError.code
    if request.path.startswith(API):
        response = problems.problem(status, detail)
    else:
        response = Response(
            render_template("error.html", title=title, detail=detail, status=status)
        )
    response.status_code = status
    given = error.get_response().headers
    response.headers.extend({name: given[name] for name in HEADERS_OF_ERRORS if name in given})
    return response
