"""The replication slot: for us the database keeps what we have not received yet, up to a limit.

How it stands is read from what the server says of it, never from whether it moves: in a database where
nobody writes nothing moves, and all is well.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text

log = structlog.get_logger(__name__)

NAME = "keelson_wal"
APPLICATION = "keelson_wal"  # the receiver's name, by which a synchronous database knows it
LOST = "lost"
LARGE_LAG = 64 * 1024**2

SYSTEM = text("SELECT system_identifier FROM pg_control_system()")
STATE = text("SELECT wal_status, restart_lsn FROM pg_replication_slots WHERE slot_name = :name")
CREATE = text("SELECT lsn FROM pg_create_physical_replication_slot(:name, true)")
DROP = text("SELECT pg_drop_replication_slot(:name)")
FLUSHED = text("SELECT pg_current_wal_flush_lsn()")
HEALTH = text("""
    SELECT active, wal_status, safe_wal_size,
           pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn)::bigint AS lag
      FROM pg_replication_slots
     WHERE slot_name = :name
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """From where on the database has its log for us, up to where it has written it, and of which cluster."""

    system_id: str
    restart_lsn: str
    flushed_lsn: str
    was_lost: bool


@dataclass(frozen=True, slots=True)
class Health:
    """What the server says of the slot."""

    active: bool
    status: str | None
    safe_bytes: int | None  # that may still be written before the slot is lost
    lag_bytes: int | None

    def trouble(self) -> str | None:
        """Return what is wrong, and what to do; None where all is well."""
        if self.status == LOST:
            return "the database has thrown away log that was not received; a new base backup is needed"
        if self.status == "unreserved":
            return "the database is about to throw away log that was not received; see the worker's log"
        if not self.active:
            return "the database's log is not being received; see the worker's log"
        if self.lag_bytes is not None and self.lag_bytes > LARGE_LAG:
            return f"the received log is {self.lag_bytes >> 20} MiB behind the database"
        return None


def ensure(connection: Connection) -> Kept:
    """Return from where on we can receive; make the slot where there is none, or only a lost one."""
    state = connection.execute(STATE, {"name": NAME}).first()
    was_lost = state is not None and (state.wal_status == LOST or state.restart_lsn is None)
    if was_lost:
        connection.execute(DROP, {"name": NAME})
    if state is None or was_lost:
        restart = connection.scalars(CREATE, {"name": NAME}).one()
        log.info("replication slot made", slot=NAME, was_lost=was_lost)
    else:
        restart = state.restart_lsn
    system_id = str(connection.scalars(SYSTEM).one())
    return Kept(system_id, restart, connection.scalars(FLUSHED).one(), was_lost)


def health(connection: Connection) -> Health:
    """Return how the slot stands."""
    row = connection.execute(HEALTH, {"name": NAME}).first()
    if row is None:
        return Health(active=False, status=None, safe_bytes=None, lag_bytes=None)
    return Health(row.active, row.wal_status, row.safe_wal_size, row.lag)
