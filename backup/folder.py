"""The folder with the backups: `<id>.dump` is the content, `<id>.json` makes it count."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from backup.errors import BackupError, BusyError, DamagedError
from backup.files import PARTIAL, sha256_of
from backup.manifest import Manifest
from common.settings import ConfigError

log = structlog.get_logger(__name__)

TURN_SECONDS = 60  # a run by hand and the worker's own may meet; a small one is soon over
POLL_SECONDS = 0.2


class Folder:
    """What is kept on the volume. Several processes may read it; one at a time may change it."""

    def __init__(self, path: Path, turn_seconds: float = TURN_SECONDS) -> None:
        self.path = path
        self._turn_seconds = turn_seconds
        self.scratch = path / ".scratch"

    def dump(self, backup_id: str) -> Path:
        """Return where the content of a backup is, or will be."""
        return self.path / f"{backup_id}.dump"

    def manifest(self, backup_id: str) -> Path:
        """Return where the manifest of a backup is, or will be."""
        return self.path / f"{backup_id}.json"

    def proven(self) -> list[Manifest]:
        """Return the backups that count, oldest first; a damaged manifest counts for nothing."""
        return [found for path in sorted(self.path.glob("*.json")) if (found := _readable(path))]

    def find(self, backup_id: str | None) -> Manifest:
        """Return this backup, or the newest; raise a BackupError that says what there is."""
        proven = self.proven()
        wanted = [m for m in proven if backup_id in {None, m.id}]
        if not wanted:
            known = ", ".join(manifest.id for manifest in proven) or "none yet"
            message = (
                f"there is no proven backup {backup_id or ''} in {self.path}; there are: {known}"
            )
            raise BackupError(message)
        return wanted[-1]

    def check(self, manifest: Manifest) -> None:
        """Raise a DamagedError where the dump is not, byte for byte, what was proven."""
        path = self.dump(manifest.id)
        if not path.is_file():
            message = f"the dump {path} is gone, only its manifest is left; use another backup"
            raise DamagedError(message)
        if sha256_of(path) != manifest.sha256:
            message = (
                f"the dump {path} has changed since it was proven (SHA-256); use another backup"
            )
            raise DamagedError(message)

    def require_absent(self, backup_id: str) -> None:
        """Raise a BackupError where a backup of that name is kept: it is not to be touched."""
        if self.manifest(backup_id).exists():
            message = f"there is a backup {backup_id} already; was the clock set back?"
            raise BackupError(message)

    def remove(self, backup_id: str) -> None:
        """Delete a backup, the manifest first, without which the rest does not count."""
        self.manifest(backup_id).unlink(missing_ok=True)
        self.dump(backup_id).unlink(missing_ok=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Be the only one at work in here; wait for another one a while, then raise BusyError."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._turn_seconds
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                message = f"a backup, verification or restore is at work in {self.path}; try later"
                raise BusyError(message)
            time.sleep(POLL_SECONDS)

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
        shutil.rmtree(self.scratch, ignore_errors=True)
        unproven = [d for d in self.path.glob("*.dump") if not d.with_suffix(".json").exists()]
        for left in [*self.path.glob(PARTIAL), *unproven]:
            left.unlink(missing_ok=True)
            log.warning("removed what an unfinished run left", file=left.name)


def _locked(descriptor: int) -> bool:
    """Take the lock if it is free; it ends with its process, however that ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _readable(path: Path) -> Manifest | None:
    try:
        return Manifest.read(path)
    except FileNotFoundError:  # pruned by another process since it was listed
        return None
    except DamagedError as error:
        log.error("a backup does not count", reason=str(error))  # noqa: TRY400 the reason says all
        return None
