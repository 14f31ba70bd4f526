"""What has to go from a target and is there still: its snapshots, for when somebody who may delete comes by.

We may only add to the target, or the snapshots are damaged.
"""

from collections.abc import Collection
from pathlib import Path

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import DamagedError


class Owed(Record):
    """The snapshots of backups that the catalogue knows no more."""

    snapshots: list[str]


def at(folder: Folder, target: str) -> list[str]:
    """Return the snapshots that should be gone from a target, and may be there still."""
    try:
        return manifest.read(Owed, _path(folder, target)).snapshots
    except (FileNotFoundError, DamagedError):
        return []


def note(folder: Folder, target: str, snapshots: Collection[str]) -> None:
    """Take note of snapshots that could not be deleted, or that are to be."""
    _write(folder, target, [*at(folder, target), *snapshots])


def settle(folder: Folder, target: str, gone: Collection[str]) -> None:
    """Take note that these are gone."""
    known = at(folder, target)
    if known:
        _write(folder, target, [one for one in known if one not in gone])


def _write(folder: Folder, target: str, snapshots: list[str]) -> None:
    if snapshots == at(folder, target):
        return
    _path(folder, target).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Owed(snapshots=list(dict.fromkeys(snapshots))), _path(folder, target))


def _path(folder: Folder, target: str) -> Path:
    return folder.catalogue / "owed" / f"{target}.json"
