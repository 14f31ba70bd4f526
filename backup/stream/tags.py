"""What a snapshot of the log says of itself, as tags: so what can be restored is known also without our catalogue."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from backup.repository.answers import Snapshot
from backup.stream.points import Mark

WAL = "wal"


def of(stretch: Path, first: int | None, until: datetime | None) -> list[str]:
    """Return the tags of a stretch that begins with that segment, and is known to reach that instant."""
    known = {
        "system": stretch.parent.name,
        "stretch": stretch.name,
        "first": first,
        "until": until.astimezone(UTC).isoformat() if until else None,
    }
    return [WAL, *(f"{name}:{value}" for name, value in known.items() if value is not None)]


def value(snapshot: Snapshot, name: str) -> str | None:
    """Return what a snapshot says of one thing."""
    found = (tag.partition(":") for tag in snapshot.tags)
    return next((told for known, _, told in found if known == name), None)


def marks(snapshots: Iterable[Snapshot]) -> list[Mark]:
    """Return how far each stretch has come, by the snapshot that reaches farthest; oldest first."""
    by_time = sorted(snapshots, key=lambda snapshot: snapshot.time)
    told = [mark for mark in map(_mark, by_time) if mark]
    return farthest(told)


def farthest(told: Sequence[Mark]) -> list[Mark]:
    """Return of each stretch the mark that reaches farthest, of equal ones the last; oldest first."""
    in_order = sorted(told, key=lambda mark: mark.until)
    return sorted({m.stretch: m for m in in_order}.values(), key=lambda mark: mark.until)


def _mark(snapshot: Snapshot) -> Mark | None:
    """Return what a snapshot of the log says; None of one that does not say all of it."""
    names = ("system", "stretch", "first", "until")
    system_id, stretch, first, until = (value(snapshot, name) for name in names)
    if WAL not in snapshot.tags or not (system_id and stretch and first and until):
        return None
    try:
        reaches = datetime.fromisoformat(until)
        number = int(first)
    except ValueError:
        return None
    return Mark(
        stretch=stretch, system_id=system_id, first=number, until=reaches, snapshot=snapshot.id
    )
