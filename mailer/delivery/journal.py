"""What we were just doing, for whoever comes after us: outlives the process, not the machine's power.

Without it, nobody could tell a mail that was never begun from one that may have arrived.
"""

import contextlib
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from threading import Lock

import structlog

log = structlog.get_logger(__name__)

LONGEST_FILE = 4 * 2**20  # bytes; then what is settled is left out


class Fate(Enum):
    """How far a mail had come."""

    CLAIMED = b"C"
    STARTED = b"S"  # in the hands of a sender
    ENDING = b"D"  # the dot that ends it may have been sent
    ACCEPTED = b"A"
    REFUSED = b"R"


class Journal:
    """The steps of one mailer's mails, a line each, in `folder`/`number`.journal.

    Where it can't be written, mail goes all the same: then a crash may send a mail twice.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._path = path_of(folder, number)
        self._lock = Lock()
        self._current: dict[int, bytes] = {}
        self._written = 0
        self._retired = self._keep = False
        self._file: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open_for_appending(self._path)
        except OSError as error:
            self._do_without(error)

    def note(self, fate: Fate, *ids: int) -> None:
        """Record that these mails have come so far; one write, so that a line is there or not."""
        with self._lock:
            self._append(fate, *ids)

    def forget(self, mail: int) -> None:
        """Leave it out from now on: the database knows of it."""
        with self._lock:
            self._current.pop(mail, None)
            self._close_if_over()

    def give_back(self, mail: int) -> None:
        """Record that a mail that was begun is not, after all, unless its end was near."""
        with self._lock:
            if self._current.get(mail, b"").startswith(Fate.STARTED.value):
                self._append(Fate.CLAIMED, mail)

    def retire(self, *, keep: bool) -> None:
        """Put it away as soon as nothing of it is in hand; `keep` it where others may take that up."""
        with self._lock:
            self._retired, self._keep = True, keep
            self._close_if_over()

    def _append(self, fate: Fate, *ids: int) -> None:
        lines = {number: b"%s %d\n" % (fate.value, number) for number in ids}
        self._current.update(lines)
        if self._file is None:
            return
        try:
            self._written += write_whole(self._file, b"".join(lines.values()))
            if self._written > LONGEST_FILE:
                self._begin_anew()
        except OSError as error:
            self._do_without(error)

    def _close_if_over(self) -> None:
        if self._retired and not self._current and self._file is not None:
            os.close(self._file)
            self._file = None
            if not self._keep:
                self._path.unlink(missing_ok=True)

    def _begin_anew(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        file = open_for_appending(fresh)
        try:
            self._written = write_whole(file, b"".join(self._current.values()))
            fresh.replace(self._path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            raise
        if self._file is not None:
            os.close(self._file)
        self._file = file

    def _do_without(self, error: OSError) -> None:
        log.error(
            "cannot write the journal; a crash may send mail twice",
            path=str(self._path),
            reason=str(error),
        )
        if self._file is not None:
            os.close(self._file)
            self._file = None
            with contextlib.suppress(OSError):  # what it said of some mail is not true any more
                self._path.unlink(missing_ok=True)


def write_whole(file: int, lines: bytes) -> int:
    """Write in one go and return how many bytes; raises OSError where that is not all of them."""
    written = os.write(file, lines)
    if written < len(lines):
        message = f"only {written} of {len(lines)} bytes could be written; is the disk full?"
        raise OSError(message)
    return written


def open_for_appending(path: Path) -> int:
    """Return the descriptor of a file that only we and our successors may read."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def path_of(folder: Path, number: int) -> Path:
    """Return where a mailer's journal is."""
    return folder / f"{number}.journal"


def fates(folder: Path, number: int) -> dict[int, Fate] | None:
    """Return how far each mail had come with a mailer that is gone; None without its journal."""
    try:
        written = path_of(folder, number).read_bytes()
    except OSError:
        return None
    found: dict[int, Fate] = {}
    for line in written.split(b"\n")[:-1]:  # what has no end may be half a line, of another mail
        fate, _, mail = line.partition(b" ")
        with contextlib.suppress(ValueError):
            found[int(mail)] = Fate(fate)
    return found


def journals_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the number of each mailer that has a journal there, and the journal."""
    for path in folder.glob("*.journal"):
        if path.stem.isdecimal():
            yield int(path.stem), path
