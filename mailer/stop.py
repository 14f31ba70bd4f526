"""Being told to stop, in a way that ends a wait beside a socket at once."""

import os
import select
from typing import Protocol


class Readable(Protocol):
    """Anything that `select` can wait for."""

    def fileno(self) -> int:
        """Return the file descriptor."""


class Stop:
    """Set once, from a signal handler; whoever waits on it wakes at once."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._set = False

    def set(self) -> None:
        """End all waits, now and later; safe to repeat, and in a signal handler."""
        if not self._set:
            self._set = True
            os.write(self._writer, b"!")

    def is_set(self) -> bool:
        """Say whether it is time to stop."""
        return self._set

    def wait(self, seconds: float, *others: Readable) -> None:
        """Return when told to stop, when one of the others has something, or after `seconds`."""
        poll = select.poll()  # not select, which knows no descriptor above 1023
        waited_for: list[int | Readable] = [self._reader, *others]
        for one in waited_for:
            poll.register(one, select.POLLIN)
        poll.poll(seconds * 1000)

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._reader)
        os.close(self._writer)
