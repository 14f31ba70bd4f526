"""The base backup: the cluster's files as they are, from which recovery begins."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import ahead
from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, id_of
from backup.errors import BackupError, BusyError
from backup.postgres import programs
from backup.repository import locks
from backup.repository.answers import Saved
from backup.repository.errors import TargetError
from backup.repository.opening import ready
from backup.repository.restic import Repository
from backup.steps import step
from backup.stream import room, slot, stretches
from common.database import reason_of

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
# Of templates too, as far as we may connect to them; only then may we know their size.
DATABASES = text("""
    SELECT coalesce(sum(pg_database_size(oid)), 0)::bigint
      FROM pg_database
     WHERE has_database_privilege(oid, 'CONNECT')
""")
CLOCK = text("SELECT clock_timestamp()")
OPTIONS = ["--format=plain", "--wal-method=none", "--checkpoint=fast", "--no-password"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baser:
    """All that a base backup needs; each is one call of `take`, by who has claimed the folder."""

    engine: Engine
    url: URL
    folder: Folder
    repositories: Sequence[Repository]
    clock: Callable[[], datetime]
    steps: dict[str, float] = field(default_factory=dict)

    def take(self) -> Base:
        """Take one, check it, and store it at each target; raise a BackupError where none has it.

        It is complete only once the log up to its end was received and shipped: see `points.usable`.
        """
        stage = self.folder.stage / "base"
        try:
            return self._take(stage)
        except (SQLAlchemyError, OSError) as error:
            message = f"no base backup was taken: {reason_of(error)}; older ones are still there"
            raise BackupError(message) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def _take(self, stage: Path) -> Base:
        started_at = self.clock().replace(microsecond=0)  # as the id has it
        system_id, stretch = self._stretch()
        with self.engine.connect() as connection:
            room.require(self.folder, connection.scalars(DATABASES).one(), "a base backup")
        with self._step("copy"):
            self._copy(stage)
        with self.engine.connect() as connection:
            consistent_at = connection.scalars(CLOCK).one()
        with self._step("verify"):
            programs.run("pg_verifybackup", "--quiet", "--no-parse-wal", str(stage))
        if self._stretch() != (system_id, stretch):
            message = "the received log was broken meanwhile; take another base backup"
            raise BackupError(message)
        base_id = id_of(started_at)
        Begun(self.folder).note(base_id)
        saved, copies = self._store(stage, base_id)
        base = Base(
            id=base_id,
            started_at=started_at,
            consistent_at=consistent_at,
            system_id=system_id,
            stretch=stretch,
            first_segment=first_segment((stage / "backup_label").read_text(encoding="utf-8")),
            bytes=saved.bytes,
            bytes_stored=saved.bytes_stored,
            steps=self.steps,
            copies=copies,
        )
        self.folder.save(base)
        Begun(self.folder).settle(base_id)
        log.info("base backup stored", base=base.id, bytes=base.bytes, targets=sorted(copies))
        return base

    def _stretch(self) -> tuple[str, str]:
        """Return the cluster, and the stretch of its log that the base will go with."""
        with self.engine.connect() as connection:
            system_id = str(connection.scalars(slot.SYSTEM).one())
        newest = stretches.newest(self.folder, system_id)
        if newest is None:
            message = "the log that a base needs was never received here; is the worker running?"
            raise BackupError(message)
        return system_id, newest.name

    def _copy(self, stage: Path) -> None:
        shutil.rmtree(stage, ignore_errors=True)
        stage.parent.mkdir(mode=0o700, exist_ok=True)
        source = ["--dbname", programs.conninfo(self.url, application_name="keelson_base")]
        programs.run(
            *["pg_basebackup", *OPTIONS, "--manifest-checksums=SHA256", *source],
            *["--pgdata", str(stage)],
            password=self.url.password,
        )

    def _store(self, stage: Path, base_id: str) -> tuple[Saved, dict[str, Copy]]:
        """Store it at each target; one that fails does not stop the others."""
        saved: Saved | None = None
        like: Repository | None = None
        copies, failures = {}, []
        for repository in self.repositories:
            name = repository.target.name
            try:
                with self._step(f"store:{name}"), locks.shared(self.folder, name):
                    ready(repository, like)
                    done = repository.save_folder(stage, ["base", f"run:{base_id}"])
            except (TargetError, BusyError) as error:
                log.warning("a target has no base backup", target=name, reason=str(error))
                failures.append(str(error))
                continue
            saved, like = saved or done, like or repository
            copies[name] = Copy(snapshot=done.snapshot, stored_at=self.clock())
        if saved is None:
            message = f"no target took the base backup: {'; '.join(failures)}"
            raise TargetError(message)
        return saved, copies

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        step(f"base backup: {name}")
        yield
        self.steps[name] = round(time.monotonic() - began, 3)


def first_segment(label: str) -> str:
    """Return where recovery begins, from the file that every base has: START WAL LOCATION: 0/28 (file NAME)."""
    _, _, rest = label.partition("START WAL LOCATION: ")
    return rest.partition("(file ")[2].partition(")")[0]


def due(bases: Sequence[Base], stretch: str | None, now: datetime) -> bool:
    """Say whether to take one now: none goes with the stretch that is being received, or it is a day old."""
    if stretch is None:
        return False
    begun = ahead.without(bases, now)
    started = [base.started_at for base in begun if base.stretch == stretch]
    return not started or now - max(started) >= EVERY
