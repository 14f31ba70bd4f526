"""Whole databases of the server: made, swapped and dropped, by the owner, from `postgres`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.manifest import Grant
from common.database import reason_of

log = structlog.get_logger(__name__)

LIKE = text("SELECT datname FROM pg_database WHERE datname LIKE :start || '%' ORDER BY 1")
# Not superusers, whom nobody else may end: with one of those connected the renaming fails.
TERMINATE = text("""
    SELECT pg_terminate_backend(pid)
      FROM pg_stat_activity
      JOIN pg_roles AS r ON r.oid = usesysid
     WHERE datname = :name AND NOT rolsuper
""")
TERMINATE_EVERY_SECONDS = 0.1
CONNECTED = text("""
    SELECT coalesce(nullif(application_name, ''), 'without a name'), usename, count(*)
      FROM pg_stat_activity
     WHERE datname = :name AND usename IS NOT NULL AND pid <> pg_backend_pid()
  GROUP BY 1, 2
  ORDER BY 1, 2
""")
SIZE = text("SELECT pg_database_size(:name)")
STAMP = "%Y%m%d_%H%M%S"
STAMPED = r"\d{8}_\d{6}"


@dataclass(frozen=True, slots=True)
class Connected:
    """Who is connected to a database: an application, by its role, so many times."""

    application: str
    role: str
    count: int


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server, and the bytes that it takes."""

    name: str
    bytes: int


def stamped(start: str, now: datetime) -> str:
    """Return the name of a database that is put aside, or made, now: sorted by name is sorted by time."""
    return f"{start}_{now.strftime(STAMP)}"


def exists(server: Engine, name: str) -> bool:
    """Return whether there is a database of that name."""
    with server.connect() as connection:
        return name in connection.scalars(LIKE, {"start": name}).all()


def connected(server: Engine, name: str) -> list[Connected]:
    """Return who is connected to it now."""
    with server.connect() as connection:
        return [Connected(*row) for row in connection.execute(CONNECTED, {"name": name})]


def all_stamped(server: Engine, start: str) -> list[Database]:
    """Return the databases called `start` and a time, oldest first."""
    pattern = re.compile(re.escape(start) + "_" + STAMPED)
    with server.connect() as connection:
        names = [n for n in connection.scalars(LIKE, {"start": start}) if pattern.fullmatch(n)]
        return [Database(n, connection.scalars(SIZE, {"name": n}).one()) for n in sorted(names)]


def size(server: Engine, name: str) -> int:
    """Return how many bytes a database takes."""
    with server.connect() as connection:
        return int(connection.scalars(SIZE, {"name": name}).one())


@contextmanager
def new(server: Engine, name: str, grants: Sequence[Grant]) -> Iterator[None]:
    """Have an empty database with these privileges; whatever goes wrong, it is dropped."""
    try:
        with _statements(server) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {_quoted(name)} TEMPLATE template0")
            _grant(connection, name, grants)
        yield
    except BaseException:
        _try_to_drop(server, name)
        raise


def _grant(connection: Connection, name: str, grants: Sequence[Grant]) -> None:
    """Give what a dump leaves out, the privileges on the database itself, and nothing else."""
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
    for grant in grants:
        role = "PUBLIC" if grant.role is None else _quoted(grant.role)
        connection.exec_driver_sql(f"GRANT {grant.privilege} ON DATABASE {_quoted(name)} TO {role}")


def swap(
    server: Engine, live: str, restored: str, kept: str, *, end_connections: bool = True
) -> None:
    """Give `restored` the name `live`, whose database is from then on `kept`: both, or neither.

    The renaming takes the lock that every new connection needs. So while those who are connected
    are shown out nobody comes in, and whatever happens before the commit, `live` serves on. Where
    nobody is to be shown out, it fails while somebody is connected.
    """
    doorman = _showing_out(server, live) if end_connections else nullcontext()
    with doorman, server.begin() as connection:
        if live in connection.scalars(LIKE, {"start": live}).all():
            connection.exec_driver_sql(f"ALTER DATABASE {_quoted(live)} RENAME TO {_quoted(kept)}")
        connection.exec_driver_sql(f"ALTER DATABASE {_quoted(restored)} RENAME TO {_quoted(live)}")


@contextmanager
def _showing_out(server: Engine, name: str) -> Iterator[None]:
    """End the connections to a database, and those that still come, until the block is done."""
    done = Event()
    thread = Thread(target=_terminate_until, args=(server, name, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _terminate_until(server: Engine, name: str, done: Event) -> None:
    with _statements(server) as connection:
        connection.execute(TERMINATE, {"name": name})
        while not done.wait(TERMINATE_EVERY_SECONDS):
            connection.execute(TERMINATE, {"name": name})


def drop(server: Engine, name: str) -> None:
    """Drop a database, unless somebody is connected to it."""
    with _statements(server) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {_quoted(name)}")


def drop_stamped(server: Engine, start: str) -> None:
    """Drop the databases called `start` and a time; none is worth failing for."""
    for database in all_stamped(server, start):
        _try_to_drop(server, database.name)


def _try_to_drop(server: Engine, name: str) -> None:
    try:
        with _statements(server) as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
    except SQLAlchemyError as error:
        log.warning(
            "a database could not be dropped; the next restore tries again",
            name=name,
            reason=reason_of(error),
        )


@contextmanager
def _statements(server: Engine) -> Iterator[Connection]:
    """Have a connection whose every statement stands alone: databases are made and dropped so."""
    with server.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
