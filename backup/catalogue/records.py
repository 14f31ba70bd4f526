"""The rows of the table `backups`: the folder's mirror, and the runs that are under way or came to nothing."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from backup.catalogue import ahead
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Manifest
from common.schema import backups

KEEP_FAILURES = timedelta(days=90)
VANISHED = (
    "it was interrupted: its process ended without a word; the next run is complete by itself"
)


def begin(
    connection: Connection, backup_id: str, started_at: datetime, kind: str = "logical"
) -> None:
    """Record that a run has begun."""
    values = {"id": backup_id, "kind": kind, "state": "running", "started_at": started_at}
    _write(connection, values)


def keep(connection: Connection, record: Manifest | Base, reason: str | None = None) -> None:
    """Record that a backup is stored or proven, and why not proven; safe to repeat."""
    values: dict[str, object] = {
        "id": record.id,
        "kind": "base",
        "state": "stored",
        "started_at": record.started_at,
        "finished_at": record.consistent_at if isinstance(record, Base) else record.finished_at,
        "bytes": record.bytes,
        "bytes_stored": record.bytes_stored,
        "steps": {name: round(seconds, 3) for name, seconds in record.steps.items()},
        "copies": {name: copy.stored_at.isoformat() for name, copy in record.copies.items()},
        "reason": reason,
    }
    if isinstance(record, Manifest):
        tables = {name: table.rows for name, table in record.fingerprint.tables.items()}
        values |= {"kind": "logical", "state": record.state, "tables": tables}
        values["verified_at"] = record.verified_at
    _write(connection, values)


def fail(connection: Connection, backup_id: str, reason: str, now: datetime) -> None:
    """Record why a run came to nothing."""
    values = {"state": "failed", "finished_at": now, "reason": reason}
    connection.execute(update(backups).where(backups.c.id == backup_id).values(values))


def close_abandoned(connection: Connection, now: datetime, kind: str = "logical") -> None:
    """Record as failed what is called running; only for who holds the lock, so that nobody is."""
    values = {"state": "failed", "finished_at": now, "reason": VANISHED}
    left = (backups.c.state == "running") & (backups.c.kind == kind)
    connection.execute(update(backups).where(left).values(values))


def mirror(connection: Connection, folder: Folder, now: datetime) -> None:
    """Make the rows of what is stored those of the folder, the truth: after a restore they are not."""
    # First the rows, then the folder: what is proven in between is not taken for pruned.
    columns = select(backups.c.id, backups.c.state, backups.c.copies, backups.c.verified_at)
    recorded = {
        row.id: (row.state, row.copies.keys(), row.verified_at)
        for row in connection.execute(columns.where(backups.c.state.in_(["stored", "proven"])))
    }
    kept: dict[str, Manifest | Base] = {}
    kept |= {record.id: record for record in folder.stored()}
    kept |= {record.id: record for record in folder.bases()}
    for record in kept.values():
        state, verified_at = _standing(record)
        if recorded.get(record.id) != (state, record.copies.keys(), verified_at):
            keep(connection, record)
    gone = backups.c.id.in_(recorded.keys() - kept.keys())
    outdated = (backups.c.state == "failed") & (backups.c.started_at < now - KEEP_FAILURES)
    connection.execute(delete(backups).where(gone | outdated))


def _standing(record: Manifest | Base) -> tuple[str, datetime | None]:
    """Return its state, and when it was proven last."""
    if isinstance(record, Manifest):
        return record.state, record.verified_at
    return "stored", None


def trouble(connection: Connection, now: datetime, *, at_work: bool) -> str | None:
    """Return why the latest finished run is not proven, or None if it is.

    While somebody is `at_work` in the folder, what has been stored without a word is being proven.
    """
    latest = select(backups.c.id, backups.c.state, backups.c.reason).where(
        (backups.c.state != "running")
        & (backups.c.kind == "logical")
        & (backups.c.started_at <= now + ahead.TOLERANCE)
    )
    if at_work:
        latest = latest.where((backups.c.state != "stored") | backups.c.reason.is_not(None))
    row = connection.execute(latest.order_by(backups.c.started_at.desc()).limit(1)).first()
    if row is None or row.state == "proven":
        return None
    if row.state == "stored":
        return f"the backup {row.id} is stored, but not proven: {row.reason or VANISHED}"
    return f"the backup {row.id} failed: {row.reason}"


def _write(connection: Connection, values: dict[str, object]) -> None:
    statement = insert(backups).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
