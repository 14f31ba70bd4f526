"""What of an adopted catalogue is really there: a new machine has other targets than the lost one, or emptier ones.

And what is there since: each target has the log of minutes ago, and a catalogue of up to an hour ago.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, Manifest
from backup.repository.errors import MissingError, TargetError
from backup.repository.restic import Repository, Snapshot
from backup.stream import points, tags


def keep_what_is_there(
    repositories: Sequence[Repository], folder: Folder, tell: Callable[[str], None]
) -> None:
    """Forget copies, and what was shipped of the log, that no target of ours has; learn what log it has since.

    A target that can't be asked is believed: it may be back when it is needed.
    """
    there = {repository.target.name: _snapshots(repository, tell) for repository in repositories}
    ids = {name: None if found is None else {s.id for s in found} for name, found in there.items()}
    records: list[Manifest | Base] = [*folder.stored(), *folder.bases()]
    for record in records:
        copies = {name: copy for name, copy in record.copies.items() if _has(ids, name, copy)}
        if not copies:
            folder.remove(record)
        elif copies.keys() != record.copies.keys():
            folder.save(record.model_copy(update={"copies": copies}))
    for path in list(folder.points.glob("*.json")):
        if path.stem not in there:
            path.unlink()
    for name, found in there.items():
        if found is not None:
            _keep_marks(folder, name, found)


def _keep_marks(folder: Folder, target: str, found: Sequence[Snapshot]) -> None:
    """Write down what a target has of the log: of stretches that a base is known of, as far as they reach."""
    ids = {snapshot.id for snapshot in found}
    based = {base.stretch for base in folder.bases() if target in base.copies}
    adopted = [mark for mark in points.shipped(folder, target).marks if mark.snapshot in ids]
    marks = tags.farthest([*adopted, *tags.marks(found)])
    points.write(folder, target, [mark for mark in marks if mark.stretch in based])


def _has(there: Mapping[str, Collection[str] | None], target: str, copy: Copy) -> bool:
    if target not in there:
        return False
    known = there[target]
    return known is None or copy.snapshot in known


def _snapshots(repository: Repository, tell: Callable[[str], None]) -> list[Snapshot] | None:
    """Return what a target has; None where it can't be asked."""
    try:
        return repository.snapshots()
    except MissingError:
        return []
    except TargetError as error:
        tell(str(error))
        return None
