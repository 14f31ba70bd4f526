"""Whole databases of the server: made, swapped and dropped, by the owner, from `postgres`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from backup.manifest import Grant
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


def swap(server: Engine, live: str, restored: str, kept: str) -> None:
    """Give `restored` the name `live`, whose database is from then on `kept`: both, or neither.

    The renaming takes the lock that every new connection needs. So while those who are connected
    are shown out nobody comes in, and whatever happens before the commit, `live` serves on.
    """
    with _showing_out(server, live), server.begin() as connection:
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


def drop_stamped(server: Engine, start: str, but: str | None = None) -> None:
    """Drop the databases called `start` and a time, except one; none is worth failing for."""
    with _statements(server) as connection:
        names = connection.scalars(LIKE, {"start": start}).all()
    stamped = re.compile(re.escape(start) + r"\d{8}_\d{6}")
    for name in names:
        if stamped.fullmatch(name) and name != but:
            _try_to_drop(server, name)


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
