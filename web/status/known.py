"""What is known of the parts: read together, kept for a moment, and for a day while the database is away."""

from dataclasses import dataclass
from datetime import UTC, datetime

from common import facts
from common.condition import Facts
from web.caching.data import remember
from web.caching.extension import keeper
from web.extensions import db
from web.status import history, notices
from web.status.history import Measured
from web.status.notices import Update

FRESH_SECONDS = 5
STALE_SECONDS = 5  # for those who come while one reads it anew
AWAY_SECONDS = 24 * 3600.0  # what was last known is shown for so long, with its time


@dataclass(frozen=True, slots=True)
class Known:
    """All of it, and when it was read: what is said of the parts is said of that moment."""

    at: datetime
    facts: Facts
    measured: Measured
    notices: list[Update]


def known() -> Known:
    """Return it, some seconds old, or from before the database went away.

    Raises SQLAlchemy's errors where it is away, and nothing is kept.
    """
    return remember(
        "facts",
        Known,
        read_now,
        fresh_seconds=FRESH_SECONDS,
        stale_seconds=STALE_SECONDS,
        stale_on_error_seconds=AWAY_SECONDS,
        on=(notices.TAG,),
    )


def read_now() -> Known:
    """Return it as it is now, in four statements; the time is from before they are read."""
    now, session = moment(), db.session()
    return Known(now, facts.read(session), history.read(session, now), notices.read_open(session))


def moment() -> datetime:
    """Return the time by the cache's clock, which says how old what it keeps is."""
    return datetime.fromtimestamp(keeper().clock(), UTC)
