"""What is received now, written down on the volume: into which stretch, and how far it had come for certain."""

from pathlib import Path

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import DamagedError

NOW = "receiving.json"


class Receiving(Record):
    """The stretch that is being received into, or was last."""

    system_id: str
    stretch: str


class Received(Record):
    """How far one cluster's log had come for certain, and in which stretch."""

    stretch: str
    lsn: str


def begin(folder: Folder, stretch: Path) -> None:
    """Write down that this stretch is being received into."""
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = Receiving(system_id=stretch.parent.name, stretch=stretch.name)
    manifest.write(begun, folder.state / NOW)


def now(folder: Folder) -> Receiving | None:
    """Return what is being received into; None where that is not known."""
    try:
        return manifest.read(Receiving, folder.state / NOW)
    except (FileNotFoundError, DamagedError):  # the next start of receiving writes it anew
        return None


def note(folder: Folder, stretch: Path, lsn: str) -> None:
    """Write down how far the log has come: a database that has less was put back."""
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Received(stretch=stretch.name, lsn=lsn), _path(folder, stretch.parent.name))


def lsn(folder: Folder, stretch: Path) -> str | None:
    """Return how far a stretch had come; None where that is not known."""
    try:
        known = manifest.read(Received, _path(folder, stretch.parent.name))
    except (FileNotFoundError, DamagedError):
        return None
    return known.lsn if known.stretch == stretch.name else None


def forget(folder: Folder, system_id: str) -> None:
    """Remove what is known of a former cluster."""
    _path(folder, system_id).unlink(missing_ok=True)


def _path(folder: Folder, system_id: str) -> Path:
    return folder.state / f"received-{system_id}.json"
