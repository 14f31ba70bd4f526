"""A small picture that other pages can show: how well this site is."""

from flask import Blueprint, Response, render_template

from common.condition import State
from web.status.page import kept
from web.status.standing import standing

LABEL = "status"
TEXTS = {
    State.UP: ("all parts work", "#1b7f4b"),
    State.DEGRADED: ("degraded", "#8a5a00"),
    State.DOWN: ("down", "#b3261e"),
    State.UNKNOWN: ("not known", "#51606e"),
}
CHARACTER, MARGIN = 6.6, 12  # pixels, of 11 px Verdana on average
CACHE_CONTROL = "public, max-age=60"

bp = Blueprint("status_badge", __name__)


@bp.get("/badge.svg")
@kept
def show() -> Response:
    """Answer with the picture; it is for other sites to show."""
    text, colour = TEXTS[standing().overall]
    left = width_of(LABEL)
    svg = render_template(
        "status/badge.svg",
        label=LABEL,
        text=text,
        colour=colour,
        left=left,
        width=left + width_of(text),
    )
    response = Response(svg, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def width_of(text: str) -> int:
    """Return how wide the text is, with its margin."""
    return round(len(text) * CHARACTER) + MARGIN
