"""The log's files: their names, and what is wrong with a folder of them. Pure.

A segment is 16 MiB of log. Its name is its timeline, which changes with each recovery, and its number,
which counts on through them all. What is still being written is called .partial.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

SIZE = 16 * 1024**2
PER_LOG = 2**32 // SIZE  # a name has the number in two parts, as positions do
SHOWN = 3
_NAME = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the log."""

    number: int
    timeline: int
    partial: bool = False

    def __str__(self) -> str:
        log, part = divmod(self.number, PER_LOG)
        return f"{self.timeline:08X}{log:08X}{part:08X}"


def parse(name: str) -> Segment | None:
    """Return the segment of that name; None where it is another file, such as a timeline's history."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    timeline, log, part = (int(found[n], 16) for n in (1, 2, 3))
    return Segment(log * PER_LOG + part, timeline, partial=found[4] is not None)


def number_of(name: str) -> int:
    """Return the number in a name that PostgreSQL gave us."""
    segment = parse(name)
    if segment is None:
        message = f"not the name of a log segment: {name}"
        raise ValueError(message)
    return segment.number


def position(lsn: str) -> int:
    """Return a position in the log, which PostgreSQL writes as 0/1885380, in bytes."""
    log, _, offset = lsn.partition("/")
    return (int(log, 16) << 32) + int(offset, 16)


def holding(lsn: str) -> int:
    """Return the number of the segment that holds what comes after a position."""
    return position(lsn) // SIZE


def holding_before(lsn: str) -> int:
    """Return the number of the segment that holds what comes before a position."""
    return (position(lsn) - 1) // SIZE


def highest(sizes: Mapping[str, int]) -> int:
    """Return the number of the newest segment, or -1 where there is none."""
    return max((segment.number for segment in _segments(sizes)), default=-1)


def lowest(sizes: Mapping[str, int]) -> int | None:
    """Return the number of the first segment, if there is any."""
    return min((segment.number for segment in _segments(sizes)), default=None)


def next_wanted(sizes: Mapping[str, int]) -> int | None:
    """Return the segment that pg_receivewal goes on with; None where it has nothing to go on from."""
    found = _segments(sizes)
    if not found:
        return None
    newest = max(found)
    return newest.number if newest.partial else newest.number + 1


def short(sizes: Mapping[str, int]) -> str | None:
    """Return the newest file if it is still being written and has not its size; None where all is well."""
    newest = max(_segments(sizes), default=None)
    name = f"{newest}.partial" if newest and newest.partial else None
    return name if name and sizes[name] != SIZE else None


def flaws(sizes: Mapping[str, int], first: int | None, last: int) -> list[str]:
    """Return what is wrong with the log from segment `first` to `last`, by name and size; none is good.

    `first` is what the oldest base needs, None where there is no base yet; `last` is what the database
    believes to be here.
    """
    found = _segments(sizes)
    return _wrong_sizes(sizes) + _missing(found, first, last)


def _wrong_sizes(sizes: Mapping[str, int]) -> list[str]:
    return [
        f"{name} has {size} bytes instead of {SIZE}"
        for name, size in sorted(sizes.items())
        if parse(name) and size != SIZE
    ][:SHOWN]


def _missing(found: list[Segment], first: int | None, last: int) -> list[str]:
    whole = {segment.number for segment in found if not segment.partial}
    there = whole | {max(found).number} if found else set()  # only the newest may be partial
    start = first if first is not None else min(there, default=last)
    timeline = max((segment.timeline for segment in found), default=1)
    gone = [number for number in range(start, last + 1) if number not in there]
    return [f"{Segment(number, timeline)} is missing" for number in gone[:SHOWN]]


def _segments(sizes: Mapping[str, int]) -> list[Segment]:
    return sorted(segment for name in sizes if (segment := parse(name)))
