"""Being woken by the commit that queues a mail."""

import contextlib
from typing import cast

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from common.outbox import CHANNEL
from mailer.stop import Stop


class Listener:
    """A connection of its own that hears of new mail; what can be relied on is the poll.

    `open` and `wait` raise SQLAlchemy's or psycopg2's errors while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def open(self) -> None:
        """Start to listen, unless it does already; what is queued from here on is heard."""
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection = connection
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")

    def wait(self, stop: Stop, seconds: float) -> None:
        """Return when there is new mail, when told to stop, or after `seconds`."""
        if self._connection is None:
            return
        raw = self._connection.connection.driver_connection
        driver = cast("psycopg2.extensions.connection", raw)
        stop.wait(seconds, driver)
        driver.poll()
        driver.notifies.clear()

    def close(self) -> None:
        """Hang up; a pool must not give a listening connection to anybody else."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError, psycopg2.Error):
                connection.invalidate()
            connection.close()
