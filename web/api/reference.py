"""The API's documentation: the OpenAPI document for programs, the same as pages for people."""

import json
from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, render_template, request

from web.api.blueprint import PREFIX
from web.api.groups import groups
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
    """Show what there is, with a link to each."""
    told = document()
    page = render_template(
        "api/docs.html",
        info=told["info"],
        server=told["servers"][0]["url"],
        groups=list(groups(told)),
    )
    return lasting(make_response(page))


@bp.get("/docs/<name>")
def show_group(name: str) -> Response:
    """Show the endpoints of a group: all of them together would be a heavy page."""
    found = next((one for one in groups(document()) if one.name == name), None)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return lasting(make_response(render_template("api/group.html", group=found)))


def lasting(response: Response) -> Response:
    """Let every cache keep the answer for a while, and ask then whether it has changed."""
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.add_etag()
    response.make_conditional(request.environ)
    return response
