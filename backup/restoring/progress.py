"""How far a piece of work is, and how long it will take, for who waits for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from backup.catalogue.manifest import Manifest

EVERY_SECONDS = 10.0
# Where no earlier run tells: bytes of a dump per second, on a small machine.
FETCHED, LOADED, COMPARED = 100e6, 25e6, 100e6
SOON = 1.0


def estimates(manifest: Manifest) -> dict[str, float]:
    """Return the seconds that each step of restoring this backup will take, by what its proof took."""
    known, size = manifest.steps, manifest.bytes
    return {
        "fetch": known.get("fetch", size / FETCHED),
        "load": known.get("restore", size / LOADED),
        "compare": known.get("compare", size / COMPARED),
    }


class Progress:
    """Tells of each step when it begins, from time to time while it lasts, and when it has ended."""

    def __init__(
        self,
        tell: Callable[[str], None],
        expected: dict[str, float] | None = None,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self.tell = tell
        self._expected = expected or {}
        self._every = every_seconds
        self.seconds: dict[str, float] = {}

    def expect(self, expected: dict[str, float]) -> None:
        """Take over how long steps are likely to take, and say how long that is together."""
        self._expected = expected
        self.tell(f"this will take about {duration(sum(expected.values()))}")

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Tell of one step while the block lasts."""
        began, done = time.monotonic(), Event()
        self.tell(f"{name}: {what}{self._about(name)}")
        thread = Thread(target=self._remind, args=(name, began, done), daemon=True)
        thread.start()
        try:
            yield
            self.seconds[name] = round(time.monotonic() - began, 3)
        finally:
            done.set()
            thread.join()
        self.tell(f"{name}: done in {duration(self.seconds[name])}")

    def _remind(self, name: str, began: float, done: Event) -> None:
        while not done.wait(self._every):
            of = f" of about {duration(self._expected[name])}" if name in self._expected else ""
            self.tell(f"{name}: {duration(time.monotonic() - began)}{of}")

    def _about(self, name: str) -> str:
        seconds = self._expected.get(name, 0)
        return f" (about {duration(seconds)})" if seconds >= SOON else ""


def duration(seconds: float) -> str:
    """Return a time span as people say it: 4 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{max(whole, 1)} s"
