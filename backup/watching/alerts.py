"""What is wrong now, in a file on the volume, so that it is known and told also while the database is away."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog
from pydantic import TypeAdapter, ValidationError

from backup.catalogue.files import complete_or_absent
from backup.catalogue.folder import Folder
from backup.watching import alarm
from backup.watching.alarm import Notice, Problem

log = structlog.get_logger(__name__)

FILE = "alerts.json"
PROBLEMS = TypeAdapter(dict[str, Problem])


class NotToldError(Exception):
    """A channel could not be reached; the notice is tried again. The message holds no address."""


class Channel(Protocol):
    """A way to tell somebody."""

    name: str

    def tell(self, notice: Notice) -> None:
        """Tell it, or raise a NotToldError."""


class Alerts:
    """The problems that there are. Several processes may tell of them."""

    def __init__(
        self, folder: Folder, channels: Sequence[Channel], clock: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._path = folder.state / FILE
        self._channels = channels
        self._clock = clock

    def tell(self, name: str, reason: str | None) -> None:
        """Take note that something is wrong, or (None) that it is not; never raises. Safe to repeat."""
        self.tell_all({name: reason})

    def tell_all(self, found: dict[str, str | None]) -> None:
        """Take note of several, and tell the channels what is due, also of what they missed earlier."""
        now = self._clock()
        try:
            with self._changed() as problems:
                for name, reason in found.items():
                    self._note(problems, name, reason, now)
                for name in list(problems):
                    problems[name] = self._told(problems[name], now)
                    if alarm.is_done(problems[name], [c.name for c in self._channels], now):
                        del problems[name]
        except OSError as error:
            log.error("alerts can't be kept", reason=str(error), found=found)  # noqa: TRY400 the reason says all

    def open(self) -> list[Problem]:
        """Return what is wrong now, by name."""
        problems = self._read().values()
        return sorted((p for p in problems if not p.over_at), key=lambda problem: problem.name)

    def worst(self) -> str | None:
        """Return what is wrong in one line, that a run failed first; None where nothing is."""
        wrong = sorted(self.open(), key=lambda problem: not problem.name.startswith("backup-"))
        return "; ".join(f"{problem.name}: {problem.reason}" for problem in wrong) or None

    def _note(
        self, problems: dict[str, Problem], name: str, reason: str | None, now: datetime
    ) -> None:
        known = problems.get(name)
        problem = alarm.noted(known, name, reason, now)
        if problem and not problem.over_at and (known is None or known.over_at):
            log.error("something is wrong", problem=name, reason=reason)
        if known and not known.over_at and (problem is None or problem.over_at):
            log.info("it is well again", problem=name)
        if problem:
            problems[name] = problem
        else:
            problems.pop(name, None)

    def _told(self, problem: Problem, now: datetime) -> Problem:
        """Tell each channel what is due; what one could not be told stays due."""
        for channel in self._channels:
            notice = alarm.due(problem, channel.name, now)
            if notice is None:
                continue
            try:
                channel.tell(notice)
            except NotToldError as error:
                log.warning("an alert is not told yet", channel=channel.name, reason=str(error))
            else:
                problem = alarm.heard(problem, channel.name, now)
        return problem

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Problem]]:
        """Yield the problems to be changed, one process at a time, and keep them."""
        self._folder.locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder.locks / "alerts"):
            before = self._read()
            problems = dict(before)
            yield problems
            if problems != before:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with complete_or_absent(self._path) as out:
                    out.write(PROBLEMS.dump_json(problems, indent=1))

    def _read(self) -> dict[str, Problem]:
        try:
            return PROBLEMS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError as error:
            log.warning(
                "the alerts are damaged; they begin anew", reason=str(error.errors()[0]["msg"])
            )
            return {}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only process in here; telling takes seconds at most, so there is no limit."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
