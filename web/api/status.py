"""The JSON API."""

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from web.status import facts
from web.status.condition import judge, overall
from web.status.page import CACHE_CONTROL

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.get("/status")
def status() -> Response:
    """Return how well the parts are, the same as the public page shows."""
    now = datetime.now(UTC)
    parts = judge(facts.current(), now)
    response = jsonify(
        state=overall(parts),
        at=now.isoformat(timespec="seconds"),
        parts=[asdict(part) for part in parts],
    )
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response
