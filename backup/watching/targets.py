"""How each target does: whether it can be used, and what it takes day by day; kept beside the backups."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, Field

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import BackupError, BusyError, DamagedError
from backup.repository import locks, preflight
from backup.repository.errors import MissingError
from backup.repository.restic import Repository
from common.settings import without_account

GIGA = 1000**3
KEEP_SIZES = timedelta(days=400)
WAIT_SECONDS = 10.0  # for whoever prunes; what it takes is then known from the last time
SHOWN = 5
FILE = "targets.json"


class Seen(Record):
    """A target as it was when it was last looked at. Its location has no account in it."""

    name: str
    location: str
    off_site: bool
    seen_at: AwareDatetime
    trouble: str | None = None
    bytes: int | None = None
    sizes: dict[date, int] = Field(default_factory=dict)  # what it took, day by day


class Targets(Record):
    """All targets, in their order."""

    seen: list[Seen]


def look(folder: Folder, repositories: Iterable[Repository], now: datetime) -> list[Seen]:
    """Look at each target, and keep what is seen; one that is away hides no other."""
    before = {seen.name: seen for seen in known(folder)}
    found = [_look(folder, one, before.get(one.target.name), now) for one in repositories]
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Targets(seen=found), folder.state / FILE)
    return found


def known(folder: Folder) -> list[Seen]:
    """Return what was seen last."""
    try:
        return manifest.read(Targets, folder.state / FILE).seen
    except (FileNotFoundError, DamagedError):  # the next look writes it anew
        return []


def limit_of(gigabytes: int) -> int | None:
    """Return BACKUP_STORAGE_LIMIT_GB in bytes; None is no limit."""
    return gigabytes * GIGA or None


def _look(folder: Folder, repository: Repository, before: Seen | None, now: datetime) -> Seen:
    target = repository.target
    location = without_account(target.location)
    same = before if before and before.location == location else None
    size, trouble = _size(folder, repository, same)
    sizes = kept_sizes(same.sizes if same else {}, size, now.date())
    return Seen(
        name=target.name,
        location=location,
        off_site=target.off_site,
        seen_at=now,
        trouble=trouble,
        bytes=size,
        sizes=sizes,
    )


def _size(
    folder: Folder, repository: Repository, before: Seen | None
) -> tuple[int | None, str | None]:
    """Return what it takes, and why it can't be used; of one that is busy, what is known."""
    last = before.bytes if before else None
    name = repository.target.name
    try:
        preflight.check(repository)
        with locks.shared(folder, name, WAIT_SECONDS):
            return repository.size(), _lost(folder, repository, before)
    except BusyError:
        return last, None
    except MissingError as error:  # before the first backup there is none, and that is no trouble
        return last, str(error) if _has_copies(folder.stored(), name) else None
    except BackupError as error:
        return last, str(error)


def _lost(folder: Folder, repository: Repository, before: Seen | None) -> str | None:
    """Return which backups are not there any more: restic can't miss a snapshot that is gone altogether.

    A run that lets old ones go tells the catalogue last, so it counts only what is missing while none is at work.
    """
    if not _missing(folder, repository):
        return None
    try:
        with Folder(folder.path, turn_seconds=0).claimed():
            missing = _missing(folder, repository)
    except BusyError:
        return before.trouble if before else None
    if not missing:
        return None
    shown = ", ".join(missing[-SHOWN:])
    return (
        f"{len(missing)} backups are not there any more: {shown}; was its disk lost, or its address changed?"
        " `make backup` takes a new one; those that lie elsewhere can be restored from there"
    )


def _missing(folder: Folder, repository: Repository) -> tuple[str, ...]:
    there = {snapshot.id for snapshot in repository.snapshots()}
    return missing_from(folder, repository.target.name, there)


def missing_from(folder: Folder, target: str, there: Container[str]) -> tuple[str, ...]:
    """Return the backups that the catalogue says are at a target, and are not."""
    recorded = [(one.id, one.copies) for one in folder.stored()]
    recorded += [(one.id, one.copies) for one in folder.bases()]
    copies = [(backup, found[target].snapshot) for backup, found in recorded if target in found]
    return tuple(backup for backup, snapshot in copies if snapshot not in there)


def _has_copies(stored: Sequence[manifest.Manifest], name: str) -> bool:
    return any(name in record.copies for record in stored)


def kept_sizes(before: Mapping[date, int], size: int | None, today: date) -> dict[date, int]:
    """Return the sizes with today's, without those that are too old."""
    now = {**before, **({} if size is None else {today: size})}
    return {day: taken for day, taken in now.items() if today - day < KEEP_SIZES}
