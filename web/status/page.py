"""The public pages: how well the parts are, and were; the same for everyone."""

from dataclasses import dataclass

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from common.condition import BEAT_IS_OLD, Facts, Part, State
from web.caching.pages import cached
from web.status import notices
from web.status.days import Day, together
from web.status.known import FRESH_SECONDS, STALE_SECONDS
from web.status.standing import standing

CACHE_CONTROL = "public, max-age=5"
BEATS_OF = {"Mail": "mailer", "Backup": "backup"}
HEADLINES = {
    State.UP: "All parts work",
    State.DEGRADED: "Some parts need attention",
    State.DOWN: "A part is down",
    State.UNKNOWN: "Nothing is known",
}
WORDS = {
    State.UP: "Works",
    State.DEGRADED: "Degraded",
    State.DOWN: "Down",
    State.UNKNOWN: "Not known",
}

# While the database hangs, others are not kept waiting by the one who asks it.
kept = cached(
    fresh_seconds=FRESH_SECONDS,
    stale_seconds=STALE_SECONDS,
    stale_on_error_seconds=BEAT_IS_OLD.total_seconds(),
    on=(notices.TAG,),
)

bp = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A part with its days and their sum."""

    part: Part
    days: list[Day]
    total: Day


@bp.get("/")
@kept
def show() -> ResponseReturnValue:
    """Show the parts; the page holds nothing of its reader, so any cache may keep it a moment."""
    return page("status.html")


@bp.get("/history")
@kept
def history() -> ResponseReturnValue:
    """Show every day as a table, for who can't see the bars, or wants the numbers."""
    return page("status/history.html")


def page(template: str) -> ResponseReturnValue:
    """Return a page of how the parts are."""
    now = standing()
    html = render_template(
        template,
        standing=now,
        parts=[with_days(part, now.calendar(part.name)) for part in now.parts],
        reasons=reasons_of(now.known.facts) if current_app.config["HAS_INBOX"] else {},
        page_of_notices=notices.page_of_all(),
        headlines=HEADLINES,
        words=WORDS,
    )
    response = make_response(html)
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response


def with_days(part: Part, days: list[Day]) -> Shown:
    """Return a part as it is shown."""
    return Shown(part, days, together(days))


def reasons_of(known: Facts) -> dict[str, str]:
    """Return what stands in each part's way: for a developer, who can mend it."""
    beats = {name: known.beats.get(part) for name, part in BEATS_OF.items()}
    return {name: beat.trouble for name, beat in beats.items() if beat and beat.trouble}
