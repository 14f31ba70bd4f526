"""The public page: how well the parts of this deployment are."""

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from web.caching.pages import cached
from web.status import facts
from web.status.condition import BEAT_IS_OLD, Facts, judge, overall

CACHE_CONTROL = "public, max-age=5"
BEATS_OF = {"Mail": "mailer", "Backup": "backup"}

bp = Blueprint("status", __name__)


@bp.get("/")
@cached(
    fresh_seconds=facts.FRESH_SECONDS,
    stale_seconds=facts.STALE_SECONDS,
    # A part that is silent for this long is not yet called down, and nor is the database.
    stale_on_error_seconds=BEAT_IS_OLD.total_seconds(),
)
def show() -> ResponseReturnValue:
    """Show the parts; the page holds nothing of its reader, so any cache may keep it a moment."""
    known = facts.known()
    parts = judge(known.facts, known.at)
    reasons = reasons_of(known.facts) if current_app.config["HAS_INBOX"] else {}
    page = render_template(
        "status.html", parts=parts, overall=overall(parts), now=known.at, reasons=reasons
    )
    response = make_response(page)
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response


def reasons_of(known: Facts) -> dict[str, str]:
    """Return what stands in each part's way: for a developer, who can mend it."""
    beats = {name: known.beats.get(part) for name, part in BEATS_OF.items()}
    return {name: beat.trouble for name, beat in beats.items() if beat and beat.trouble}
