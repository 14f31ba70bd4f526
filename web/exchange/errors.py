"""What people and programs see when something went wrong: little, clear, the same everywhere."""

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from web.api.cors import API
from web.limits.limiter import seconds_to_wait

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
STALE_FORM = (
    "This form is too old",
    "It was open too long, or the browser sends no cookies. Please go back, reload, send it again.",
)

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Answer every error of this application."""
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(RateLimitExceeded, too_many_requests)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(DBAPIError, database_error)
    app.register_error_handler(PoolTimeoutError, database_away)


def explain(error: HTTPException) -> Response:
    """Answer with the page of the error's status."""
    code = error.code or InternalServerError.code
    return answer(error, *EXPLANATIONS.get(code, (error.name, error.description or "")))


def stale_form(error: CSRFError) -> Response:
    """Say what to do about a form whose token is not, or no longer, genuine."""
    return answer(error, *STALE_FORM)


def too_many_requests(error: RateLimitExceeded) -> Response:
    """Say when to come back."""
    response = explain(error)
    response.headers["Retry-After"] = str(seconds_to_wait())
    return response


def database_error(error: DBAPIError) -> Response:
    """Answer 503 where the database is away; our own mistakes are for the page of status 500."""
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return database_away(error)
    raise error


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
        response = jsonify(type="about:blank", title=title, status=status, detail=detail)
        response.content_type = "application/problem+json"
    else:
        response = Response(
            render_template("error.html", title=title, detail=detail, status=status)
        )
    response.status_code = status
    given = error.get_response().headers
    response.headers.extend({name: given[name] for name in HEADERS_OF_ERRORS if name in given})
    return response
