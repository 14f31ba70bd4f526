"""How well the parts are, for programs."""

from typing import Any

from apiflask import Schema
from apiflask.fields import DateTime, Enum, List, Nested, String

from web.api.blueprint import blueprint
from web.caching.pages import cached
from web.status import facts
from web.status.condition import BEAT_IS_OLD, State, judge, overall
from web.status.page import CACHE_CONTROL

EXAMPLE = {
    "state": "degraded",
    "at": "2027-03-01T09:30:00+00:00",
    "parts": [
        {"name": "Website", "state": "up", "detail": "Answers requests."},
        {
            "name": "Mail",
            "state": "degraded",
            "detail": "Slow, the oldest mail waits for 7 minutes.",
        },
    ],
}

SAME: Any = {304: {"description": "You have it already: the ETag that you sent is its own."}}

bp = blueprint("api", __name__)


class PartOut(Schema):
    """A part of the deployment."""

    name = String(required=True)
    state = Enum(State, by_value=String, required=True)
    detail = String(required=True, metadata={"description": "for people"})


class StatusOut(Schema):
    """All parts, and the worst of their states."""

    state = Enum(State, by_value=String, required=True)
    at = DateTime(required=True, metadata={"description": "when this was so"})
    parts = List(Nested(PartOut), required=True)


@bp.get("/status")
@cached(
    fresh_seconds=facts.FRESH_SECONDS,
    stale_seconds=facts.STALE_SECONDS,
    stale_on_error_seconds=BEAT_IS_OLD.total_seconds(),  # as the page
)
@bp.doc(responses=SAME)
@bp.output(
    StatusOut,
    description="How well the parts are.",
    example=EXAMPLE,
    headers={"Cache-Control": String(metadata={"example": CACHE_CONTROL}), "ETag": String()},
)
def status() -> tuple[dict[str, Any], dict[str, str]]:
    """Tell how well the parts are.

    The same as the public page shows, and for everybody the same. Any cache may keep it a moment.
    """
    known = facts.known()
    parts = judge(known.facts, known.at)
    answer = {"state": overall(parts), "at": known.at.replace(microsecond=0), "parts": parts}
    return answer, {"Cache-Control": CACHE_CONTROL}
