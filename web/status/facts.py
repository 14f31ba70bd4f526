"""What the database knows of the parts."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.schema import backups, heartbeats, outbox
from web.extensions import cache, db
from web.status.condition import Beat, Facts

CACHE_KEY = "facts"
CACHE_SECONDS = 5


def current() -> Facts:
    """Return the facts, at most a few seconds old.

    The data is cached, not the page: a cached page would bring errors, cookies and tokens along.
    """
    known: Facts | None = cache.get(CACHE_KEY)
    if known is None:
        known = read(db.session())
        cache.set(CACHE_KEY, known, timeout=CACHE_SECONDS)
    return known


def read(session: Session) -> Facts:
    """Return the facts as they are now."""
    mails_waiting, oldest_due_at = read_outbox(session)
    return Facts(
        beats=read_beats(session),
        mails_waiting=mails_waiting,
        oldest_due_at=oldest_due_at,
        last_backup_failed=read_last_state(session) == "failed",
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


def read_last_state(session: Session) -> str | None:
    """Return how the last backup that ended has ended, or None where none has."""
    ended = backups.c.state != "running"
    newest_first = backups.c.started_at.desc()
    return session.scalar(select(backups.c.state).where(ended).order_by(newest_first).limit(1))
