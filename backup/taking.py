"""Taking a backup: a dump of one snapshot, restored, compared, and only then called one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup import dumping, proof, records, sessions
from backup.errors import BackupError, Interrupted
from backup.files import sha256_of
from backup.folder import Folder
from backup.manifest import Manifest, id_of
from backup.retention import expired
from common.database import reason_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """All that a run needs; each run is one call of `take`."""

    engine: Engine
    url: URL
    folder: Folder
    keep: timedelta
    clock: Callable[[], datetime]

    def take(self, wanted: Callable[[], bool]) -> Manifest | None:
        """Take one backup and prune old ones; return None if, once it is our turn, none is wanted.

        Raises a BackupError, and leaves nothing that could be taken for a backup.
        """
        try:
            with self.folder.claimed(), sessions.only_run(self.engine) as connection:
                self._clean_up()
                if not wanted():
                    return None
                manifest = self._take(connection)
                self._prune()
                return manifest
        except (SQLAlchemyError, OSError) as error:
            message = f"{reason_of(error)}; what was proven before is still there"
            raise BackupError(message) from error

    def _clean_up(self) -> None:
        self.folder.sweep()
        with self.engine.begin() as connection:
            records.close_abandoned(connection, self.clock())

    def _take(self, connection: Connection) -> Manifest:
        started_at = self.clock().replace(microsecond=0)  # as the id has it
        backup_id = id_of(started_at)
        self.folder.require_absent(backup_id)
        with self._recorded(backup_id, started_at):
            dumped = dumping.dump(connection, self.url, self.folder.dump(backup_id))
            manifest = self._prove(backup_id, started_at, dumped)
        seconds = (manifest.finished_at - started_at).total_seconds()
        facts = {"bytes": manifest.bytes, "rows": manifest.rows, "seconds": seconds}
        log.info("backup proven", **facts)
        return manifest

    def _prove(self, backup_id: str, started_at: datetime, dumped: dumping.Dumped) -> Manifest:
        """Restore the dump, compare, and write the manifest, which makes it a backup."""
        path = self.folder.dump(backup_id)
        digest = sha256_of(path)  # first: what is restored is what was digested
        found = proof.restored(path, dumped.origin.roles, self.folder)
        proof.require_equal(dumped.expected(found), found, f"the backup {backup_id}, restored,")
        manifest = Manifest(
            id=backup_id,
            started_at=started_at,
            finished_at=self.clock(),
            bytes=path.stat().st_size,
            sha256=digest,
            origin=dumped.origin,
            fingerprint=found,
        )
        manifest.write(self.folder.manifest(backup_id))
        return manifest

    @contextmanager
    def _recorded(self, backup_id: str, started_at: datetime) -> Iterator[None]:
        """Record the run's beginning, and its failure, after which nothing is left of it."""
        with self.engine.begin() as connection:
            records.begin(connection, backup_id, started_at)
        structlog.contextvars.bind_contextvars(backup=backup_id)  # each later line names it
        log.info("backup started")
        try:
            yield
        except (BackupError, SQLAlchemyError, OSError, Interrupted) as error:
            self.folder.remove(backup_id)
            now, reason = self.clock(), reason_of(error)
            self._record(lambda connection: records.fail(connection, backup_id, reason, now))
            raise

    def _prune(self) -> None:
        """Remove what is past its time: the last step, so only ever after a proven backup."""
        for backup_id in expired(self.folder.proven(), self.clock(), self.keep):
            self.folder.remove(backup_id)
            log.info("backup pruned", pruned=backup_id)
        self._record(lambda connection: records.mirror(connection, self.folder, self.clock()))

    def _record(self, write: Callable[[Connection], None]) -> None:
        """Write how it ended; where the database is away, the worker does so once it is back."""
        try:
            with self.engine.begin() as connection:
                write(connection)
        except SQLAlchemyError as error:
            log.warning("the end of the run is not recorded yet", reason=reason_of(error))
