"""The history's files, packed now and then: each backup adds a handful, and git would keep each as it is."""

from datetime import datetime, timedelta

import structlog
from pydantic import AwareDatetime

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import BackupError, DamagedError
from backup.history import commits
from backup.history.git import Git

log = structlog.get_logger(__name__)

FILE = "history-packed.json"
EVERY = timedelta(days=30)
LONGEST_SECONDS = 600


class Packed(Record):
    """When that was tried last."""

    at: AwareDatetime


def pack(folder: Folder, now: datetime) -> None:
    """Pack it if a month has gone by; what fails is logged, and tried again in a month: nothing depends on it."""
    if not folder.history.exists() or not _is_due(folder, now):
        return
    git = Git(folder.history)
    if commits.head(git) is None:
        return
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Packed(at=now), folder.state / FILE)
    try:
        git.run("gc", "--quiet", seconds=LONGEST_SECONDS)
    except BackupError as error:
        log.warning("the history is not packed", reason=str(error))


def _is_due(folder: Folder, now: datetime) -> bool:
    try:
        last = manifest.read(Packed, folder.state / FILE).at
    except (FileNotFoundError, DamagedError):
        return True
    return not timedelta() <= now - last < EVERY
