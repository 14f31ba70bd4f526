"""Headers that tell browsers and caches to be careful."""

from flask import Flask, Response

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)


def init_app(app: Flask) -> None:
    """Send the headers with every answer of this application."""
    app.after_request(add)


def add(response: Response) -> Response:
    """Add what the view has not set itself; what it says nothing about is kept by no cache."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not withheld from ourselves: on https, Flask-WTF compares the referrer with the host.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
