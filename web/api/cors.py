"""Which other sites' scripts may read the API, but for the console's; nothing else is open to them."""

from flask import Flask, Response, request
from flask_cors import CORS

from web.settings import Settings
from web.values import ANY_ORIGIN

API = "/api/"
# A hole in a listed site must not be one in the console, for an operator who is signed in here.
OPENED = r"/api/(?!v1/console(?:/|$)).*"
PREFLIGHT_SECONDS = 600
METHODS = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]
HEADERS = ["Content-Type", "X-CSRFToken"]  # that a script may send, beside those that any may
EXPOSED = ["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]  # that it may read


def init_app(app: Flask, settings: Settings) -> None:
    """Open the API to the configured origins."""
    everyone = settings.cors_origins == ANY_ORIGIN
    CORS(
        app,
        resources={OPENED: {"origins": list(settings.cors_origins)}},
        # Both together, Flask-Cors would let any site at all act as its visitor.
        supports_credentials=settings.cors_supports_credentials and not everyone,
        send_wildcard=everyone,
        always_send=False,  # nothing to say to who is of no other origin
        methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
    )
    app.after_request(vary_by_origin)


def vary_by_origin(response: Response) -> Response:
    """Tell caches that the answer depends on who asked; Flask-Cors forgets it where it refused."""
    if request.path.startswith(API):
        response.vary.add("Origin")
    return response
