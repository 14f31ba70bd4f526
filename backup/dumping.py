"""The dump, and what the very snapshot of it held."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from backup import fingerprint, origin, programs, sessions
from backup.files import complete_or_absent
from backup.manifest import Fingerprint, Origin

OPTIONS = ["--format=custom", "--compress=zstd:3", "--no-password"]
PATIENCE = f"--lock-wait-timeout={sessions.TABLE_SECONDS}s"


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was dumped: where it came from, its content, and the sequences once it was written."""

    origin: Origin
    fingerprint: Fingerprint
    later_sequences: dict[str, int]

    def expected(self, found: Fingerprint) -> Fingerprint:
        """Return what a good restore must equal, `found` being the one to judge."""
        return fingerprint.with_sequences_between(
            self.fingerprint, self.later_sequences, found.sequences
        )


def dump(connection: Connection, url: URL, target: Path) -> Dumped:
    """Write the dump of one snapshot, complete or not at all."""
    with sessions.snapshot(connection) as snapshot:
        content = fingerprint.read(connection)
        source = origin.read(connection)
        _run_pg_dump(url, snapshot, target)
        return Dumped(source, content, fingerprint.sequences(connection))


def _run_pg_dump(url: URL, snapshot: str, target: Path) -> None:
    database = ["--dbname", programs.conninfo(url)]
    with complete_or_absent(target) as out:
        programs.run(
            *["pg_dump", *OPTIONS, PATIENCE, f"--snapshot={snapshot}", *database],
            password=url.password,
            output=out,
        )
