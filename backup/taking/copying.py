"""The other targets: what the first one took is copied to each, and so is the catalogue."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from backup.catalogue import owed
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy, Manifest
from backup.errors import BackupError
from backup.repository import locks
from backup.repository.errors import FullError, TargetError
from backup.repository.opening import ready
from backup.repository.restic import Repository
from backup.steps import step
from backup.taking import cataloguing, places

log = structlog.get_logger(__name__)

REPAIRED = "repaired"  # restic's tag of what `repair snapshots` has left of one


@dataclass(frozen=True, slots=True)
class Copier:
    """Brings what is stored to every target; what goes wrong with one is told to `troubles`."""

    folder: Folder
    repositories: Sequence[Repository]
    troubles: dict[str, str] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)  # the targets without room

    def usable(self, *, also_full: bool = False) -> list[Repository]:
        """Return the repositories that can be used, made where there was none yet.

        A full one can still let something go, where that is all that is wanted.
        """
        found: list[Repository] = []
        for repository in self.repositories:
            with self.excused(repository):
                try:
                    made = ready(repository, found[0] if found else None)
                except FullError:
                    if not (also_full and repository.exists()):
                        raise
                else:
                    places.settle(self.folder, repository, made=made)
                found.append(repository)
        return found

    def excused(self, repository: Repository) -> "Excused":
        """Let the block fail for this target alone."""
        return Excused(repository.target.name, self.troubles, self.full)

    def missing(self, past: Collection[str] = ()) -> list[tuple[Manifest, Repository]]:
        """Return which backups are not where they should be, newest first, but for those past their time."""
        return [
            (manifest, repository)
            for manifest in reversed(self.folder.stored())
            for repository in self.repositories
            if manifest.copies
            and repository.target.name not in manifest.copies
            and manifest.id not in past
        ]

    def copy(self, usable: Sequence[Repository], now: datetime, past: Collection[str] = ()) -> int:
        """Copy each backup to where it is missing; return how many copies were made."""
        there = {repository.target.name for repository in usable}
        made = 0
        for manifest, repository in self.missing(past):
            if repository.target.name in there and repository.target.name not in self.troubles:
                with self.excused(repository):
                    self._copy(manifest.id, repository, usable, now)
                    made += 1
        return made

    def _copy(
        self, backup_id: str, repository: Repository, usable: Sequence[Repository], now: datetime
    ) -> None:
        began, name = time.monotonic(), repository.target.name
        manifest = self.folder.find_stored(backup_id)  # as the copy before this one has left it
        source = next((r for r in usable if r.target.name in manifest.copies), None)
        if source is None:
            message = f"none of the targets that have the backup {backup_id} can be used"
            raise BackupError(message)
        step(f"copy: the backup {backup_id} to {name}")
        with (
            locks.shared(self.folder, source.target.name),
            locks.shared(self.folder, name),
        ):
            repository.copy_from(source, [manifest.copies[source.target.name].snapshot])
            snapshot = self._copied(repository, backup_id)
        copies = {**manifest.copies, name: Copy(snapshot=snapshot, stored_at=now)}
        steps = {**manifest.steps, f"copy to {name}": time.monotonic() - began}
        self.folder.save(manifest.model_copy(update={"copies": copies, "steps": steps}))
        log.info("backup copied", backup=backup_id, target=name)

    def _copied(self, repository: Repository, backup_id: str) -> str:
        """Return the snapshot that a copy has come to; not one that is damaged, and is to go."""
        name = repository.target.name
        damaged = owed.at(self.folder, name)
        found = [
            one.id
            for one in repository.snapshots(f"run:{backup_id}")
            if one.id not in damaged and REPAIRED not in one.tags
        ]
        if not found:
            message = (
                f"target {name}: its copy of the backup {backup_id} is damaged, and is made anew once it is gone"
                " from there, with the next retention; mend the repository before"
            )
            raise TargetError(message)
        return found[0]

    def save_catalogue(self, usable: Sequence[Repository]) -> None:
        """Store the catalogue at each target, so that one of them is enough to begin anew."""
        step("catalogue: storing it at each target")
        for repository in usable:
            with self.excused(repository):
                cataloguing.save(self.folder, repository)


class Excused:
    """A block whose failure concerns one target: noted, logged, and the others go on."""

    def __init__(self, name: str, troubles: dict[str, str], full: set[str]) -> None:
        self._name = name
        self._troubles = troubles
        self._full = full

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Excuse a BackupError, and nothing else."""
        if not isinstance(error, BackupError):
            return False
        self._troubles[self._name] = str(error)
        if isinstance(error, FullError):
            self._full.add(self._name)
        log.warning("a target is left out", target=self._name, reason=str(error))
        step(f"{self._name} is left out: {error}", ok=False)
        return True
