"""The proof of a backup: read from a repository, restored with owners, grants and all, and compared."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Fingerprint, Manifest
from backup.content import fingerprint, reading, schema
from backup.errors import BackupError, DamagedError
from backup.postgres import programs, scratch
from backup.repository import locks
from backup.repository.restic import Repository
from backup.steps import step
from backup.taking import room
from backup.taking.dumping import NAME

SHOWN = 5
JOBS = 2


@contextmanager
def fetched(repository: Repository, manifest: Manifest, folder: Folder) -> Iterator[Path]:
    """Have the dump as a file, every byte of it checked against the repository's keys."""
    name = repository.target.name
    if name not in manifest.copies:
        message = (
            f"the backup {manifest.id} is not at {name}; it is at {', '.join(manifest.copies)}"
        )
        raise BackupError(message)
    folder.stage.mkdir(mode=0o700, exist_ok=True)
    dump = folder.stage / f"{manifest.id}.dump"
    try:
        with locks.shared(folder, name):
            repository.read_file(manifest.copies[name].snapshot, f"/{NAME}", dump)
        yield dump
    finally:
        dump.unlink(missing_ok=True)


def load(dump: Path, url: URL, jobs: int = JOBS) -> None:
    """Restore a dump into an empty database; the first error ends it with a ProgramError."""
    target = ["--dbname", programs.conninfo(url), "--no-password", f"--jobs={jobs}"]
    programs.run("pg_restore", "--exit-on-error", *target, str(dump), password=url.password)


def require_equal(expected: Fingerprint, found: Fingerprint, what: str) -> None:
    """Raise a DamagedError that names what differs, if anything does."""
    different = fingerprint.differences(expected, found)
    if different:
        shown = "; ".join(different[:SHOWN])
        message = (
            f"{what} is not what was dumped: {shown} ({len(different)} differences); do not use it"
        )
        raise DamagedError(message)


def prove(
    manifest: Manifest, repository: Repository, folder: Folder
) -> tuple[Fingerprint, dict[str, float]]:
    """Return the content as restored, and the seconds of each step; a DamagedError if it is not equal.

    Any other BackupError says nothing about the backup, only that it could not be proven now.
    """
    room.require_for_proof(folder, manifest.bytes)
    began = time.monotonic()
    step(f"fetch: reading the backup {manifest.id} back from {repository.target.name}")
    with fetched(repository, manifest, folder) as dump:
        fetching = time.monotonic() - began
        expected, found, steps = _restored(dump, manifest, folder)
    expected = fingerprint.with_sequences_between(
        expected, manifest.later_sequences, found.sequences
    )
    where = f"the backup {manifest.id}, restored from {repository.target.name},"
    require_equal(expected, found, where)
    step("proven: what was restored is what was dumped")
    return found, {"fetch": fetching, **steps}


def proven(
    manifest: Manifest, found: Fingerprint, steps: dict[str, float], now: datetime
) -> Manifest:
    """Return the manifest of a backup that was proven just now."""
    changes: dict[str, object] = {
        "state": "proven",
        "verified_at": now,
        "finished_at": now if manifest.state == "stored" else manifest.finished_at,
        "fingerprint": found,
        "later_sequences": {},
        "steps": {**manifest.steps, **steps} if manifest.state == "stored" else manifest.steps,
    }
    return manifest.model_copy(update=changes)


def _restored(
    dump: Path, manifest: Manifest, folder: Folder
) -> tuple[Fingerprint, Fingerprint, dict[str, float]]:
    """Return what is expected, what is found, and how long it took."""
    began = time.monotonic()
    with _server(manifest.origin.roles, folder) as url:
        ready = time.monotonic()
        step("restore: into a PostgreSQL server of its own")
        load(dump, url)
        loaded = time.monotonic()
        step("compare: counting and hashing every row that was restored")
        found = _content(url)
        expected = manifest.fingerprint
        source = folder.definitions(manifest)
        if found.schema_sha256 != expected.schema_sha256 and source.exists():
            reloaded = schema.sha256(schema.reloaded(url, source))
            expected = expected.model_copy(update={"schema_sha256": reloaded})
        compared = time.monotonic()
    steps = {"scratch": ready - began, "restore": loaded - ready, "compare": compared - loaded}
    return expected, found, steps


def _content(url: URL) -> Fingerprint:
    return reading.read(scratch.open_engine(url), schema.sha256(schema.read(url)))


@contextmanager
def _server(roles: Sequence[str], folder: Folder) -> Iterator[URL]:
    with scratch.server(folder.scratch) as url:
        with scratch.open_engine(url).connect() as connection:
            make_roles(connection, roles)
        yield url


def make_roles(connection: Connection, roles: Sequence[str]) -> None:
    """Create what owns the tables and is granted something; `postgres` is there already."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for role in roles:
        if role != "postgres":
            connection.exec_driver_sql(f"CREATE ROLE {quote(role)}")
    connection.commit()
