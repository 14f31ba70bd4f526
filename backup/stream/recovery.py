"""Recovery to an instant: a base, and the log on top of it, in a server of our own."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base
from backup.errors import BackupError, DamagedError
from backup.postgres import programs
from backup.repository import locks
from backup.repository.restic import Repository, Snapshot
from backup.stream import points, replay, room, segments, stretches
from backup.stream.points import Mark, Window


@dataclass(frozen=True, slots=True)
class Choice:
    """From where an instant is restored; no instant is the end of the log, as late as can be."""

    base: Base
    target: str
    instant: datetime | None


def choose(
    bases: Sequence[Base], windows: Mapping[str, Window], instant: datetime | None
) -> Choice:
    """Return the newest base before the instant, at the first target that reaches it. Pure.

    All that was committed at that instant or before is restored, nothing of what came after.
    """
    for target, window in windows.items():
        for span in reversed(window.spans):
            until = instant or span.until
            good = [
                base
                for base in bases
                if target in base.copies
                and base.stretch == span.stretch
                and span.start <= base.consistent_at <= until <= span.until
            ]
            if good:
                newest = max(good, key=lambda base: base.consistent_at)
                return Choice(newest, target, instant)
    raise BackupError(_why_not(windows, instant))


def _why_not(windows: Mapping[str, Window], instant: datetime | None) -> str:
    if not windows:
        return "no instant can be restored yet: there is no base backup with log after it"
    spans = sorted({(s.start, s.until) for window in windows.values() for s in window.spans})
    known = ", ".join(f"{start.isoformat(' ')} to {until.isoformat(' ')}" for start, until in spans)
    earliest, latest = spans[0][0], max(until for _, until in spans)
    return (
        f"{instant.isoformat(' ') if instant else 'the end'} can't be restored: the earliest instant is"
        f" {earliest.isoformat(' ')}, the latest {latest.isoformat(' ')} (without a break: {known})"
    )


@contextmanager
def recovered(
    repository: Repository, base: Base, instant: datetime | None, folder: Folder
) -> Iterator[URL]:
    """Run the whole cluster as of that instant, removed at the end; yield its superuser's URL.

    Without an instant it is as of the end of the log, also of what was received and not yet shipped.
    Only for who has claimed the folder. A DamagedError says what is not as it was stored.
    """
    root = folder.recovery
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o700, parents=True)
    try:
        room.require(folder, base.bytes, "a recovery")
        mark = _mark(repository, base, folder)
        marked = mark.snapshot if mark and instant else None
        data = root / "data"
        with locks.shared(folder, repository.target.name):
            logs = [_fetch_log(repository, base, marked, root / "log")]
            room.require(folder, base.bytes, "a recovery, as its log is there already")
            fetch_base(repository, base, data)
        local = folder.log / base.system_id / base.stretch
        if instant is None and local.is_dir():
            logs.insert(0, local)
        with replay.running(root, data, logs, instant) as url:
            if instant is None and mark is not None:
                replay.require_reached(replay.last_commit(url), mark.until)
            yield url
    finally:
        shutil.rmtree(root, ignore_errors=True)


def fetch_base(repository: Repository, base: Base, data: Path) -> None:
    """Write a base to `data`, and check each of its files by its checksum."""
    snapshot = _snapshot(repository, base.copies[repository.target.name].snapshot, "base")
    repository.read_folder(snapshot.id, Path(snapshot.paths[0]), data)
    data.chmod(0o700)
    try:
        programs.run("pg_verifybackup", "--quiet", "--no-parse-wal", os.fspath(data))
    except programs.ProgramError as error:
        message = f"the base backup {base.id} is not what was stored: {error}; use another one"
        raise DamagedError(message) from error


def _mark(repository: Repository, base: Base, folder: Folder) -> Mark | None:
    """Return what of the log is known to reach the instants of a base's stretch."""
    marks = points.shipped(folder, repository.target.name).marks
    return next((mark for mark in marks if mark.stretch == base.stretch), None)


def _fetch_log(repository: Repository, base: Base, marked: str | None, out: Path) -> Path:
    """Write the log that goes with a base to `out`, by default the newest; make sure that it has no gap."""
    tags = ["wal", f"system:{base.system_id}", f"stretch:{base.stretch}"]
    snapshot = _snapshot(repository, marked, *tags)
    repository.read_folder(snapshot.id, Path(snapshot.paths[0]), out)
    sizes = stretches.sizes(out)
    first = segments.number_of(base.first_segment)
    flaws = segments.flaws(sizes, first, max(first, segments.highest(sizes)))
    if flaws:
        message = f"the stored log for the base {base.id} is broken: {'; '.join(flaws)}; use an earlier instant"
        raise DamagedError(message)
    return out


def _snapshot(repository: Repository, wanted: str | None, *tags: str) -> Snapshot:
    """Return the wanted snapshot; where the catalogue does not know, the newest with these tags."""
    found = repository.snapshots(*tags)
    fitting = [snapshot for snapshot in found if wanted in {None, snapshot.id}]
    if not fitting:
        message = f"target {repository.target.name} has no snapshot {wanted or ''} ({', '.join(tags)}) any more"
        raise DamagedError(message)
    return fitting[-1]
