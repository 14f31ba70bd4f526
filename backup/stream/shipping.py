"""The way of the log to each target: a snapshot of what was received, and the instant that it reaches."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import structlog
from sqlalchemy import Engine, text

from backup.catalogue import volume
from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.repository import locks
from backup.repository.answers import Saved
from backup.repository.errors import IncompleteError
from backup.repository.restic import Repository
from backup.stream import points, segments, slot, stretches, tags, tails
from backup.stream.points import Mark
from common.database import reason_of

log = structlog.get_logger(__name__)

RECEIVE_SECONDS = 20
POLL_SECONDS = 0.1
ATTEMPTS = 5
SETTLE_SECONDS = 1.0  # a file that is being made or renamed is whole by then

CLOCK = text("SELECT clock_timestamp()")
# A transaction that changes nothing, so any role may: recovery stops at an instant only where a commit follows.
COMMIT = text("SELECT pg_logical_emit_message(true, 'keelson', '')")
FLUSHED = text("SELECT pg_current_wal_flush_lsn()")
# What a physical slot is told to have arrived on our disk is where it would begin again.
RECEIVED = text("""
    SELECT coalesce(bool_and(restart_lsn >= CAST(:lsn AS pg_lsn)), false)
      FROM pg_replication_slots
     WHERE slot_name = :name
""")


class BrokenError(BackupError):
    """The received log is not whole; a new stretch has to be begun."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What was received for certain: all commits of a cluster up to an instant of its clock."""

    system_id: str
    instant: datetime
    lsn: str  # up to where the log goes that has them

    @property
    def last(self) -> int:
        """Return the number of the segment that has the newest of it."""
        return segments.holding_before(self.lsn)


def reach(engine: Engine, stopped: Event) -> Reached:
    """Take the database's clock, have a commit after it, and wait until that is received, or it is stopped."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        system_id = str(connection.scalars(slot.SYSTEM).one())
        instant = connection.scalars(CLOCK).one()
        connection.execute(COMMIT)
        lsn = connection.scalars(FLUSHED).one()
        deadline = time.monotonic() + RECEIVE_SECONDS
        while not connection.scalars(RECEIVED, {"lsn": lsn, "name": slot.NAME}).one():
            if time.monotonic() > deadline:
                message = f"the database's log is not being received: {lsn} did not arrive within {RECEIVE_SECONDS} s"
                raise BackupError(message)
            if stopped.wait(POLL_SECONDS):
                message = "the worker is stopping"
                raise BackupError(message)
    return Reached(system_id, instant, lsn)


def require_whole(folder: Folder, stretch: Path, last: int | None) -> int:
    """Return the stretch's first segment, or raise a BrokenError that says what is missing from it."""
    needed = stretches.first_needed(folder.bases(), stretch.name)
    found = _flaws(stretch, needed, last)
    if found:
        time.sleep(SETTLE_SECONDS)
        again = _flaws(stretch, needed, last)
        found = [flaw for flaw in found if flaw in again]
    lowest = segments.lowest(stretches.sizes(stretch))
    if found or lowest is None:
        message = f"the received log is broken: {'; '.join(found) or 'nothing is there'}; a new base backup heals it"
        raise BrokenError(message)
    return lowest


def _flaws(stretch: Path, needed: int | None, last: int | None) -> list[str]:
    sizes = stretches.sizes(stretch)
    newest = segments.highest(sizes)
    return segments.flaws(sizes, needed, newest if last is None else last)


def ship(repository: Repository, folder: Folder, stretch: Path, reached: Reached | None) -> None:
    """Store the stretch at a target, and write down which instants can be restored from there.

    Where the database is away nothing is known of its clock: what was received is stored all the same.
    """
    target, system_id = repository.target.name, stretch.parent.name
    last = reached.last if reached else None
    until = reached.instant if reached else _until(folder, target, stretch.name)
    first = segments.lowest(stretches.sizes(stretch))
    told = [*tags.of(stretch, first, until), volume.tag(folder)]
    with locks.shared(folder, target):
        saved = _save(repository, stretch, told)
    first = require_whole(folder, stretch, last)  # only now: what was lost meanwhile is not in it
    if until is not None:
        mark = Mark(
            stretch=stretch.name,
            system_id=system_id,
            first=first,
            until=until,
            snapshot=saved.snapshot,
        )
        points.keep(folder, target, mark)


def ship_end(repository: Repository, folder: Folder, stretch: Path) -> None:
    """Store a stretch that is received no more, to its end; the instants that it is known to reach are the same."""
    stretches.drop_short(stretch)
    shipped = tails.tip(stretch)
    try:
        require_whole(folder, stretch, None)
        ship(repository, folder, stretch, None)
    except BrokenError as error:  # what was shipped before is better, and this one heals no more
        log.warning("the end of a former log was not stored", reason=str(error))
    tails.note(folder, repository.target.name, stretch, shipped)


def _save(repository: Repository, stretch: Path, told: Sequence[str]) -> Saved:
    """Store the stretch; a file that was renamed while it was read makes that one attempt incomplete."""
    for _ in range(ATTEMPTS - 1):
        try:
            return repository.save_folder(stretch, told)
        except IncompleteError:
            continue
    return repository.save_folder(stretch, told)


def _until(folder: Folder, target: str, stretch: str) -> datetime | None:
    marks = points.shipped(folder, target).marks
    return next((mark.until for mark in marks if mark.stretch == stretch), None)


class Courier:
    """Ships to one target, in a thread of its own: a target that hangs holds up no other."""

    def __init__(self, repository: Repository, folder: Folder) -> None:
        self._repository = repository
        self._folder = folder
        self._thread: Thread | None = None
        self.name = repository.target.name
        self.trouble: str | None = None  # of the last shipment

    def begin(
        self, stretch: Path | None, reached: Reached | None, ended: Sequence[Path] = ()
    ) -> None:
        """Begin a shipment, also of stretches that have ended, unless the one before is still on its way."""
        if self._thread is not None and self._thread.is_alive():
            self.trouble = f"target {self.name}: storing the log takes longer than the time between"
            return
        # A daemon: where the worker ends, restic is ended with this thread.
        self._thread = Thread(target=self._ship, args=(stretch, reached, ended), daemon=True)
        self._thread.start()

    def wait(self, seconds: float, stopped: Event) -> None:
        """Wait for the shipment, but not longer than that, nor once it is stopped."""
        deadline = time.monotonic() + seconds
        while self._thread is not None and self._thread.is_alive():
            left = deadline - time.monotonic()
            if left <= 0 or stopped.is_set():
                return
            self._thread.join(min(left, POLL_SECONDS))

    def _ship(self, stretch: Path | None, reached: Reached | None, ended: Sequence[Path]) -> None:
        try:
            if stretch is not None:
                ship(self._repository, self._folder, stretch, reached)
            for former in ended:
                ship_end(self._repository, self._folder, former)
        except (BackupError, OSError) as error:
            self.trouble = reason_of(error)
            log.warning("the log was not stored", target=self.name, reason=self.trouble)
        else:
            self.trouble = None
