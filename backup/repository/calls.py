"""One call of restic, watched: it has an end, whatever happens to the disk or the network.

restic waits for ever where the disk is full, and retries a lost connection for a quarter of an hour. So each
call has a limit; it is ended once nothing has moved for a while, or as soon as it complains of a full disk.
Whether something moves: while it stores, by what it says is done, as what it sends again and again would count
otherwise; else by how much it has read and written.
"""

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from backup import processes

LOOK_SECONDS = 0.5
MOVED_BYTES = 65536  # fewer are it telling how far it is, or the line kept open
FULL = (b"no space left on device", b"disk quota exceeded", b"insufficient storage")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended: its exit code, what it wrote to standard error, and why we ended it, if we did."""

    code: int
    said: bytes
    ended_for: str = ""

    @property
    def full(self) -> bool:
        """Return whether it found no room."""
        return _is_full(self.said)


class Call:
    """A running restic. Read its lines, or wait for it; then ask how it ended."""

    def __init__(
        self, process: subprocess.Popen[bytes], errors: IO[bytes], longest: float, still: float
    ) -> None:
        self._process = process
        self._errors = errors
        self._longest = longest
        self._still = still
        self._began = self._moved = time.monotonic()
        self._bytes = 0
        self._ended_for = ""

    def moved(self) -> None:
        """Take note that data has moved."""
        self._moved = time.monotonic()

    def lines(self) -> Iterator[bytes]:
        """Yield what it writes, line by line, until its end, or until it has to be ended."""
        rest, out = b"", self._process.stdout
        assert out is not None  # noqa: S101 who asks for lines has asked for a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while not self._to_be_ended():
                if not selector.select(LOOK_SECONDS):
                    continue
                piece = os.read(out.fileno(), 65536)
                if not piece:
                    return
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole

    def wait(self) -> None:
        """Return at its end, or once it had to be ended."""
        while not self._to_be_ended():
            now = processes.bytes_moved(self._process.pid)
            if now - self._bytes >= MOVED_BYTES:
                self._bytes = now
                self.moved()
            try:
                self._process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def ended(self) -> Ended:
        """Return how it ended; one that is not needed any more is ended for it."""
        if self._ended_for:
            processes.end_group(self._process)
        code = self._process.wait()
        return Ended(code, self._said(), self._ended_for)

    def _to_be_ended(self) -> bool:
        now = time.monotonic()
        if now - self._began > self._longest:
            self._ended_for = f"it was not done after {self._longest:.0f} s, and was ended"
        elif now - self._moved > self._still:
            self._ended_for = f"nothing had moved for {self._still:.0f} s, so it was ended"
        elif _is_full(self._said()):
            self._ended_for = "it found no room, and was ended before it tries again and again"
        return bool(self._ended_for)

    def _said(self) -> bytes:
        """Return what is in the file by now; restic goes on writing at its end."""
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0)


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    longest: float,
    still: float,
) -> Iterator[Call]:
    """Start restic; it is ended, with all that it has started, at the end of the block."""
    with (
        tempfile.TemporaryFile() as errors,
        processes.started(
            command, stdout=output, stderr=errors, environment=environment
        ) as process,
    ):
        yield Call(process, errors, longest, still)


def _is_full(said: bytes) -> bool:
    lower = said.lower()
    return any(words in lower for words in FULL)
