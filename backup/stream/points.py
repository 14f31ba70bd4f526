"""Which instants can be restored from which target: what shipping has written down, and the bases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Record
from backup.errors import DamagedError
from backup.stream import segments


class Mark(Record):
    """How far one stretch of the log has come at a target: a snapshot, and the instant it reaches."""

    stretch: str
    system_id: str
    first: int  # the number of its first segment
    until: AwareDatetime  # by the database's clock; a commit after it is in the snapshot
    snapshot: str


class Shipped(Record):
    """What one target has of the log, oldest stretch first."""

    target: str
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Span:
    """Instants without a break, of one stretch, both ends included."""

    start: datetime
    until: datetime
    stretch: str


@dataclass(frozen=True, slots=True)
class Window:
    """All that one target can restore, from the earliest instant to the latest; gaps lie between spans."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> datetime:
        """Return the earliest instant."""
        return self.spans[0].start

    @property
    def until(self) -> datetime:
        """Return the latest instant."""
        return self.spans[-1].until


def windows(folder: Folder) -> dict[str, Window]:
    """Return what can be restored now, by target, the local one first; targets without any are not there."""
    bases = folder.bases()
    found = {shipped.target: window(shipped, bases) for shipped in _all(folder)}
    in_order = sorted(found.items(), key=lambda item: (item[0] != "local", item[0]))
    return {target: seen for target, seen in in_order if seen is not None}


def window(shipped: Shipped, bases: Sequence[Base]) -> Window | None:
    """Return what one target can restore; None where that is nothing."""
    spans = []
    for mark in shipped.marks:
        good = [base.consistent_at for base in bases if usable(base, mark, shipped.target)]
        if good:
            spans.append(Span(min(good), mark.until, mark.stretch))
    return Window(tuple(spans)) if spans else None


def usable(base: Base, mark: Mark, target: str) -> bool:
    """Say whether a base lies at the target, and all log that it needs to be consistent too."""
    return (
        target in base.copies
        and (base.system_id, base.stretch) == (mark.system_id, mark.stretch)
        and segments.number_of(base.first_segment) >= mark.first
        and base.consistent_at <= mark.until
    )


def needed_snapshots(folder: Folder, target: str) -> set[str]:
    """Return the snapshots of the log at a target that retention must leave alone."""
    return {mark.snapshot for mark in shipped(folder, target).marks}


def shipped(folder: Folder, target: str) -> Shipped:
    """Return what a target has of the log."""
    try:
        return manifest.read(Shipped, folder.points / f"{target}.json")
    except (FileNotFoundError, DamagedError):  # the next shipment writes it anew
        return Shipped(target=target, marks=[])


def keep(folder: Folder, target: str, mark: Mark) -> None:
    """Write down how far a stretch has come, complete or not at all; forget stretches without a base."""
    based = {base.stretch for base in folder.bases() if target in base.copies}
    write(folder, target, _with(shipped(folder, target).marks, mark, based))


def write(folder: Folder, target: str, marks: list[Mark]) -> None:
    """Write down what a target has of the log, oldest stretch first."""
    folder.points.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(Shipped(target=target, marks=marks), folder.points / f"{target}.json")


def _with(marks: Iterable[Mark], mark: Mark, based: set[str]) -> list[Mark]:
    """Return the marks with this one: the last, unless it reaches no later instant than was known."""
    known = [m for m in marks if m.stretch == mark.stretch or m.stretch in based]
    if any((m.stretch, m.until) == (mark.stretch, mark.until) for m in known):
        return [mark if m.stretch == mark.stretch else m for m in known]
    return [*(m for m in known if m.stretch != mark.stretch), mark]


def _all(folder: Folder) -> list[Shipped]:
    return [shipped(folder, path.stem) for path in folder.points.glob("*.json")]
