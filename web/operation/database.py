"""How the database does, as far as web's role may see it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

# Of other roles web sees that they are connected, and nothing else of it: PostgreSQL leaves it empty.
READ = text("""
    SELECT json_build_object(
        'at', now(),
        'version', current_setting('server_version'),
        'revision', (SELECT version_num FROM alembic_version),
        'bytes', pg_database_size(current_database()),
        'most', current_setting('max_connections')::integer,
        'connections', (
            SELECT json_agg(one)
              FROM (SELECT a.pid, coalesce(a.application_name, '') AS program, a.state, a.backend_start AS since,
                           CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END AS state_since,
                           s.version AS tls, s.cipher, a.query, a.pid = pg_backend_pid() AS is_this
                      FROM pg_stat_activity a
                 LEFT JOIN pg_stat_ssl s USING (pid)
                     WHERE a.usename = current_user AND a.datname = current_database()
                  ORDER BY a.backend_start, a.pid) AS one),
        'others', (
            SELECT json_object_agg(usename, number)
              FROM (SELECT usename, count(*) AS number FROM pg_stat_activity
                     WHERE usename <> current_user AND datname = current_database() GROUP BY usename) AS one),
        'tables', (
            SELECT json_agg(one)
              FROM (SELECT relname AS name, pg_total_relation_size(oid) AS bytes,
                           pg_table_size(oid) AS bytes_of_rows, greatest(reltuples, 0)::bigint AS rows
                      FROM pg_class
                     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                  ORDER BY 2 DESC) AS one))
""")


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection of web's role; `tls` is None where it has none, `query` has people's values in it."""

    pid: int
    program: str
    state: str | None
    since: datetime
    state_since: datetime | None
    tls: str | None
    cipher: str | None
    query: str | None
    is_this: bool


@dataclass(frozen=True, slots=True)
class Sized:
    """A table, with its indexes; how many rows it has is what the planner believes."""

    name: str
    bytes: int
    bytes_of_rows: int
    rows: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the database at one moment of its clock."""

    at: datetime
    version: str
    revision: str
    bytes: int
    most: int
    connections: list[Connected] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    tables: list[Sized] = field(default_factory=list)

    @property
    def running(self) -> list[Connected]:
        """Return what is under way but for this very question, the longest first."""
        active = [one for one in self.connections if one.state == "active" and not one.is_this]
        return sorted(active, key=lambda one: one.state_since or self.at)


KNOWN = TypeAdapter(Known)


def read(session: Session) -> Known:
    """Return it; raises SQLAlchemy's errors."""
    found: dict[str, Any] = session.scalars(READ).one()
    return KNOWN.validate_python({name: told for name, told in found.items() if told is not None})
