"""The rows of the table `backups`, for the status page: the folder's mirror, and the failures."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from backup.folder import Folder
from backup.manifest import Manifest
from common.schema import backups

KEEP_FAILURES = timedelta(days=90)
VANISHED = (
    "it was interrupted: its process ended without a word; the next run is complete by itself"
)


def begin(connection: Connection, backup_id: str, started_at: datetime) -> None:
    """Record that a run has begun."""
    _write(connection, {"id": backup_id, "state": "running", "started_at": started_at})


def prove(connection: Connection, manifest: Manifest) -> None:
    """Record that a backup is proven; safe to repeat."""
    rows = {name: table.rows for name, table in manifest.fingerprint.tables.items()}
    values = manifest.model_dump(include={"id", "state", "started_at", "finished_at", "bytes"})
    _write(connection, values | {"tables": rows, "reason": None})


def fail(connection: Connection, backup_id: str, reason: str, now: datetime) -> None:
    """Record why a run came to nothing."""
    values = {"state": "failed", "finished_at": now, "reason": reason}
    connection.execute(update(backups).where(backups.c.id == backup_id).values(values))


def close_abandoned(connection: Connection, now: datetime) -> None:
    """Record as failed what is called running; only for who holds the lock, so that nobody is."""
    values = {"state": "failed", "finished_at": now, "reason": VANISHED}
    connection.execute(update(backups).where(backups.c.state == "running").values(values))


def mirror(connection: Connection, folder: Folder, now: datetime) -> None:
    """Make the proven rows those of the folder, the truth: after a restore they are not."""
    # First the rows, then the folder: what is proven in between is not taken for pruned.
    recorded = set(connection.scalars(select(backups.c.id).where(backups.c.state == "proven")))
    kept = {manifest.id: manifest for manifest in folder.proven()}
    for missing in kept.keys() - recorded:
        prove(connection, kept[missing])
    gone = backups.c.id.in_(recorded - kept.keys())
    outdated = (backups.c.state == "failed") & (backups.c.started_at < now - KEEP_FAILURES)
    connection.execute(delete(backups).where(gone | outdated))


def trouble(connection: Connection) -> str | None:
    """Return why the latest finished run failed, or None if it did not."""
    latest = select(backups.c.id, backups.c.state, backups.c.reason).where(
        backups.c.state != "running"
    )
    row = connection.execute(latest.order_by(backups.c.started_at.desc()).limit(1)).first()
    if row is None or row.state == "proven":
        return None
    return f"the backup {row.id} failed: {row.reason}"


def _write(connection: Connection, values: dict[str, object]) -> None:
    statement = insert(backups).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
