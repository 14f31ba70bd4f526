"""The received log on the volume: unbroken stretches, each a folder; a gap ends one and begins the next."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import AwareDatetime

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Record
from backup.stream import received, segments, tails
from backup.stream.slot import Kept

log = structlog.get_logger(__name__)


class Gap(Record):
    """Where a stretch ended: instants from there up to the next base can't be restored."""

    found_at: AwareDatetime
    system_id: str
    stretch: str  # that has ended
    reasons: list[str]


def newest(folder: Folder, system_id: str) -> Path | None:
    """Return the stretch of that cluster that is being received into, or was last."""
    return max((folder.log / system_id).glob("[0-9]*"), default=None)


def sizes(stretch: Path) -> dict[str, int]:
    """Return what lies in a stretch: the size of each file by name."""
    found = {}
    for path in stretch.iterdir():
        try:
            found[path.name] = path.stat().st_size
        except FileNotFoundError:  # .partial no more since it was listed
            continue
    return found


def first_needed(bases: Sequence[Base], stretch: str) -> int | None:
    """Return the first segment that the bases of a stretch need; None where it has none."""
    needed = [segments.number_of(base.first_segment) for base in bases if base.stretch == stretch]
    return min(needed, default=None)


def ready(folder: Folder, kept: Kept, now: datetime) -> Path:
    """Return the stretch to receive into, and write down that it is the one."""
    stretch = _to_go_on(folder, kept, now)
    received.begin(folder, stretch)
    return stretch


def _to_go_on(folder: Folder, kept: Kept, now: datetime) -> Path:
    """Return the newest stretch, or a new one where that can't be gone on with."""
    current = newest(folder, kept.system_id)
    if current is not None:
        drop_short(current)
        needed = first_needed(folder.bases(), current.name)
        reasons = ends(current, kept, needed, received.lsn(folder, current))
        if not reasons:
            return current
        record(
            folder,
            Gap(found_at=now, system_id=kept.system_id, stretch=current.name, reasons=reasons),
        )
    fresh = folder.log / kept.system_id / _name(current, now)
    fresh.mkdir(mode=0o700, parents=True)
    return fresh


def drop_short(stretch: Path) -> None:
    """Remove the newest file if it is not whole: a full disk, or a kill while it was made.

    The program would not go on with it, and the database has it still, unless `ends` finds that it has not.
    """
    name = segments.short(sizes(stretch))
    if name is not None:
        (stretch / name).unlink(missing_ok=True)
        log.warning("the newest file of the log is short; it is received again", file=name)


def ends(stretch: Path, kept: Kept, needed: int | None, known: str | None) -> list[str]:
    """Return why a stretch can't be gone on with, as lines; none where it can.

    `known` is up to where its log was received for certain.
    """
    found = sizes(stretch)
    wanted = segments.next_wanted(found)
    if wanted is None:
        return ["all of the received log is gone"] if needed is not None else []
    reasons = segments.flaws(found, needed, last=wanted - 1)
    if wanted < segments.holding(kept.restart_lsn):
        reasons.append(
            f"the database has no log from before {kept.restart_lsn} any more, and here it ends earlier"
        )
    is_behind = known is not None and segments.position(kept.flushed_lsn) < segments.position(known)
    if is_behind or wanted > segments.holding(kept.flushed_lsn):
        reasons.append("the database is older than its log: it was put back")
    return reasons


def record(folder: Folder, gap: Gap) -> None:
    """Write down a gap, and say so."""
    folder.gaps.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(gap, folder.gaps / f"{gap.stretch}.json")
    log.error("the received log is broken; a new base backup heals it", reasons=gap.reasons)


def gaps(folder: Folder) -> list[Gap]:
    """Return the gaps that were found, oldest first."""
    return [manifest.read(Gap, path) for path in sorted(folder.gaps.glob("*.json"))]


def prune_gaps(folder: Folder, bases: Sequence[Base]) -> None:
    """Remove the gaps that lie before all that can be restored: no base of the stretch that ended is left."""
    based = {base.stretch for base in bases}
    for gap in gaps(folder):
        if gap.stretch not in based:
            (folder.gaps / f"{gap.stretch}.json").unlink(missing_ok=True)


def prune_log(folder: Folder, bases: Sequence[Base], targets: Iterable[str] = ()) -> int:
    """Remove the received log that no kept base needs; return how many files that were.

    Of the stretch that is received into, what comes before its oldest base; older stretches wholly, once
    what is of use of them lies at each of the targets. Nothing at all where the newest stretch has no base yet,
    unless it is of a former cluster, of which no base is left.
    """
    prune_gaps(folder, bases)
    removed, owed = 0, tails.owed_to_any(folder, targets)
    for cluster in folder.log.glob("[0-9]*"):
        if _is_former(folder, cluster.name, bases):
            removed += sum(_remove(stretch, None) for stretch in list(cluster.iterdir()))
            cluster.rmdir()
            received.forget(folder, cluster.name)
            continue
        current = newest(folder, cluster.name)
        needed = first_needed(bases, current.name) if current else None
        if current is None or needed is None:
            continue
        for stretch in cluster.iterdir():
            if stretch == current or stretch not in owed:
                removed += _remove(stretch, needed if stretch == current else None)
    return removed


def _is_former(folder: Folder, system_id: str, bases: Sequence[Base]) -> bool:
    """Say whether a cluster is known to be received no more, and has no base that its log would be of use to."""
    receiving = received.now(folder)
    based = any(base.system_id == system_id for base in bases)
    return receiving is not None and receiving.system_id != system_id and not based


def _remove(stretch: Path, below: int | None) -> int:
    """Remove the segments below a number, or, where there is none, the whole stretch."""
    names = sorted(sizes(stretch))
    parsed = [(name, segments.parse(name)) for name in names]
    old = [name for name, found in parsed if below is None or (found and found.number < below)]
    for name in old:
        (stretch / name).unlink(missing_ok=True)
    if below is None:
        stretch.rmdir()
    return len(old)


def _name(before: Path | None, now: datetime) -> str:
    """Return a name by the time that sorts after the one before, whatever the clock says."""
    name = f"{now:%Y%m%d-%H%M%S}-{now.microsecond:06d}"
    return name if before is None or name > before.name else f"{before.name}+"
