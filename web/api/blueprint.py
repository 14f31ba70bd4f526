"""A part of the API: its place is under /api/v1, and what changes something is guarded."""

from apiflask import APIBlueprint, abort
from flask import request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from web.accounts.current import current
from web.accounts.sign_ins import SignedIn
from web.extensions import csrf

PREFIX = "/api/v1"
ID = "int"
SECURITY = "session"
TOKEN_HEADER = "X-CSRFToken"  # noqa: S105 the name of a header
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

NOBODY = "Nobody is signed in. Sign in on the site; the API goes by its session cookie."
NO_TOKEN = (
    f"The header {TOKEN_HEADER} is missing or too old. Send the csrf_token of GET {PREFIX}/me."
)
NO_JSON = "The body is not JSON. Send it as application/json."


def blueprint(name: str, import_name: str, path: str = "") -> APIBlueprint:
    """Return a blueprint for the addresses below /api/v1`path`."""
    made = APIBlueprint(name, import_name, url_prefix=PREFIX + path)
    # `guard` asks for the same token, but of a header alone, and first for who is signed in; and it
    # takes it from the listed origins too, which Flask-WTF refuses on https by their Referer.
    csrf.exempt(made)
    made.before_request(guard)
    return made


def guard() -> None:
    """Refuse to change anything for nobody, without the token, or by what is not JSON."""
    if request.method in SAFE_METHODS:
        return
    somebody()
    try:
        validate_csrf(request.headers.get(TOKEN_HEADER))
    except ValidationError:
        abort(403, NO_TOKEN)
    if has_body() and not request.is_json:
        abort(415, NO_JSON)


def has_body() -> bool:
    """Return whether the request brings one, of a length that it names or does not."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def somebody() -> SignedIn:
    """Return who is signed in, or answer 401."""
    found = current()
    if found is None:
        # A 401 names its scheme; for cookies none is registered, and browsers ignore one they don't know.
        abort(401, NOBODY, headers={"WWW-Authenticate": 'Cookie realm="Keelson"'})
    return found
