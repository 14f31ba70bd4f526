"""The dump, on its way into a repository, and what the very snapshot of it held."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from backup import processes
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Fingerprint, Origin
from backup.content import fingerprint, origin, reading, schema
from backup.errors import BackupError, BusyError
from backup.postgres import programs, sessions
from backup.repository import locks
from backup.repository.errors import TargetError
from backup.repository.restic import Repository, Saved
from backup.steps import step

NAME = "keelson.dump"
OPTIONS = [
    "--format=custom",
    "--compress=0",
    "--no-password",
]  # equal parts stay equal, and are kept once
PATIENCE = f"--lock-wait-timeout={sessions.TABLE_SECONDS}s"
ERRORS_TO_FILE = ["sh", "-c", 'exec "$@" 2>"$0"']
OURS = "command failed"  # in restic's words: it was the program, not the target


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was stored, and where; its origin and content; the sequences once it was written."""

    repository: Repository
    saved: Saved
    origin: Origin
    definitions: str
    fingerprint: Fingerprint
    later_sequences: dict[str, int]
    steps: dict[str, float]


@dataclass(frozen=True, slots=True)
class Dumper:
    """Dumps the database at this URL; what goes wrong with a target is told to `troubles`."""

    url: URL
    folder: Folder
    troubles: dict[str, str]

    def dump(
        self, connection: Connection, repositories: Sequence[Repository], tags: Sequence[str]
    ) -> Dumped:
        """Store the dump of one snapshot in the first repository that takes it, and read the snapshot's fingerprint."""
        began = time.monotonic()
        step("definitions: reading them in a snapshot of the database")
        with sessions.snapshot(connection) as snapshot:
            fingerprint.hold(connection)
            fingerprint.write_plain_text(connection)
            source, definitions = origin.read(connection), schema.read(self.url, snapshot)
            before = fingerprint.sequences(connection)
            started = time.monotonic()
            repository, saved = self._store(snapshot, repositories, tags)
            later = fingerprint.sequences(connection)
            stored = time.monotonic()
            step("fingerprint: counting and hashing every row of the same snapshot")
            tables = reading.tables(
                connection.engine, snapshot
            )  # both at once would slow each other
        steps = {
            "definitions": started - began,
            "dump": stored - started,
            "fingerprint": time.monotonic() - stored,
        }
        found = Fingerprint(
            tables=tables, sequences=before, schema_sha256=schema.sha256(definitions)
        )
        return Dumped(repository, saved, source, definitions, found, later, steps)

    def _store(
        self, snapshot: str, repositories: Sequence[Repository], tags: Sequence[str]
    ) -> tuple[Repository, Saved]:
        failed: list[BackupError] = []
        for repository in repositories:
            name = repository.target.name
            step(f"dump: storing it at {name}")
            try:
                with locks.shared(self.folder, name):
                    return repository, self._save(snapshot, repository, tags)
            except (TargetError, BusyError) as error:
                self.troubles[name] = str(error)
                failed.append(error)
        raise failed[0]

    def _save(self, snapshot: str, repository: Repository, tags: Sequence[str]) -> Saved:
        """Store what pg_dump writes, or raise a ProgramError with its words where it was its fault."""
        seen = [PATIENCE, f"--snapshot={snapshot}", "--dbname", programs.conninfo(self.url)]
        command = ["pg_dump", *OPTIONS, *seen]
        with tempfile.NamedTemporaryFile() as errors:
            told = [*ERRORS_TO_FILE, errors.name, *command]
            try:
                return repository.save_output(
                    told, NAME, tags, programs.environment(self.url.password)
                )
            except TargetError as error:
                if OURS not in str(error):
                    raise
                said = processes.last_words(Path(errors.name).read_bytes()) or str(error)
                message = f"pg_dump failed: {said}"
                raise programs.ProgramError(message) from error
