"""A nudge from one thread to another that waits beside a socket."""

import contextlib
import os


class Wake:
    """Set by any thread; a `select` that waits on it returns until it is cleared."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def set(self) -> None:
        """End the wait, or the next one."""
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Wait again from now on."""
        with contextlib.suppress(BlockingIOError):  # nothing was set
            os.eventfd_read(self._descriptor)
