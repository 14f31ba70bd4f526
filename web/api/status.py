"""How well the parts are, and were, for programs."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Date, DateTime, Enum, Integer, List, Nested, String

from common.condition import State
from web.api.blueprint import blueprint
from web.status.days import SHOWN
from web.status.page import CACHE_CONTROL, kept
from web.status.standing import standing

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
EXAMPLE_OF_HISTORY = {
    "at": "2027-03-01T09:30:00+00:00",
    "parts": [
        {
            "name": "Website",
            "days": [{"day": "2027-02-28", "up": 1417, "degraded": 0, "down": 3, "unmeasured": 20}],
        }
    ],
}

SAME: Any = {304: {"description": "You have it already: the ETag that you sent is its own."}}
HEADERS: Any = {"Cache-Control": String(metadata={"example": CACHE_CONTROL}), "ETag": String()}

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


class DayOut(Schema):
    """A day of a part (UTC), in minutes."""

    day = Date(required=True)
    up = Integer(required=True)
    degraded = Integer(required=True)
    down = Integer(required=True)
    unmeasured = Integer(
        required=True, metadata={"description": "those that are over, and nobody measured"}
    )


class DaysOut(Schema):
    """A part, and its days."""

    name = String(required=True)
    days = List(
        Nested(DayOut), required=True, metadata={"description": f"{SHOWN}, the oldest first"}
    )


class HistoryOut(Schema):
    """Every part, day by day."""

    at = DateTime(required=True, metadata={"description": "until when it was measured"})
    parts = List(Nested(DaysOut), required=True)


@bp.get("/status")
@kept
@bp.doc(responses=SAME)
@bp.output(StatusOut, description="How well the parts are.", example=EXAMPLE, headers=HEADERS)
def status() -> tuple[dict[str, Any], dict[str, str]]:
    """Tell how well the parts are.

    The same as the public page shows, and for everybody the same. Any cache may keep it a moment.
    While the database is away most is `unknown`, and `at` is when it was seen last.
    """
    now = standing()
    answer = {"state": now.overall, "at": now.known.at.replace(microsecond=0), "parts": now.parts}
    return answer, {"Cache-Control": CACHE_CONTROL}


@bp.get("/status/history")
@kept
@bp.doc(responses=SAME)
@bp.output(
    HistoryOut,
    description="How well the parts were.",
    example=EXAMPLE_OF_HISTORY,
    headers=HEADERS,
)
def status_history() -> tuple[dict[str, Any], dict[str, str]]:
    """Tell how well the parts were, day by day.

    Each is measured once a minute. A minute that nobody measured counts as `unmeasured`, and not as
    well. The same for everybody, and any cache may keep it a moment.
    """
    now = standing()
    parts = [{"name": part.name, "days": now.calendar(part.name)} for part in now.parts]
    answer = {"at": now.known.at.replace(microsecond=0), "parts": parts}
    return answer, {"Cache-Control": CACHE_CONTROL}
