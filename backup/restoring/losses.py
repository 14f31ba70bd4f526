"""What a restore takes away: the time since then, the rows since then, and who is at work right now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.manifest import Table
from backup.content.fingerprint import TABLES
from backup.postgres.databases import Connected
from backup.restoring.moments import told
from backup.restoring.progress import duration

COUNTED_BYTES = 64_000_000  # a larger table is not counted, but estimated
SHOWN = 12
FACTS = text(
    "SELECT pg_table_size(oid), reltuples::bigint FROM pg_class WHERE oid = CAST(:name AS regclass)"
)
BOUNDS = ("SET statement_timeout = '5s'", "SET lock_timeout = '1s'")


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a table has; of a large one, about."""

    count: int
    exact: bool

    def __str__(self) -> str:
        return str(self.count) if self.exact else f"about {self.count}"


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost by going back to `then`. No rows are known of a database that is gone."""

    database: str
    then: datetime
    now: datetime
    rows: Mapping[str, Rows]
    rows_then: Mapping[str, Table] | None  # of an instant only the recovery will tell
    connected: Sequence[Connected]

    def warning(self, what: str, size: int | None) -> str:
        """Return what it means, for who is about to say yes."""
        ago = duration((self.now - self.then).total_seconds())
        lines = [
            f"The database {self.database} goes back to {told(self.then)}, {ago} ago ({what}).",
            f"What was written since then, until now ({told(self.now)}), will be gone from it.",
            *self._changes(),
            f"Connected: {self.who()}.",
        ]
        if size is not None:
            lines.append(
                "The database as it is now is kept beside it until you drop it,"
                f" so the database's disk needs room for about {size / 1e6:.0f} MB more."
            )
        return "\n".join(lines)

    def who(self) -> str:
        """Return who is connected, in one line."""
        told = [f"{c.application} ({c.role}) {c.count}x" for c in self.connected]
        return ", ".join(told) or "nobody"

    def _changes(self) -> list[str]:
        if self.rows_then is None:
            return []
        names = sorted(self.rows.keys() | self.rows_then.keys())
        lines = [line for name in names if (line := self._change(name))]
        more = [f"  and {len(lines) - SHOWN} more tables"] if len(lines) > SHOWN else []
        return lines[:SHOWN] + more

    def _change(self, name: str) -> str | None:
        """Return a line about a table that has, as far as counts tell, changed."""
        now, then = self.rows.get(name), (self.rows_then or {}).get(name)
        if now is not None and then is not None and now.count == then.rows:
            return None
        after = "none of it" if then is None else f"{then.rows} rows"
        before = "not there" if now is None else f"{now} rows"
        return f"  {name}: {before} now, {after} then"


def count(engine: Engine) -> dict[str, Rows]:
    """Return how many rows each table of the live database has; what can't be told soon is left out."""
    with engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        for bound in BOUNDS:
            session.exec_driver_sql(bound)
        names = session.scalars(TABLES).all()
        return {name: rows for name in names if (rows := _count(session, name))}


def _count(session: Connection, name: str) -> Rows | None:
    try:
        size, estimate = session.execute(FACTS, {"name": name}).one()
        if size > COUNTED_BYTES:
            return Rows(estimate, exact=False)
        counted = session.exec_driver_sql(f"SELECT count(*) FROM ONLY {name}")  # noqa: S608 as above
        return Rows(counted.scalar_one(), exact=True)
    except SQLAlchemyError:  # locked, or gone: a restore is possible without knowing
        return None
