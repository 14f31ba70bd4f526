"""The repositories of all targets, ready to be worked with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup.catalogue.folder import Folder
from backup.repository import credentials, preflight, targets
from backup.repository.restic import Repository
from backup.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[list[Repository]]:
    """Yield the repository of each target, in order; nothing is asked of any server yet.

    What must be in a file to get in is in a private folder of memory, gone at the end.
    """
    cache = Folder(settings.backup_folder).cache
    key = settings.backup_repository_key.get_secret_value()
    with tempfile.TemporaryDirectory(prefix="keelson-keys-") as keys:  # mode 0700
        yield [
            Repository(credentials.given(target, settings, Path(keys)), key, cache)
            for target in targets.parse(settings.backup_targets, str(settings.backup_folder))
        ]


def ready(repository: Repository, like: Repository | None = None, room: int = 0) -> bool:
    """Be sure that a repository can be used: create it where there is none, or raise a TargetError.

    Returns whether it was created. `like` is the one that copies will come from, which has to be there, `room`
    how many bytes are needed.
    """
    preflight.check(repository, room)
    if repository.exists():
        return False
    repository.create(None if like is repository else like)
    return True
