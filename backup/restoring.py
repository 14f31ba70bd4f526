"""Restoring: into a new database, which takes the live one's place only once it is found equal."""

from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backup import databases, fingerprint, proof, sessions
from backup.errors import BackupError
from backup.folder import Folder
from backup.manifest import Manifest
from backup.settings import Settings
from common.database import reason_of

log = structlog.get_logger(__name__)

MAINTENANCE = "postgres"  # where we stand while `keelson` gets its new meaning
STAMP = "%Y%m%d_%H%M%S"


def warning(manifest: Manifest, now: datetime) -> str:
    """Return what restoring this backup means, for who is about to say yes."""
    age = str(now.replace(microsecond=0) - manifest.started_at)
    return (
        f"The database {manifest.origin.database} goes back to"
        f" {manifest.started_at:%Y-%m-%d %H:%M:%S} UTC, {age} h ago"
        f" (backup {manifest.id}, {manifest.rows} rows).\n"
        f"What was written since then will be gone from it. All connections are ended.\n"
        f"The database as it is now is kept beside it, until the next restore."
    )


def restore(manifest: Manifest, folder: Folder, settings: Settings, now: datetime) -> str:
    """Put a backup in the place of the live database; return the name that that one has now.

    Raises a BackupError, and then the live database is untouched and serves on.
    """
    server = sessions.open_engine(settings.for_database(MAINTENANCE))
    live = settings.url().database or manifest.origin.database
    restored, kept = f"{live}_restore_{now.strftime(STAMP)}", f"{live}_before_{now.strftime(STAMP)}"
    try:
        with folder.claimed():
            folder.check(manifest)
            databases.drop_stamped(server, f"{live}_restore_")
            with databases.new(server, restored, manifest.origin.grants):
                _fill(manifest, folder, settings.for_database(restored))
                databases.swap(server, live, restored, kept)
            databases.drop_stamped(server, f"{live}_before_", but=kept)
    except (SQLAlchemyError, OSError) as error:
        message = f"{reason_of(error)}; {live} is as it was"
        raise BackupError(message) from error
    log.info("database restored", backup=manifest.id, before=kept)
    return kept


def _fill(manifest: Manifest, folder: Folder, settings: Settings) -> None:
    """Load the dump, compare it with what was dumped, and gather what queries are planned by."""
    proof.load(folder.dump(manifest.id), settings.url())
    with sessions.open_engine(settings).connect() as connection:
        found = fingerprint.read(connection)
        proof.require_equal(manifest.fingerprint, found, "the restored database")
        connection.rollback()
        connection.execute(text("ANALYZE"))
        connection.commit()
