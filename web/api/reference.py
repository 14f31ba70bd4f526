"""The API's documentation: the OpenAPI document for programs, the same as a page for people."""

import json

from flask import Blueprint, Response, make_response, render_template, request

from web.api import endpoints
from web.api.blueprint import PREFIX
from web.api.openapi import document

CACHE_CONTROL = "public, max-age=300"  # it changes with a deploy alone

bp = Blueprint("reference", __name__, url_prefix=PREFIX)


@bp.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI document."""
    # Not as Flask writes JSON: it would sort the names.
    return lasting(Response(json.dumps(document(), indent=2), content_type="application/json"))


@bp.get("/docs")
def show() -> Response:
    """Show the documentation page."""
    told = document()
    page = render_template(
        "api/docs.html",
        info=told["info"],
        server=told["servers"][0]["url"],
        endpoints=list(endpoints.endpoints(told)),
        schemas=list(endpoints.schemas(told)),
    )
    return lasting(make_response(page))


def lasting(response: Response) -> Response:
    """Let every cache keep the answer for a while, and ask then whether it has changed."""
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.add_etag()
    response.make_conditional(request.environ)
    return response
