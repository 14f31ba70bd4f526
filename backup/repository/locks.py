"""Who may do what in a repository at the same time: locks that end with their process, however that ends.

restic has locks of its own, but one that was killed leaves them behind. So whoever stores, copies or reads
shares the repository, and who forgets, prunes or removes left locks has it alone.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from backup.catalogue.folder import Folder
from backup.errors import BusyError

WAIT_SECONDS = 300.0
POLL_SECONDS = 0.2


@contextmanager
def shared(folder: Folder, target: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Use a repository beside others; wait while somebody has it alone, then raise a BusyError."""
    with _held(folder, target, fcntl.LOCK_SH, wait_seconds):
        yield


@contextmanager
def exclusive(folder: Folder, target: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Have a repository alone, never from within `shared`; wait for others, then raise a BusyError."""
    with _held(folder, target, fcntl.LOCK_EX, wait_seconds):
        yield


@contextmanager
def _held(folder: Folder, target: str, kind: int, wait_seconds: float) -> Iterator[None]:
    folder.locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder.locks / f"target-{target}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor, target, kind, wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, target: str, kind: int, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while not _locked(descriptor, kind):
        if time.monotonic() >= deadline:
            message = f"target {target}: another run is at work in it for {wait_seconds:.0f} s already; try again later"
            raise BusyError(message)
        time.sleep(POLL_SECONDS)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
