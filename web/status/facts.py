"""What the database knows of the parts."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from common.schema import backups, heartbeats, outbox
from web.caching.data import remember
from web.extensions import db
from web.status.condition import Beat, Facts

FRESH_SECONDS = 5
STALE_SECONDS = 5  # for those who come while one reads them anew


@dataclass(frozen=True, slots=True)
class Known:
    """The facts, and when they were read: what is said of the parts is said of that moment."""

    facts: Facts
    at: datetime


def known() -> Known:
    """Return the facts, at most a few seconds old, and since when they are known."""
    return remember(
        "facts", Known, read_now, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
    )


def read_now() -> Known:
    """Return the facts as they are now; the time is from before they are read."""
    now = datetime.now(UTC)
    return Known(read(db.session()), now)


def read(session: Session) -> Facts:
    """Return the facts as they are now."""
    mails_waiting, oldest_due_at = read_outbox(session)
    return Facts(
        beats=read_beats(session),
        mails_waiting=mails_waiting,
        oldest_due_at=oldest_due_at,
        last_backup_failed="failed" in read_last_states(session),
        last_proven_at=session.scalar(
            select(func.max(backups.c.finished_at)).where(backups.c.state == "proven")
        ),
    )


def read_beats(session: Session) -> dict[str, Beat]:
    """Return when each part was last seen at work."""
    rows = session.execute(select(heartbeats.c.part, heartbeats.c.beat_at, heartbeats.c.trouble))
    return {part: Beat(beat_at, trouble) for part, beat_at, trouble in rows}


def read_outbox(session: Session) -> tuple[int, datetime | None]:
    """Return how many mails wait, and since when the first of those that are due now is.

    Those are not that failed and wait for their next try, nor those that a mailer has taken.
    """
    due_at = outbox.c.due_at
    is_due = (due_at <= func.now()) & outbox.c.lease_by.is_(None)
    oldest_due_at = func.min(due_at).filter(is_due)
    queued = outbox.c.state == "queued"
    row = session.execute(select(func.count(), oldest_due_at).where(queued)).one()
    return row[0], row[1]


def read_last_states(session: Session) -> set[str]:
    """Return how the last run of each kind that ended has ended: a base backup hides no failed dump."""
    latest = (
        select(backups.c.state)
        .where(backups.c.state != "running")
        .ext(distinct_on(backups.c.kind))
        .order_by(backups.c.kind, backups.c.started_at.desc())
    )
    return set(session.scalars(latest))
