"""A new machine, an empty volume: what backups there are is learnt from a target."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backup import clock
from backup.catalogue import ahead, manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Manifest
from backup.errors import BackupError, RefusedError
from backup.repository import locks
from backup.repository.errors import TargetError
from backup.repository.restic import Repository, Snapshot
from backup.restoring.present import keep_what_is_there

TAG = "catalogue"


@dataclass(frozen=True, slots=True)
class Adopted:
    """The catalogue that is ours from now on: from where, and as of when."""

    target: str
    at: datetime
    backups: int
    bases: int
    latest: str | None


def adopt(
    repositories: Sequence[Repository], folder: Folder, tell: Callable[[str], None]
) -> Adopted:
    """Take over the newest catalogue that a target has; only for who has claimed the folder.

    Refuses where there is one: that of another machine would hide the backups of this one.
    """
    if folder.stored() or folder.bases():
        message = f"{folder.catalogue} knows of backups already; nothing was changed"
        raise RefusedError(message)
    repository, snapshot = _newest(repositories, clock.now(), tell)
    fetched = folder.stage / TAG
    shutil.rmtree(fetched, ignore_errors=True)
    try:
        fetched.mkdir(mode=0o700, parents=True)
        with locks.shared(folder, repository.target.name):
            repository.read_folder(snapshot.id, Path(snapshot.paths[0]), fetched)
        _require_readable(fetched)
        shutil.rmtree(folder.catalogue, ignore_errors=True)
        fetched.rename(folder.catalogue)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    keep_what_is_there(repositories, folder, tell)
    proven = folder.proven()
    return Adopted(
        target=repository.target.name,
        at=snapshot.time,
        backups=len(proven),
        bases=len(folder.bases()),
        latest=proven[-1].id if proven else None,
    )


def _newest(
    repositories: Sequence[Repository], now: datetime, tell: Callable[[str], None]
) -> tuple[Repository, Snapshot]:
    """Return the newest catalogue of all targets that can be asked; one from the future is not the newest."""
    found, troubles = [], []
    for repository in repositories:
        try:
            found += [(repository, snapshot) for snapshot in repository.snapshots(TAG)]
        except TargetError as error:
            troubles.append(error)
            tell(str(error))
    if found:
        by_now = [pair for pair in found if not ahead.is_ahead(pair[1].time, now)]
        return max(by_now or found, key=lambda pair: pair[1].time)
    if troubles:
        raise troubles[-1]
    asked = ", ".join(repository.target.name for repository in repositories)
    message = f"no catalogue is stored at {asked}; was a backup ever taken there?"
    raise BackupError(message)


def _require_readable(catalogue: Path) -> None:
    """Raise a DamagedError where a manifest is not what it should be."""
    for path in catalogue.glob("*.json"):
        if path.stem[:1].isdigit():  # others lie beside them
            manifest.read(Manifest, path)
    for path in (catalogue / "bases").glob("*.json"):
        manifest.read(Base, path)
