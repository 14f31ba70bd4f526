"""The verb that looks at each target: whether it can be used, and what lies there of what should."""

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.operator.answers import answer, code_of, verb
from backup.operator.listing import size
from backup.repository import locks, preflight
from backup.repository.errors import MissingError
from backup.repository.opening import opened
from backup.repository.restic import Repository
from backup.settings import Settings
from backup.watching.targets import missing_from
from common.settings import without_account

WAIT_SECONDS = 10.0  # for whoever prunes
HEADER = f"{'TARGET':<8}  {'SNAPSHOTS':>9}  {'SIZE':>9}  STATE"


@dataclass(frozen=True, slots=True)
class Look:
    """What one target looks like now; without figures where it can't be used. Its location names no account."""

    name: str
    location: str
    off_site: bool
    append_only: bool
    trouble: str | None = None
    code: int = os.EX_OK  # that the trouble ends with
    snapshots: int | None = None
    bytes: int | None = None
    missing: tuple[str, ...] = ()  # backups that the catalogue says are there


def add_to(verbs: Any) -> None:
    """Add the verb."""
    verb(verbs, "targets", show, "look at each target: can it be used, and what lies there")


def show(arguments: Namespace, settings: Settings) -> int:
    """Look at each target; one that is away hides no other."""
    folder = Folder(settings.backup_folder)
    with opened(settings) as repositories:
        looks = [look(folder, repository) for repository in repositories]
    answer(arguments, as_text(looks), [asdict(one) for one in looks])
    return max((one.code for one in looks), key=_gravity)


def look(folder: Folder, repository: Repository) -> Look:
    """Look at one target; where there is no repository yet, nothing has been stored there."""
    target = repository.target
    place = (target.name, without_account(target.location), target.off_site, target.append_only)
    try:
        preflight.check(repository)
        with locks.shared(folder, target.name, WAIT_SECONDS):
            there, taken = _content(repository)
        missing = missing_from(folder, target.name, there)
        if missing:
            text = f"{len(missing)} backups are not there any more: {', '.join(missing)}; take new ones"
            return Look(*place, text, os.EX_DATAERR, len(there), taken, missing)
        return Look(*place, snapshots=len(there), bytes=taken)
    except BackupError as error:
        return Look(*place, str(error), code_of(error))


def as_text(looks: Sequence[Look]) -> str:
    """Return a table, in the targets' order."""
    return "\n".join([HEADER, *map(_line, looks)])


def _content(repository: Repository) -> tuple[set[str], int]:
    try:
        return {snapshot.id for snapshot in repository.snapshots()}, repository.size()
    except MissingError:
        return set(), 0


def _gravity(code: int) -> int:
    """Return how bad it is: damage before absence, and whatever else before good."""
    order = [os.EX_OK, os.EX_TEMPFAIL, os.EX_UNAVAILABLE, os.EX_DATAERR]
    return order.index(code) if code in order else len(order)


def _line(one: Look) -> str:
    count = "-" if one.snapshots is None else str(one.snapshots)
    taken = "-" if one.bytes is None else size(one.bytes)
    state = one.trouble or ("good, append-only" if one.append_only else "good")
    return f"{one.name:<8}  {count:>9}  {taken:>9}  {state}"
