"""The ends of stretches that are received no more: each is shipped once more, and only then may its files go.

What came in after the last shipment lies at no target yet, and the database has acknowledged it.
"""

from collections.abc import Iterable
from pathlib import Path

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import DamagedError


class Tails(Record):
    """What one target has been given to its end: by stretch, the newest file and when it was written."""

    shipped: dict[str, str]


def owed(folder: Folder, target: str, current: str | None = None) -> list[Path]:
    """Return the stretches that a target has a base of, and not their end, oldest first; but for the current one."""
    known = _known(folder, target)
    based = {base.stretch for base in folder.bases() if target in base.copies} - {current}
    there = [stretch for stretch in folder.log.glob("[0-9]*/[0-9]*") if stretch.name in based]
    lacking = [stretch for stretch in there if known.get(stretch.name) != tip(stretch)]
    return sorted(lacking, key=lambda stretch: stretch.name)


def owed_to_any(folder: Folder, targets: Iterable[str]) -> set[Path]:
    """Return the stretches whose files have to stay, as some of the targets lacks the end."""
    return {stretch for target in targets for stretch in owed(folder, target)}


def tip(stretch: Path) -> str:
    """Return how far a stretch has come on the disk: one that is gone on with later has another tip."""
    newest = max(stretch.iterdir(), default=None)
    return f"{newest.name} {newest.stat().st_mtime_ns}" if newest else ""


def note(folder: Folder, target: str, stretch: Path, shipped: str) -> None:
    """Write down what a target was given; forget stretches that are gone."""
    there = {path.name for path in folder.log.glob("[0-9]*/[0-9]*")}
    kept = {name: known for name, known in _known(folder, target).items() if name in there}
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Tails(shipped={**kept, stretch.name: shipped}), _path(folder, target))


def _known(folder: Folder, target: str) -> dict[str, str]:
    try:
        return manifest.read(Tails, _path(folder, target)).shipped
    except (FileNotFoundError, DamagedError):  # then they are shipped once more
        return {}


def _path(folder: Folder, target: str) -> Path:
    return folder.state / f"tails-{target}.json"
