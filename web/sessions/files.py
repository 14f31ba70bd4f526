"""Sessions in files, in a folder that several processes share; the mailer sweeps it (decision 5)."""

import os
import stat
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, ELOOP, ENOENT, ENXIO
from fcntl import LOCK_EX, flock
from pathlib import Path

import structlog

from web.sessions.store import Found, SessionStoreError

# The format is cachelib's: the mailer reads the moment from it, and knows these names.
EXPIRY = struct.Struct("I")  # seconds since 1970
UNFINISHED_SUFFIX = ".__wz_cache"
FILE_MODE = 0o660  # the mailer, in our group, reads when one expires, and moves it
# Whoever may write to the folder may leave a link or a pipe there: follow none, wait for none.
HARMLESS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NO_FILE_OF_OURS = {ELOOP: "a link", ENXIO: "a socket", EACCES: "not readable"}

log = structlog.get_logger(__name__)


class SessionFiles:
    """A file for each session: always whole, replaced and never changed, none evicted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        with suppress(OSError):  # /readyz and each request that needs a session say so
            self.folder.mkdir(parents=True, exist_ok=True)

    def read(self, key: str) -> Found | None:
        """Return what the file holds; None where there is none, or none that web has written."""
        with self._told():
            file = self._open(key)
            if file is None:
                return None
            try:
                return self._read(file, key)
            finally:
                os.close(file)

    def write(self, key: str, content: bytes, seconds: int, *, only_if_there: bool = False) -> bool:
        """Put the session's file in place; where it has to be there already, in one step."""
        with self._told():
            if not only_if_there:
                self._put(key, content, seconds)
                return True
            with held(self.folder / key) as there:
                if there is not None:
                    self._put(key, content, seconds)
                return there is not None

    def extend(self, key: str, seconds: int) -> bool:
        """Replace the file by one with the same content that is kept for longer."""
        with self._told(), held(self.folder / key) as there:
            if there is None:
                return False
            self._put(key, whole(there)[EXPIRY.size :], seconds)
            return True

    def delete(self, key: str) -> bool:
        """Remove the file; who still holds the session and waits to write it finds it gone."""
        path = self.folder / key
        with self._told(), held(path) as there:
            if there is not None:
                path.unlink()
            return there is not None

    def check(self) -> None:
        """Write a file that goes as it is closed."""
        with self._told(), tempfile.TemporaryFile(dir=self.folder) as file:
            file.write(b"ready?")

    def _open(self, key: str) -> int | None:
        try:
            return os.open(self.folder / key, HARMLESS)
        except OSError as error:
            if error.errno == ENOENT and self.folder.is_dir():
                return None
            if error.errno in NO_FILE_OF_OURS and os.access(self.folder, os.R_OK | os.X_OK):
                refuse(key, NO_FILE_OF_OURS[error.errno])
                return None
            raise

    def _read(self, file: int, key: str) -> Found | None:
        if problem := what_is_wrong_with(os.fstat(file)):
            refuse(key, problem)
            return None
        content = whole(file)
        (expires_at,) = EXPIRY.unpack_from(content)
        seconds_left = expires_at - time.time()
        return Found(content[EXPIRY.size :], seconds_left) if seconds_left > 0 else None

    def _put(self, key: str, content: bytes, seconds: int) -> None:
        descriptor, aside = tempfile.mkstemp(suffix=UNFINISHED_SUFFIX, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, FILE_MODE)  # before it is in place
                file.write(EXPIRY.pack(int(time.time()) + seconds) + content)
            os.replace(aside, self.folder / key)  # noqa: PTH105 tempfile gives a string
        except OSError:
            with suppress(OSError):
                os.unlink(aside)  # noqa: PTH108 likewise
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what the system says of the folder as what it means to web."""
        try:
            yield
        except OSError as error:
            message = f"the session folder {self.folder} cannot be used: {error.strerror}"
            raise SessionStoreError(message) from error


def what_is_wrong_with(status: os.stat_result) -> str | None:
    """Return why this is no file that web has written, or None."""
    if not stat.S_ISREG(status.st_mode):
        return "not a file"
    if status.st_uid != os.geteuid():  # others may write to the folder, but not sign in there
        return "another user's"
    return "cut short" if status.st_size < EXPIRY.size else None


@contextmanager
def held(path: Path) -> Iterator[int | None]:
    """Keep others from replacing or removing the session's file; None where there is none.

    The lock is on the file, and the file is replaced: who waited may hold one that is gone by now.
    """
    while True:
        try:
            file = os.open(path, HARMLESS)
        except FileNotFoundError:
            yield None
            return
        try:
            flock(file, LOCK_EX)
            if is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def is_at(path: Path, file: int) -> bool:
    """Return whether the open file is still the one with this name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def whole(file: int) -> bytes:
    """Return all that the open file holds."""
    with os.fdopen(file, "rb", closefd=False) as stream:
        return stream.read()


def refuse(key: str, reason: str) -> None:
    """Log that what has a session's name is no session of ours."""
    log.warning("not a session's file", file=key, reason=reason)
