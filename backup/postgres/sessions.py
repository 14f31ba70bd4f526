"""Sessions with the database that may take as long as they need, and the lock of all runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from backup.catalogue.folder import TURN_SECONDS
from backup.errors import BusyError
from backup.settings import Settings
from common.database import engine_options

LOCK = 0x6B656570  # any number, the same in all replicas, and no other service's
TABLE_SECONDS = 60  # a migration is to be waited for, but not for ever
OPTIONS = {
    "timezone": "UTC",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",  # the snapshot waits while pg_dump works
    "lock_timeout": f"{TABLE_SECONDS}s",
    "client_connection_check_interval": "1s",  # killed here, the session and its lock go there too
}


def open_engine(settings: Settings) -> Engine:
    """Return an engine without a time limit for its statements; it keeps no connection."""
    options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    arguments = {**engine_options(settings, "backup")["connect_args"], "options": options}
    return create_engine(settings.url(), poolclass=NullPool, connect_args=arguments)


@contextmanager
def only_run(engine: Engine) -> Iterator[Connection]:
    """Be the only run of all replicas, or raise BusyError; yield the session with the lock."""
    with engine.connect() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{TURN_SECONDS}s'"))
        try:
            connection.execute(select(func.pg_advisory_lock(LOCK)))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            message = "a backup is under way in another replica; try again later"
            raise BusyError(message) from error
        connection.commit()
        yield connection


@contextmanager
def snapshot(connection: Connection) -> Iterator[str]:
    """Hold one unchanging view of the database; yield the name by which pg_dump sees the same."""
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with connection.begin():
        yield connection.scalars(select(func.pg_export_snapshot())).one()
