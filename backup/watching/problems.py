"""What is wrong, judged from what is known: each problem by its name. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from backup.catalogue import ahead
from backup.catalogue.manifest import Base, Manifest
from backup.watching import trend
from backup.watching.targets import Seen

NEARLY_FULL = 0.9
SOON_FULL_DAYS = 7
COPIED_WITHIN = timedelta(hours=1)
BASE_WITHIN = timedelta(days=2)  # one is taken daily
LATE = timedelta(minutes=10)  # the log is shipped each minute
GIGA = 1000**3


def of_targets(targets: Sequence[Seen], limit: int | None) -> dict[str, str | None]:
    """Return what is wrong with each target, and with what it takes; None where nothing is."""
    found: dict[str, str | None] = {}
    for seen in targets:
        found[f"target-{seen.name}"] = seen.trouble
        found[f"limit-{seen.name}"] = fullness(seen, limit)
    return found


def fullness(seen: Seen, limit: int | None) -> str | None:
    """Return how full a target is, where that asks for attention."""
    if limit is None or seen.bytes is None:
        return None
    days = trend.of(seen.sizes, limit).days_left
    taken = f"target {seen.name} takes {seen.bytes / GIGA:.1f} of {limit / GIGA:.1f} GB"
    advice = "keep fewer backups (BACKUP_RETENTION_DAYS), or raise BACKUP_STORAGE_LIMIT_GB"
    if seen.bytes >= limit * NEARLY_FULL:
        return f"{taken}; {advice}"
    if days is not None and days < SOON_FULL_DAYS:
        return f"{taken}, and at this pace all of it in {days:.0f} days; {advice}"
    return None


def of_log(until: Mapping[str, datetime], now: datetime) -> str | None:
    """Return which targets lack the latest log; None where none does, or none has any yet."""
    late = {target: now - at for target, at in until.items() if now - at > LATE}
    if not late:
        return None
    told = ", ".join(f"{target} ({_minutes(behind)})" for target, behind in late.items())
    return f"the last instants can't be restored from: {told}; `make logs ARGS=backup` says why"


def of_copies(
    proven: Sequence[Manifest], targets: Sequence[str], now: datetime
) -> dict[str, str | None]:
    """Return which targets lack the newest backup that had time to get there; None where none is lacking."""
    ripe = [one for one in proven if now - one.finished_at > COPIED_WITHIN]
    has = set(ripe[-1].copies) if ripe else set(targets)
    return {
        f"copy-{name}": None if name in has else _not_copied(ripe[-1], name) for name in targets
    }


def _not_copied(one: Manifest, name: str) -> str:
    return f"the backup {one.id} is not at {name} yet, only at {', '.join(one.copies)}; `make backup-copy` says why"


def of_bases(
    bases: Sequence[Base], targets: Sequence[Seen], now: datetime
) -> dict[str, str | None]:
    """Return which targets get no base backups; None where they do, or none was taken anywhere yet."""
    by_now = ahead.without(bases, now)
    return {
        f"base-{seen.name}": _no_base(by_now, seen, now) if by_now else None for seen in targets
    }


def _no_base(bases: Sequence[Base], seen: Seen, now: datetime) -> str | None:
    name = seen.name
    there = [base for base in bases if name in base.copies]
    advice = "`make base-backup` takes one, and says why it does not get there"
    if there:
        newest = max(there, key=lambda base: base.started_at)
        if now - newest.started_at <= BASE_WITHIN:
            return None
        return f"the newest base backup at {name} is {newest.id}; {advice}"
    if not seen.sizes or now.date() - min(seen.sizes) < BASE_WITHIN:  # it is new here
        return None
    return f"no base backup is at {name}, so no instant can be restored from there; {advice}"


def of_clock(records: Sequence[Manifest | Base], now: datetime) -> str | None:
    """Return which backups are from the future: they count for as long, and hide what comes before."""
    found = [record.id for record in records if ahead.is_ahead(record.started_at, now)]
    if not found:
        return None
    return (
        f"from the future: {', '.join(found)}; is the clock right? Such a backup is never taken for the newest."
        " Where the clock was ahead only then, delete its file (ID.json) from the catalogue on the volume"
    )


def _minutes(duration: timedelta) -> str:
    return f"{duration // timedelta(minutes=1)} minutes behind"
