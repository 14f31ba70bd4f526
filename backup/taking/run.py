"""One run: a dump of one snapshot, stored, restored, compared, and only then called proven."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import ahead
from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy, Fingerprint, Manifest, id_of
from backup.errors import BackupError, DamagedError, Interrupted
from backup.repository.errors import RepositoryDamagedError, TargetError
from backup.repository.restic import Repository
from backup.steps import step
from backup.taking import damage, proof, room
from backup.taking.alone import alone
from backup.taking.copying import Copier
from backup.taking.dumping import Dumped, Dumper
from backup.taking.reporting import Reporter

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What it takes to store a backup and to prove it."""

    folder: Folder
    copier: Copier
    dumper: Dumper
    reporter: Reporter
    record: Callable[[str, Manifest], None]  # the definitions, for whoever reads their history
    clock: Callable[[], datetime]

    def take(self, connection: Connection) -> Manifest:
        """Dump the database of this session, and prove the dump; again elsewhere where a target is damaged."""
        try:
            return self._take(connection)
        except RepositoryDamagedError as error:
            if not self._others():
                raise
            log.warning("a target is damaged, so the next one is dumped to", reason=str(error))
            return self.take(connection)

    def _others(self) -> list[Repository]:
        """Return the repositories that have not been in trouble so far."""
        troubles = self.copier.troubles
        return [one for one in self.copier.repositories if one.target.name not in troubles]

    def _take(self, connection: Connection) -> Manifest:
        started_at = self.clock().replace(microsecond=0)  # as the id has it
        backup_id = id_of(started_at)
        if self._has_manifest(backup_id):
            message = f"there is a backup {backup_id} already; wait a second"
            raise BackupError(message)
        step(f"the backup {backup_id} begins")
        self.reporter.begin(backup_id, started_at)
        with self.reporter.failures(backup_id):
            self._require_room(connection)
            usable = self._usable()
            with self._noted(backup_id, usable):
                tags = ["logical", f"run:{backup_id}"]
                dumped = self.dumper.dump(connection, usable, tags)
                manifest = self._store(backup_id, started_at, dumped)
            return self._prove(manifest, usable)

    def prove(self, manifest: Manifest) -> Manifest:
        """Prove what an earlier run has only stored."""
        with self.reporter.failures(manifest.id):
            return self._prove(manifest, self._usable())

    def _require_room(self, connection: Connection) -> None:
        """Raise a NoRoomError where what is dumped could not be proven, as far as the last dump tells."""
        for last in ahead.without(self.folder.stored(), self.clock())[-1:]:
            room.require_before_a_dump(self.folder, last.bytes, connection)

    def _usable(self) -> list[Repository]:
        usable = self.copier.usable()
        usable = [one for one in usable if one.target.name not in self.copier.troubles]
        if not usable:
            raise TargetError("; ".join(self.copier.troubles.values()))
        return usable

    def _store(self, backup_id: str, started_at: datetime, dumped: Dumped) -> Manifest:
        """Write the manifest, from which on the backup is stored."""
        now, name = self.clock(), dumped.repository.target.name
        manifest = Manifest(
            id=backup_id,
            state="stored",
            started_at=started_at,
            finished_at=now,
            bytes=dumped.saved.bytes,
            bytes_stored=dumped.saved.bytes_stored,
            steps=dumped.steps,
            copies={name: Copy(snapshot=dumped.saved.snapshot, stored_at=now)},
            origin=dumped.origin,
            fingerprint=dumped.fingerprint,
            later_sequences=dumped.later_sequences,
        )
        self.folder.catalogue.mkdir(mode=0o700, exist_ok=True)
        self.folder.definitions(manifest).write_text(dumped.definitions, encoding="utf-8")
        self.folder.save(manifest)
        log.info("backup stored", target=name, bytes=manifest.bytes, new=manifest.bytes_stored)
        self.reporter.keep(manifest)
        return manifest

    def _prove(self, manifest: Manifest, usable: Sequence[Repository]) -> Manifest:
        """Restore and compare; what was not dumped so is forgotten, anything else leaves it stored."""
        try:
            manifest, found, steps = self._restored(manifest, usable)
        except RepositoryDamagedError:  # it says nothing of what lies elsewhere
            raise
        except DamagedError:
            Begun(self.folder).note(manifest.id)
            self.folder.remove(manifest)
            self._forget(manifest.id, usable)
            raise
        proven = proof.proven(manifest, found, steps, self.clock())
        self.folder.save(proven)
        definitions = self.folder.definitions(proven)
        if definitions.exists():
            self.record(definitions.read_text(encoding="utf-8"), proven)
        seconds = (proven.finished_at - proven.started_at).total_seconds()
        log.info("backup proven", bytes=proven.bytes, rows=proven.rows, seconds=seconds)
        return proven

    def _restored(
        self, manifest: Manifest, usable: Sequence[Repository]
    ) -> tuple[Manifest, Fingerprint, dict[str, float]]:
        """Restore it from the first target that can hand it over; where one can't, it is not there any more."""
        damaged: RepositoryDamagedError | None = None
        for repository in usable:
            name = repository.target.name
            if name not in manifest.copies:
                continue
            try:
                return manifest, *proof.prove(manifest, repository, self.folder)
            except RepositoryDamagedError as error:
                damaged = error
                self.copier.troubles[name] = str(error)
                manifest = self._without(manifest, name)
        message = (
            f"the backup {manifest.id} is at {', '.join(manifest.copies)}, which can't be used now"
        )
        raise damaged or TargetError(message)

    def _without(self, manifest: Manifest, name: str) -> Manifest:
        """Have the backup at a target no more; one that is nowhere else was none."""
        rest = damage.without(manifest, name)
        if rest.copies:
            return damage.drop(self.folder, manifest, name)
        Begun(self.folder).note(manifest.id)
        self.folder.remove(manifest)
        return rest

    @contextmanager
    def _noted(self, backup_id: str, usable: Sequence[Repository]) -> Iterator[None]:
        """Have a note while something may be stored that no manifest knows; where it fails, forget that."""
        Begun(self.folder).note(backup_id)
        try:
            yield
        except (BackupError, SQLAlchemyError, OSError, Interrupted) as error:
            if self._has_manifest(backup_id):  # it is stored: only what came after that has failed
                Begun(self.folder).settle(backup_id)
            elif not isinstance(error, Interrupted):  # then there is no time: its note has it done
                self._forget(backup_id, usable)
            raise
        Begun(self.folder).settle(backup_id)

    def _has_manifest(self, backup_id: str) -> bool:
        return any(manifest.id == backup_id for manifest in self.folder.stored())

    def _forget(self, backup_id: str, usable: Sequence[Repository]) -> None:
        """Let go what a run has stored; where that fails, its note has the next clean-up do it."""
        try:
            for repository in usable:
                snapshots = [s.id for s in repository.snapshots(f"run:{backup_id}")]
                if snapshots and not repository.target.append_only:
                    with alone(self.folder, repository):
                        repository.forget(snapshots)
        except BackupError as error:
            log.warning("what the run has stored is forgotten later", reason=str(error))
            return
        Begun(self.folder).settle(backup_id)
