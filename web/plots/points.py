"""What was measured, and fewer points that look the same: each column keeps its lowest and its highest."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

MOST_COLUMNS = 120  # and two points in each: below 300, whatever the range
LATE = 1.5  # steps until the next point: the one between was not taken
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday, so that weeks begin with one
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WIDTHS = (
    *(timedelta(seconds=n) for n in (1, 5, 15, 30)),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)


class Point(NamedTuple):
    """What was measured when; None: nothing could be."""

    at: datetime
    value: float | None


class Known(NamedTuple):
    """A point that has a value."""

    at: datetime
    value: float


Run = list[Known]  # without a gap


def with_gaps(points: Iterable[Point], step: timedelta | None) -> Iterator[Point]:
    """Yield the points, and where some are missing, the first and the last of these without a value."""
    before: datetime | None = None
    for point in points:
        if step and before and point.at - before > LATE * step:
            yield from (Point(at, None) for at in sorted({before + step, point.at - step}))
        yield point
        before = point.at


def runs(points: Iterable[Point]) -> list[Run]:
    """Return those that have a value, in pieces without a gap."""
    pieces = groupby(points, key=lambda point: point.value is not None)
    return [
        [Known(at, value) for at, value in piece if value is not None]
        for known, piece in pieces
        if known
    ]


def width_for(times: Sequence[datetime]) -> timedelta | None:
    """Return how wide columns are, so that they are few enough; None where each time has its own."""
    if len(times) <= MOST_COLUMNS:
        return None
    span = times[-1] - times[0]
    # One column more than the span has widths: it seldom begins where a column does.
    return next((width for width in WIDTHS if span / width < MOST_COLUMNS - 1), WIDTHS[-1])


def column(at: datetime, width: timedelta | None) -> datetime:
    """Return when the column of this time begins."""
    return at if width is None else EPOCH + (at - EPOCH) // width * width


def thinned(pieces: Sequence[Run], width: timedelta | None) -> list[Run]:
    """Return for each column the lowest and the highest point, in pieces as they were."""
    if width is None:
        return list(pieces)
    found = [(number, point) for number, piece in enumerate(pieces) for point in piece]
    columns = groupby(found, key=lambda one: column(one[1].at, width))
    kept = [one for _, group in columns for one in extremes(list(group))]
    return [[point for _, point in piece] for _, piece in groupby(kept, key=lambda one: one[0])]


def extremes(group: Sequence[tuple[int, Known]]) -> Iterator[tuple[int, Known]]:
    """Yield the lowest and the highest, in the order of time; once where they are one."""
    lowest = min(range(len(group)), key=lambda i: group[i][1].value)
    highest = max(range(len(group)), key=lambda i: group[i][1].value)
    for index in sorted({lowest, highest}):
        yield group[index]
