"""Sweeps the session folder, beside a web that goes on writing there and a mailer that delivers."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from time import monotonic

import structlog

from mailer.outage import Outage
from mailer.stop import Stop
from mailer.upkeep.expiry import Fate
from mailer.upkeep.session_files import settle

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 60.0


@dataclass(slots=True)
class Swept:
    """What one look at the whole folder came to."""

    fates: Counter[Fate] = field(default_factory=Counter)
    failures: int = 0
    first_failure: OSError | None = None


class Sweeper:
    """Looks at every file once a minute, in a thread of its own, unless another mailer is at it."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now
        self._outage = Outage("sessions")

    def run(self, stop: Stop) -> None:
        """Sweep until told to stop; no trouble with the folder ends it."""
        while not stop.is_set():
            try:
                self.sweep(stop)
            except Exception:  # the thread would end unseen, and the folder grow from then on
                log.exception("a sweep failed for a reason that nobody foresaw")
            stop.wait(INTERVAL_SECONDS)

    def sweep(self, stop: Stop) -> None:
        """Look at every file once; say what was removed, and what is in the way when it changes."""
        begun = monotonic()
        try:
            swept = self._look(stop)
        except OSError as error:
            reason = f"the session folder {self._folder} cannot be listed: {error.strerror}"
            self._outage.begin(reason, error.errno)
            return
        self._report(swept, round(monotonic() - begun, 1))

    def _look(self, stop: Stop) -> Swept:
        swept, now = Swept(), self._now()
        with alone_in(self._folder) as alone, os.scandir(self._folder) as entries:
            for entry in entries:
                if stop.is_set() or not alone:
                    break
                if entry.is_file(follow_symlinks=False):
                    self._settle(Path(entry.path), now, swept)
        return swept

    def _settle(self, path: Path, now: float, swept: Swept) -> None:
        try:
            swept.fates[settle(path, now)] += 1
        except FileNotFoundError:  # web has removed it, or another mailer
            return
        except OSError as error:
            swept.failures += 1
            swept.first_failure = swept.first_failure or error

    def _report(self, swept: Swept, seconds: float) -> None:
        if error := swept.first_failure:
            reason = f"{swept.failures} session files cannot be swept; the first: {error}"
            self._outage.begin(reason, error.errno)
        else:
            self._outage.end()
        expired, abandoned = swept.fates[Fate.EXPIRED], swept.fates[Fate.ABANDONED]
        if expired or abandoned:
            log.info("session files removed", expired=expired, abandoned=abandoned, seconds=seconds)


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Keep other sweepers out, or give False where one is at it; web never waits for this lock."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(file)
