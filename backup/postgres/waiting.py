"""Waiting for the database in Python, so that a signal's exception comes through at once."""

import select
import time

from psycopg2 import OperationalError
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    STATUS_BEGIN,
    STATUS_READY,
    connection,
    set_wait_callback,
)

from common.database import CONNECT_SECONDS


def wait_in_python() -> None:
    """Let every query of this process be interrupted: libpq's own wait would sit out a signal."""
    set_wait_callback(_wait)


def _wait(session: connection) -> None:
    """Wait for the server's answer; a bounded time while connecting, which libpq leaves to us."""
    connecting = session.status not in {STATUS_READY, STATUS_BEGIN}
    deadline = time.monotonic() + CONNECT_SECONDS
    while (state := session.poll()) != POLL_OK:
        seconds = max(deadline - time.monotonic(), 0) if connecting else None
        readers, writers = ([session], []) if state == POLL_READ else ([], [session])
        if not any(select.select(readers, writers, [], seconds)):
            message = f"the database did not answer within {CONNECT_SECONDS} s of connecting"
            raise OperationalError(message)
