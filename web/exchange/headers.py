"""Headers that tell browsers and caches to be careful."""

from flask import Flask, Response, current_app

from web.exchange import nonces
from web.exchange.nonces import csp_nonce, used_nonce
from web.sessions.interface import touched

__all__ = ["add", "csp_nonce", "init_app"]

# Nothing is allowed but what the pages have: sheets, scripts, images and events of our own, and forms.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DENIED = (
    "accelerometer",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "usb",
    "xr-spatial-tracking",
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not withheld from ourselves: on https, Flask-WTF compares the referrer with the host.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in DENIED),
    "Cross-Origin-Opener-Policy": "same-origin",
    # Also under /api/: what CORS opens is read with CORS, and that asks nothing of this header.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ONE_YEAR = 31_536_000
PERSONAL = "private, no-store"


def init_app(app: Flask) -> None:
    """Send the headers with every answer of this application."""
    nonces.init_app(app)
    app.after_request(add)


def add(response: Response) -> Response:
    """Add what the view has not set itself, but keep what is personal out of every cache."""
    headers, nonce = response.headers, used_nonce()
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if current_app.config["HTTPS_ONLY"]:
        headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    if nonce:
        headers["Content-Security-Policy"] = with_nonce(headers["Content-Security-Policy"], nonce)
    if nonce or touched() or "Set-Cookie" in headers:
        headers["Cache-Control"] = PERSONAL
    return response


def with_nonce(policy: str, nonce: str) -> str:
    """Return the policy, which allows the scripts of this nonce as well."""
    return policy.replace("script-src 'self'", f"script-src 'self' 'nonce-{nonce}'")
