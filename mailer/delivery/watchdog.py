"""Ends a process whose threads wait for ever: the engine starts another, which finds a new way.

A connection whose other end neither answers nor closes, with something between that acknowledges
every packet, holds up whoever waits on it, and no timeout of ours, of the driver or of TCP ends that.
"""

import os
import time
from collections.abc import Callable, Mapping
from threading import Thread

import structlog

from mailer.delivery import session
from mailer.stop import Stop

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
GRACE_SECONDS = 15.0  # after the lease: by then others have our mail


class Watchdog(Thread):
    """Watches until told to stop; `silent_seconds` tells of each thread how long it has done nothing."""

    def __init__(
        self,
        silent_seconds: Mapping[str, Callable[[], float]],
        stop: Stop,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._silent_seconds = silent_seconds
        self._stop = stop
        self._end = end

    def run(self) -> None:
        """Look at each thread once a second."""
        while not self._stop.is_set():
            self.look()
            self._stop.wait(LOOK_SECONDS)

    def look(self) -> None:
        """End the process if a thread has done nothing for longer than the database's timeouts allow."""
        longest = session.LEASE_SECONDS + GRACE_SECONDS
        for thread, silent_seconds in self._silent_seconds.items():
            seconds = silent_seconds()
            if seconds > longest:
                log.critical(
                    "waits for ever; ending, to be replaced", thread=thread, seconds=round(seconds)
                )
                self._end(os.EX_SOFTWARE)


class Rounds:
    """How long ago a thread came round; a thread that has nothing to do says so, and is not silent."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began_at: float | None = None

    def begin(self) -> None:
        """Take note that it does something from now on."""
        self._began_at = self._now()

    def rest(self) -> None:
        """Take note that it waits for something to do."""
        self._began_at = None

    def silent_seconds(self) -> float:
        """Return for how long it has been at one thing."""
        began_at = self._began_at
        return 0.0 if began_at is None else self._now() - began_at
