"""A mailer's life in the database: a number, the lock that proves it lives, and an ear for new mail."""

import contextlib
import random
import socket
from datetime import datetime
from typing import cast

import psycopg2
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from common.mailer_locks import MAILER_LOCKS, is_held
from common.outbox import CHANNEL
from mailer.delivery.clock import now
from mailer.stop import Readable, Stop

LEASE_SECONDS = 60.0  # a mailer that is frozen, or cut off, is dead for the others after so long
LOCK_SECONDS = 2  # a frozen mailer may hold a row that we want; we have better things to do
LARGEST_NUMBER = 2**31 - 1

LOCK = "SELECT pg_try_advisory_lock(:locks, :number)"
ENTER = """
    INSERT INTO mailers (number, host, lease_until)
    VALUES (:number, :host, clock_timestamp() + make_interval(secs => :seconds))
"""
RENEW = """
    UPDATE mailers SET lease_until = clock_timestamp() + make_interval(secs => :seconds)
     WHERE number = :number
"""
TELL = "UPDATE mailers SET connections = :connections, daily_quota = :daily_quota WHERE number = :number"
LEAVE = "DELETE FROM mailers WHERE number = :number"
# The lock goes with the connection, within milliseconds of a kill. A frozen mailer keeps its lock, but does
# not renew its lease; which is compared with itself alone, for the database's time may be set.
LOCKED = "SELECT m.number, m.lease_until FROM mailers m WHERE {is_held}"


class SessionLostError(Exception):
    """Others may have taken up our mail by now, so nothing more of it may be sent."""


class Session:
    """One life. All but `check` may raise SQLAlchemy's or psycopg2's errors, and are the main thread's."""

    def __init__(self, engine: Engine) -> None:
        self._lost = False
        self._valid_until = now() + LEASE_SECONDS
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.connection: Connection = connection
        try:
            self.number = number_of_ours(connection)
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
            # A claim that a crash of the server loses is only offered again.
            connection.exec_driver_sql("SET synchronous_commit = off")
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        except BaseException:
            self.close()
            raise

    def tell_limits(self, connections: int, daily_quota: int) -> None:
        """Let operators see what bounds us."""
        values = {"number": self.number, "connections": connections, "daily_quota": daily_quota}
        self.connection.execute(text(TELL), values)

    def check(self) -> None:
        """Raise SessionLostError unless what we claimed is still ours."""
        if self._lost or now() >= self._valid_until:
            raise SessionLostError("cut off from the database for too long; the mail waits")

    def renew(self) -> None:
        """Stay alive for the others for another LEASE_SECONDS; raises SessionLostError if too late."""
        self.check()
        asked_at = now()
        values = {"number": self.number, "seconds": LEASE_SECONDS}
        if self.connection.execute(text(RENEW), values).rowcount != 1:
            raise SessionLostError("the database no longer knows this mailer; was it restored?")
        self._valid_until = asked_at + LEASE_SECONDS

    def leases(self) -> dict[int, datetime]:
        """Return the lease of each mailer that holds its lock."""
        rows = self.connection.execute(text(LOCKED.format(is_held=is_held("m.number"))))
        return {row.number: row.lease_until for row in rows}

    def wait(self, stop: Stop, seconds: float, *others: Readable) -> None:
        """Return when there is new mail, when told to stop, when another has something, or in time."""
        raw = self.connection.connection.driver_connection
        driver = cast("psycopg2.extensions.connection", raw)
        if not driver.notifies:  # some may have come along with the reply to a statement
            stop.wait(seconds, driver, *others)
            driver.poll()
        driver.notifies.clear()

    def leave(self) -> None:
        """Say goodbye: the others need not wait for our lease."""
        self.connection.execute(text(LEAVE), {"number": self.number})
        self.close()

    def close(self) -> None:
        """Hang up; a pool must not give a connection that listens, and holds a lock, to anybody."""
        self._lost = True
        if self.connection.closed:
            return
        with contextlib.suppress(DBAPIError, psycopg2.Error):
            self.connection.invalidate()
        self.connection.close()


def number_of_ours(connection: Connection) -> int:
    """Return a number that no other mailer has, locked and entered."""
    while True:
        number = random.SystemRandom().randint(1, LARGEST_NUMBER)
        if connection.scalar(text(LOCK), {"locks": MAILER_LOCKS, "number": number}):
            break
    values = {"number": number, "host": socket.gethostname(), "seconds": LEASE_SECONDS}
    connection.execute(text(ENTER), values)
    return number
