"""What the database knows of the backups: the mirror that the worker keeps, and what was asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, text
from sqlalchemy.orm import Session

from common.schema import backup_drills, backup_sizes, backups, jobs

SIZES = timedelta(days=90)
TREND_DAYS = 3  # before that the first backup, which is all new, would be taken for growth

STANDING = text("""
    SELECT beat.beat_at, beat.trouble,
           proven.id AS proven_id, proven.started_at AS proven_at, proven.verified_at,
           (SELECT next_at FROM backup_plans WHERE verb = 'take') AS next_backup,
           (SELECT next_at FROM backup_plans WHERE verb = 'drill') AS next_drill,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'verb', verb, 'state', state) ORDER BY id), '[]')
              FROM jobs
             WHERE part = 'backup' AND state IN ('waiting', 'running')) AS jobs
      FROM (SELECT) AS one
 LEFT JOIN heartbeats AS beat ON beat.part = 'backup'
 LEFT JOIN LATERAL (SELECT id, started_at, verified_at
                      FROM backups
                     WHERE state = 'proven'
                  ORDER BY started_at DESC
                     LIMIT 1) AS proven ON true
""")
TARGETS = text("""
    SELECT target.*, growth.per_day
      FROM backup_targets AS target
CROSS JOIN LATERAL (SELECT CASE WHEN count(*) >= :days THEN regr_slope(bytes, day - current_date) END AS per_day
                      FROM backup_sizes
                     WHERE backup_sizes.target = target.name AND day > current_date - 30) AS growth
  ORDER BY off_site, name
""")


@dataclass(frozen=True, slots=True)
class Target:
    """Where backups lie, how it does, and how fast it fills."""

    name: str
    location: str
    off_site: bool
    seen_at: datetime
    trouble: str | None
    bytes: int | None
    bytes_limit: int | None
    recoverable_from: datetime | None
    recoverable_until: datetime | None
    per_day: float | None

    @property
    def days_left(self) -> float | None:
        """Return in how many days it is full at this pace; None is never, or not known."""
        if not self.bytes_limit or self.bytes is None or not self.per_day or self.per_day <= 0:
            return None
        return max(self.bytes_limit - self.bytes, 0) / self.per_day


def standing(session: Session) -> Row[Any]:
    """Return how all of it stands: the worker, the last proven one, what comes next, what is asked."""
    return session.execute(STANDING).one()


def targets(session: Session) -> list[Target]:
    """Return each target, this machine first."""
    rows = session.execute(TARGETS, {"days": TREND_DAYS})
    return [Target(**row._asdict()) for row in rows]


def sizes(session: Session, now: datetime) -> Sequence[Row[Any]]:
    """Return what each target took, day by day."""
    since = (now - SIZES).date()
    columns: Select[Any] = select(backup_sizes.c.day, backup_sizes.c.target, backup_sizes.c.bytes)
    wanted = columns.where(backup_sizes.c.day > since)
    return session.execute(wanted.order_by(backup_sizes.c.target, backup_sizes.c.day)).all()


def runs(session: Session, limit: int, before: str = "") -> Sequence[Row[Any]]:
    """Return the runs, the newest first; `before` is the last id of the page before."""
    return session.execute(page(select(backups), backups.c.id, limit, before)).all()


def run(session: Session, backup_id: str) -> Row[Any] | None:
    """Return one run."""
    return session.execute(select(backups).where(backups.c.id == backup_id)).one_or_none()


def drills(session: Session, limit: int, before: str = "") -> Sequence[Row[Any]]:
    """Return the rehearsals, the newest first."""
    return session.execute(page(select(backup_drills), backup_drills.c.id, limit, before)).all()


def page(found: Select[Any], by: ColumnElement[str], limit: int, before: str) -> Select[Any]:
    """Return the rows before this id; ids begin with the time, so they are in its order."""
    wanted = found.where(by < before) if before else found
    return wanted.order_by(by.desc()).limit(limit)


def last_answer(session: Session, verb: str) -> Row[Any] | None:
    """Return the last job of this verb that was answered."""
    done = (jobs.c.part == "backup") & (jobs.c.verb == verb) & (jobs.c.state == "done")
    found: Select[Any] = select(jobs.c.id, jobs.c.ended_at, jobs.c.answer).where(done)
    return session.execute(found.order_by(jobs.c.id.desc()).limit(1)).one_or_none()
