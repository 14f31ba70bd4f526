"""What is said of a run while it takes: its row in the table, and the lines in the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import records
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.errors import BackupError, Interrupted
from common.database import reason_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Tells how runs stand; where the database is away meanwhile, the worker does so once it is back."""

    engine: Engine
    folder: Folder
    clock: Callable[[], datetime]

    def close_abandoned(self) -> None:
        """Record as failed what a killed run has left as running; only for who alone is at work."""
        with self.engine.begin() as connection:
            records.close_abandoned(connection, self.clock())

    def begin(self, backup_id: str, started_at: datetime) -> None:
        """Record that a run begins; without the database there is none."""
        with self.engine.begin() as connection:
            records.begin(connection, backup_id, started_at)

    @contextmanager
    def failures(self, backup_id: str) -> Iterator[None]:
        """Record why the run failed, if it does; what it has stored by then stays stored."""
        structlog.contextvars.bind_contextvars(backup=backup_id)  # each later line names it
        log.info("backup started")
        try:
            yield
        except (BackupError, SQLAlchemyError, OSError, Interrupted) as error:
            self._fail(backup_id, reason_of(error))
            raise

    def _fail(self, backup_id: str, reason: str) -> None:
        stored = [manifest for manifest in self.folder.stored() if manifest.id == backup_id]
        if stored:
            self._write(lambda connection: records.keep(connection, stored[0], reason))
        else:
            self._write(
                lambda connection: records.fail(connection, backup_id, reason, self.clock())
            )

    def keep(self, manifest: Manifest) -> None:
        """Record what is stored or proven by now."""
        self._write(lambda connection: records.keep(connection, manifest))

    def mirror(self) -> None:
        """Record all that there is."""
        self._write(lambda connection: records.mirror(connection, self.folder, self.clock()))

    def _write(self, write: Callable[[Connection], None]) -> None:
        try:
            with self.engine.begin() as connection:
                write(connection)
        except SQLAlchemyError as error:
            log.warning("how the run stands is not recorded yet", reason=reason_of(error))
