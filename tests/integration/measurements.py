"""Rows of measurements, as months of them look."""

from datetime import date, datetime

from sqlalchemy import Row, insert, select, text

from common.condition import PARTS, State
from common.schema import probe_days, probes
from tests.integration.postgres import Database


def put_minute(database: Database, part: str, minute: datetime, state: State = State.UP) -> None:
    """Put the measurement of a minute, without its day."""
    values = {"part": part, "minute": minute, "state": str(state)}
    with database.engine("owner").begin() as connection:
        connection.execute(insert(probes).values(values))


def put_day(database: Database, part: str, day: date, **minutes: int) -> None:
    """Put a day of a part, with so many minutes in each state."""
    with database.engine("owner").begin() as connection:
        connection.execute(insert(probe_days).values(part=part, day=day, **minutes))


def put_a_year(database: Database) -> None:
    """Put 35 days of minutes and a year of days, each mixed as badly as can be."""
    minutes = """
        INSERT INTO probes (part, minute, state)
        SELECT part, minute, (ARRAY['up', 'degraded', 'down'])[1 + extract(minute FROM minute)::int % 3]
          FROM unnest(CAST(:parts AS text[])) AS part,
               generate_series(date_trunc('minute', now()) - interval '35 days',
                               date_trunc('minute', now()), '1 minute') AS minute
    """
    days = """
        INSERT INTO probe_days (part, day, up, degraded, down)
        SELECT part, day, 1191, 118, 119
          FROM unnest(CAST(:parts AS text[])) AS part,
               generate_series(current_date - 400, current_date - 1, '1 day') AS day
    """
    with database.engine("owner").begin() as connection:
        connection.execute(text(minutes), {"parts": list(PARTS)})
        connection.execute(text(days), {"parts": list(PARTS)})
        connection.execute(text("ANALYZE probes, probe_days"))


def minutes_of(database: Database, part: str) -> dict[datetime, str]:
    """Return what is written of a part."""
    statement = select(probes.c.minute, probes.c.state).where(probes.c.part == part)
    with database.engine("owner").connect() as connection:
        return dict(connection.execute(statement).all())


def days_of(database: Database, part: str) -> dict[date, tuple[int, int, int]]:
    """Return the days of a part: minutes up, degraded and down."""
    statement = select(probe_days).where(probe_days.c.part == part)
    with database.engine("owner").connect() as connection:
        rows: list[Row[tuple[str, date, int, int, int]]] = list(connection.execute(statement))
    return {row.day: (row.up, row.degraded, row.down) for row in rows}
