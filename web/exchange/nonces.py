"""The nonce of an answer: what allows a script that stands in the page itself."""

import secrets

from flask import Flask, g

NONCE_BYTES = 16


def init_app(app: Flask) -> None:
    """Let templates ask for the nonce: <script nonce="{{ csp_nonce() }}">."""
    app.add_template_global(csp_nonce)


def csp_nonce() -> str:
    """Return this answer's nonce. An answer that uses it is not to be cached: it would be known."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(NONCE_BYTES)
    nonce: str = g.csp_nonce
    return nonce


def used_nonce() -> str | None:
    """Return this answer's nonce if the page has asked for it."""
    nonce: str | None = g.get("csp_nonce")
    return nonce
