"""One file of the session folder: looked at, and removed if it is of no more use."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailer.upkeep.expiry import (
    EXPIRY,
    SESSION_NAME,
    UNFINISHED_SUFFIX,
    Fate,
    fate_of_session,
    fate_of_unfinished,
)

TAKEN_SUFFIX = ".taken"
# Whoever may write to the folder may leave a link or a pipe there: follow none, wait for none.
HARMLESS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def settle(path: Path, now: float) -> Fate:
    """Remove a file of the folder if it is of no more use, and say why; a stranger's stays.

    An OSError says that it could not be settled; FileNotFoundError that others were faster.
    """
    if path.name.endswith(UNFINISHED_SUFFIX):
        return settle_unfinished(path, now)
    key, _, suffix = path.name.partition(".")
    if SESSION_NAME.fullmatch(key) and (not suffix or path.suffix == TAKEN_SUFFIX):
        return settle_session(path, path.with_name(key), now)
    return Fate.KEEP


def settle_unfinished(path: Path, now: float) -> Fate:
    """Remove what a killed writer has left: its name is random, so nobody writes there again."""
    fate = fate_of_unfinished(age_seconds(path, now))
    if fate is not Fate.KEEP:
        path.unlink()
    return fate


def settle_session(path: Path, session: Path, now: float) -> Fate:
    """Remove the file of an expired session; `session` is where web looks for it.

    A live one that is elsewhere was taken away by a mailer that was killed: it goes back.
    """
    with opened(path) as file:
        seen = os.fstat(file)
        fate = fate_of_session(os.read(file, EXPIRY.size), now - seen.st_mtime, now)
        if fate is not Fate.KEEP:  # while it is open: or its inode could be another file's by now
            return fate if remove(path, seen, session) else Fate.KEEP
        if path != session:
            give_back(path, session)
    return fate


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open the file for as long as the block lasts."""
    file = os.open(path, HARMLESS)
    try:
        yield file
    finally:
        os.close(file)


def remove(path: Path, seen: os.stat_result, session: Path) -> bool:
    """Remove the file that was seen at `path`, or return False: web has written another since.

    No call removes a name only if it still is a certain file's. So the file is taken to a name that
    is nobody else's, and looked at there. Web never changes a file, it replaces it: the same inode
    is the same session.
    """
    taken = path.rename(f"{session}.{secrets.token_hex(8)}{TAKEN_SUFFIX}")
    if os.path.samestat(seen, taken.lstat()):
        taken.unlink()
        return True
    give_back(taken, session)
    return False


def give_back(taken: Path, session: Path) -> None:
    """Put a session where web looks for it, unless web has written a newer one there."""
    with suppress(FileExistsError):
        session.hardlink_to(taken)  # unlike a rename, it replaces nothing
    taken.unlink()


def age_seconds(path: Path, now: float) -> float:
    """Return how long ago the file was written."""
    return now - path.lstat().st_mtime
