"""The volume of the backups: the catalogue of what there is, and room for what is being made of it."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from backup import clock
from backup.catalogue import ahead, files, manifest
from backup.catalogue.manifest import Base, Kind, Manifest, Use
from backup.errors import BackupError, BusyError, DamagedError
from common.settings import ConfigError

log = structlog.get_logger(__name__)

USE = "use.json"
TURN_SECONDS = 60  # a run by hand and the worker's own may meet; a small one is soon over
POLL_SECONDS = 0.2


class Folder:
    """The volume. Several processes may read it; one at a time may change what has no lock of its own."""

    def __init__(
        self,
        path: Path,
        turn_seconds: float = TURN_SECONDS,
        clock: Callable[[], datetime] = clock.now,
    ) -> None:
        self.path = path
        self._turn_seconds = turn_seconds
        self._clock = clock
        self.catalogue = path / "catalogue"  # the manifests: what there is
        self.bases_catalogue = self.catalogue / "bases"
        self.state = path / "state"  # how alerts, targets, drills and the remote stand
        self.points = self.catalogue / "points"  # by target: which instants can be restored
        self.gaps = self.catalogue / "gaps"  # where the log was broken
        self.drills = self.catalogue / "drills"  # what rehearsals came to
        self.log = path / "wal"  # the database's log as it is written, by the cluster's system id
        self.stage = path / ".stage"  # a base backup, or a fetched dump, while it is worked on
        self.scratch = path / ".scratch"  # a server of our own
        self.recovery = path / ".recovery"  # the cluster as of an instant
        self.cache = path / ".cache"  # restic's
        self.locks = path / ".locks"
        self.history = path / "history.git"

    def proven(self) -> list[Manifest]:
        """Return the backups that count, oldest first."""
        return [manifest for manifest in self.stored() if manifest.state == "proven"]

    def stored(self) -> list[Manifest]:
        """Return all that some repository has, proven or not yet, oldest first."""
        return _all(Manifest, self.catalogue)

    def bases(self) -> list[Base]:
        """Return the base backups, oldest first."""
        return _all(Base, self.bases_catalogue)

    def save(self, record: Manifest | Base) -> None:
        """Write a manifest, complete or not at all: from then on the backup is known."""
        path = self._path(record)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest.write(record, path)

    def remove(self, record: Manifest | Base) -> None:
        """Delete a manifest: what it was of does not count any more."""
        self._path(record).unlink(missing_ok=True)
        if isinstance(record, Manifest):
            self.definitions(record).unlink(missing_ok=True)

    def definitions(self, record: Manifest) -> Path:
        """Return where the source's definitions lie, as text: as long as the backup, to compare by."""
        return self.catalogue / f"{record.id}.sql"

    def _path(self, record: Manifest | Base) -> Path:
        folder = self.catalogue if isinstance(record, Manifest) else self.bases_catalogue
        return folder / f"{record.id}.json"

    def find(self, backup_id: str | None) -> Manifest:
        """Return this proven backup, or the newest; raise a BackupError that says what there is.

        One from the future is not the newest, unless there is no other.
        """
        proven = self.proven()
        wanted = [m for m in proven if backup_id in {None, m.id}]
        if not wanted:
            known = ", ".join(m.id for m in proven) or "none yet"
            message = f"there is no proven backup {backup_id or ''} in {self.catalogue}; there are: {known}"
            raise BackupError(message)
        return (ahead.without(wanted, self._clock()) or wanted)[-1]

    def find_stored(self, backup_id: str | None) -> Manifest:
        """Return this backup, proven or not; without an id the newest proven one."""
        named = [manifest for manifest in self.stored() if manifest.id == backup_id]
        return named[0] if named else self.find(backup_id)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Be the only one at work in here; wait for another one a while, then raise BusyError."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def is_claimed(self) -> bool:
        """Return whether somebody is at work in here now."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._turn_seconds
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                message = f"a backup, verification or restore is at work in {self.path}; try later"
                raise BusyError(message)
            time.sleep(POLL_SECONDS)

    def note_use(self) -> None:
        """Write down when the volume came into use, if nobody has; the clock may have been ahead then."""
        since, now = self.in_use_since(), self._clock()
        if since is not None and not ahead.is_ahead(since, now):
            return
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            manifest.write(Use(since=now), self.state / USE)
        except OSError as error:  # a full volume stops no worker
            log.warning("since when the volume is used can't be kept", reason=str(error))

    def in_use_since(self) -> datetime | None:
        """Return when the volume came into use; None where no worker has run yet."""
        try:
            return manifest.read(Use, self.state / USE).since
        except (FileNotFoundError, DamagedError):  # the worker's next start writes it anew
            return None

    def require_writable(self) -> None:
        """Raise a ConfigError where backups can't be written."""
        if not self.path.is_dir() or not os.access(self.path, os.W_OK | os.X_OK):
            message = (
                f"BACKUP_FOLDER: {self.path} is not a folder that user {os.getuid()} may write to;"
                " mount a volume there that this user owns"
            )
            raise ConfigError(message)

    def sweep(self) -> None:
        """Remove what a killed run left behind; only for who has claimed the folder."""
        for left in (self.scratch, self.stage, self.recovery):
            shutil.rmtree(left, ignore_errors=True)
        for folder in (self.catalogue, self.state):
            files.sweep(folder)


def _locked(descriptor: int) -> bool:
    """Take the lock if it is free; it ends with its process, however that ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _all(kind: type[Kind], folder: Path) -> list[Kind]:
    return [found for path in sorted(folder.glob("*.json")) if (found := _readable(kind, path))]


def _readable(kind: type[Kind], path: Path) -> Kind | None:
    """Return the manifest; a damaged one counts for nothing."""
    try:
        return manifest.read(kind, path)
    except FileNotFoundError:  # pruned by another process since it was listed
        return None
    except DamagedError as error:
        log.error("a backup does not count", reason=str(error))  # noqa: TRY400 the reason says all
        return None
