"""The tables of the measurements: one row for each part and minute, summed up by day (UTC).

A minute is written once, whoever comes first; the days count what was written, in the same statement. So
it is safe to repeat, and several mailers may do it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from mailer.probing.meaning import States

MINUTES_KEPT = timedelta(days=35)
DAYS_KEPT = timedelta(days=400)

# In one order, so that two who write the same wait for, and never block, one another.
WRITE = """
    WITH told AS (
        SELECT part, minute, state
          FROM unnest(CAST(:parts AS text[]), CAST(:minutes AS timestamptz[]), CAST(:states AS text[]))
            AS told (part, minute, state)
      ORDER BY part, minute
    ), written AS (
        INSERT INTO probes (part, minute, state) SELECT part, minute, state FROM told
        ON CONFLICT DO NOTHING
        RETURNING part, CAST(minute AT TIME ZONE 'UTC' AS date) AS day, state
    )
    INSERT INTO probe_days AS days (part, day, up, degraded, down)
    SELECT part, day, count(*) FILTER (WHERE state = 'up'), count(*) FILTER (WHERE state = 'degraded'),
           count(*) FILTER (WHERE state = 'down')
      FROM written
  GROUP BY part, day
  ORDER BY part, day
    ON CONFLICT (part, day) DO UPDATE
       SET up = days.up + excluded.up, degraded = days.degraded + excluded.degraded,
           down = days.down + excluded.down
"""
PRUNE_MINUTES = "DELETE FROM probes WHERE minute < :before"
PRUNE_DAYS = "DELETE FROM probe_days WHERE day < CAST(:before AS timestamptz)::date"


@dataclass(frozen=True, slots=True)
class Minute:
    """How the parts were found in one minute."""

    at: datetime
    states: States


class Records:
    """Writes to the database; raises SQLAlchemy's errors, and has then written nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, minutes: Sequence[Minute], now: datetime) -> None:
        """Write what was measured, unless it is there already, and remove what is no longer kept."""
        rows = [(part, one.at, state) for one in minutes for part, state in one.states.items()]
        values = {
            "parts": [part for part, _, _ in rows],
            "minutes": [at for _, at, _ in rows],
            "states": [str(state) for _, _, state in rows],
        }
        with self._engine.begin() as transaction:
            transaction.execute(text(WRITE), values)
            transaction.execute(text(PRUNE_MINUTES), {"before": now - MINUTES_KEPT})
            transaction.execute(text(PRUNE_DAYS), {"before": now - DAYS_KEPT})
