"""Having a repository alone, to let something go from it."""

from collections.abc import Iterator
from contextlib import contextmanager

from backup.catalogue.folder import Folder
from backup.repository import locks
from backup.repository.restic import Repository


@contextmanager
def alone(folder: Folder, repository: Repository) -> Iterator[None]:
    """Be the only one at work in a repository; a lock that is there then is one that a killed run has left."""
    with locks.exclusive(folder, repository.target.name):
        repository.unlock()
        yield
