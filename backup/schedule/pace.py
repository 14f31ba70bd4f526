"""Whether the clock on the wall goes as time does: it is set back now and then, and time never is."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class Pace:
    """Compares the clock, each time it is told it, with a watch that nobody can set."""

    def __init__(self, now: datetime, watch: Callable[[], float] = time.monotonic) -> None:
        self._watch = watch
        self._seen, self._at = now, watch()

    def behind(self, now: datetime) -> timedelta:
        """Return by how much the clock was set back since it was told last; below zero, ahead."""
        at = self._watch()
        behind = timedelta(seconds=at - self._at) - (now - self._seen)
        self._seen, self._at = now, at
        return behind
