"""Rehearsals: part after part of each repository is read anew, and a random instant is restored."""

from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Literal

import structlog
from pydantic import AwareDatetime
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record, id_of
from backup.content import reading
from backup.errors import BackupError, BusyError, DamagedError
from backup.postgres import programs, scratch
from backup.repository import locks, preflight
from backup.repository.restic import Repository
from backup.steps import step
from common.database import reason_of

log = structlog.get_logger(__name__)

PARTS = 7
KEEP = timedelta(days=400)
AMCHECK = ["--heapallindexed", "--rootdescend", "--install-missing", "--no-password"]


class Drill(Record):
    """One rehearsal, and what came of it; `part` is what of the repository was read."""

    id: str
    kind: Literal["read", "instant"]
    target: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    passed: bool
    detail: str
    part: int | None = None


def known(folder: Folder) -> list[Drill]:
    """Return the drills, oldest first; a damaged record is left out."""
    found = []
    for path in folder.drills.glob("*.json"):
        try:
            found.append(manifest.read(Drill, path))
        except (FileNotFoundError, DamagedError) as error:
            log.warning("a drill's record can't be read", reason=str(error))
    return sorted(found, key=lambda drill: (drill.started_at, drill.id))


def latest(drills: list[Drill]) -> list[Drill]:
    """Return the last drill of each kind at each target."""
    return list({(drill.kind, drill.target): drill for drill in drills}.values())


def began(drills: list[Drill], targets: Container[str]) -> datetime | None:
    """Return since when some drill is the last of its kind at a target that is in use; None without any.

    The oldest of them: one that had to wait is due again, although others were done.
    """
    reads = [d.started_at for d in latest(drills) if d.kind == "read" and d.target in targets]
    instants = [d.started_at for d in drills if d.kind == "instant"]
    return min([*reads, *instants[-1:]], default=None)


def trouble(drills: list[Drill], targets: Container[str], *, instants: bool) -> str | None:
    """Return what the last drills found wrong at targets that are in use; None where they passed.

    Without point in time no instant is rehearsed any more, and what was wrong with one says nothing.
    """
    failed = [
        f"{drill.id}: {drill.detail}"
        for drill in latest(drills)
        if not drill.passed and drill.target in targets and (instants or drill.kind == "read")
    ]
    return "; ".join(failed) or None


def next_part(drills: list[Drill], target: str) -> int:
    """Return the part to read now: after the last that was read well, so that seven are all of it."""
    read = [
        drill.part for drill in drills if drill.target == target and drill.passed and drill.part
    ]
    return read[-1] % PARTS + 1 if read else 1


def read_anew(repository: Repository, folder: Folder, clock: Callable[[], datetime]) -> Drill:
    """Check a repository, and read a part of its data; raises a BusyError where that has to wait."""
    name = repository.target.name
    part = next_part(known(folder), name)

    def work() -> str:
        step(f"read: part {part} of {PARTS} of what lies at {name}")
        preflight.check(repository)
        with locks.shared(folder, name):
            repository.check(f"{part}/{PARTS}")
        return f"part {part} of {PARTS} was read, and is as it was written"

    return _kept(folder, "read", name, work, clock, part)


def restore_instant(  # noqa: PLR0913, PLR0917 what is restored, from where, and what is kept of it
    target: str,
    instant: datetime,
    recovered: Callable[[], AbstractContextManager[URL]],
    folder: Folder,
    clock: Callable[[], datetime],
    database: str,
) -> Drill:
    """Restore the cluster as of an instant, check all its tables and indexes, and read them."""

    def work() -> str:
        step(f"restore: the database as of {instant.isoformat(' ', 'seconds')}, from {target}")
        with recovered() as url:
            step("check: all its tables and indexes")
            return f"{instant.isoformat(' ')}: {examined(url.set(database=database))}"

    return _kept(folder, "instant", target, work, clock)


def examined(url: URL) -> str:
    """Return what is in a restored database, once all of it was checked and read; raise what is wrong."""
    target = [f"--host={url.query['host']}", f"--username={url.username}"]
    try:
        programs.run("pg_amcheck", *AMCHECK, *target, f"--database={url.database}")
    except programs.ProgramError as error:
        message = f"the restored database is not sound: {error}"
        raise DamagedError(message) from error
    found = reading.read(scratch.open_engine(url))
    rows = sum(table.rows for table in found.tables.values())
    return f"restored, checked and read, {len(found.tables)} tables, {rows} rows"


def random_instant(
    spans: Mapping[str, list[tuple[datetime, datetime]]],
) -> tuple[str, datetime] | None:
    """Return a target and an instant that it can restore; None where there is none."""
    random = SystemRandom()
    weighed = [(target, start, until) for target, some in spans.items() for start, until in some]
    if not weighed:
        return None
    lengths = [(until - start).total_seconds() + 1 for _, start, until in weighed]
    ((target, start, until),) = random.choices(weighed, lengths)
    return target, start + (until - start) * random.random()


def _kept(  # noqa: PLR0913, PLR0917 what a record says
    folder: Folder,
    kind: Literal["read", "instant"],
    target: str,
    work: Callable[[], str],
    clock: Callable[[], datetime],
    part: int | None = None,
) -> Drill:
    """Do it, and keep what came of it beside the backups."""
    started_at = clock()
    try:
        detail, passed = work(), True
    except BusyError:  # nothing was rehearsed
        raise
    except (BackupError, SQLAlchemyError, OSError) as error:
        detail, passed = reason_of(error), False
    drill = Drill(
        id=f"{id_of(started_at)}-{kind}-{target}",
        kind=kind,
        target=target,
        started_at=started_at,
        finished_at=clock(),
        passed=passed,
        detail=detail,
        part=part,
    )
    say = log.info if passed else log.error
    step(f"{kind} at {target}: {'passed' if passed else 'failed'}, {detail}", ok=passed)
    say("drill", kind=kind, target=target, passed=passed, detail=detail)
    folder.drills.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(drill, folder.drills / f"{drill.id}.json")
    for old in known(folder):
        if drill.started_at - old.started_at > KEEP:
            (folder.drills / f"{old.id}.json").unlink(missing_ok=True)
    return drill
