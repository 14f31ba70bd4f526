"""Where each target was last: at another address, or in another repository, nothing lies of what was stored before."""

from collections.abc import Collection

import structlog
from pydantic import Field

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Manifest, Record
from backup.errors import DamagedError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.stream import points

log = structlog.get_logger(__name__)

FILE = "places.json"


class Places(Record):
    """The location of each target when it was last used, and its repository's own id."""

    places: dict[str, str]
    ids: dict[str, str] = Field(default_factory=dict)


def settle(folder: Folder, repository: Repository, *, made: bool) -> None:
    """Where a target begins anew, or is another one now, have it lack what is not there, so that it is copied again."""
    target, before = repository.target, _known(folder)
    after = _with(before, repository, made=made)
    if made or _is_another(before, after, target.name):
        there = set() if made else {snapshot.id for snapshot in repository.snapshots()}
        _forget(folder, target, there)
    if after != before:
        folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest.write(after, folder.state / FILE)


def _with(before: Places, repository: Repository, *, made: bool) -> Places:
    """Return the places with this one as it is now; of one just made the id is learnt when it is used next."""
    name = repository.target.name
    ids = {other: known for other, known in before.ids.items() if not (made and other == name)}
    if repository.id:
        ids[name] = repository.id
    return Places(places={**before.places, name: repository.target.location}, ids=ids)


def _is_another(before: Places, after: Places, name: str) -> bool:
    """Say whether a target has another address than before, or at the same one another repository."""
    moved = before.places.get(name, after.places[name]) != after.places[name]
    replaced = before.ids.get(name) not in {None, after.ids.get(name)}
    return moved or replaced


def _forget(folder: Folder, target: Target, there: Collection[str]) -> None:
    """Forget copies that are not there; of the last copy there is, the watch says that it is lost."""
    records: list[Manifest | Base] = [*folder.stored(), *folder.bases()]
    for record in records:
        left = {name: copy for name, copy in record.copies.items() if name != target.name}
        lost = target.name in record.copies and record.copies[target.name].snapshot not in there
        if lost and left:
            folder.save(record.model_copy(update={"copies": left}))
            log.warning("a copy is not there any more", backup=record.id, target=target.name)
    marks = points.shipped(folder, target.name).marks
    kept = [mark for mark in marks if mark.snapshot in there]
    if kept != marks:
        points.write(folder, target.name, kept)


def _known(folder: Folder) -> Places:
    try:
        return manifest.read(Places, folder.state / FILE)
    except (FileNotFoundError, DamagedError):
        return Places(places={})
