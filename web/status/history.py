"""What was measured in the last 90 days, and last of all: read in one statement, by index."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from common.condition import PARTS, Measurement, State
from web.status.days import SHOWN

# One row for each part: its newest measurement, and its days.
READ = text("""
    SELECT part, latest.state, latest.minute,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(day, up, degraded, down)), '[]')
              FROM probe_days d
             WHERE d.part = asked.part AND day >= :since) AS days
      FROM unnest(CAST(:parts AS text[])) AS asked (part)
      LEFT JOIN LATERAL (SELECT state, minute
                           FROM probes p
                          WHERE p.part = asked.part
                       ORDER BY minute DESC
                          LIMIT 1) AS latest ON true
""")

Row = tuple[date, int, int, int]  # minutes up, degraded and down


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of each part: last, and by day."""

    last: dict[str, Measurement]
    days: dict[str, list[Row]]


def read(session: Session, now: datetime) -> Measured:
    """Return it as it is now."""
    since = (now - timedelta(days=SHOWN - 1)).date()
    rows = session.execute(READ, {"parts": list(PARTS), "since": since}).all()
    last = {row.part: Measurement(State(row.state), row.minute) for row in rows if row.state}
    return Measured(last, {row.part: [of_day(*day) for day in row.days] for row in rows})


def of_day(day: str, up: int, degraded: int, down: int) -> Row:
    """Return a day as it is kept."""
    return date.fromisoformat(day), up, degraded, down
