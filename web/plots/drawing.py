"""A plot's parts with their places: all that the template needs, and nothing of HTML."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from web.plots import clock, numbers
from web.plots.clock import Span
from web.plots.numbers import Row
from web.plots.points import Point, Run, runs, thinned, width_for
from web.plots.units import Unit, round_step

WIDTH, HEIGHT = 1000, 180  # of the part that is stretched to the width of the page
TICKS = 4
FAR = 4  # a limit that is so many times higher would press the line flat


class Tick(NamedTuple):
    """A value at the upright axis."""

    y: float
    label: str


class Mark(NamedTuple):
    """A moment at the axis of time; a spare one is left out where there is little room."""

    x: float
    label: str
    spare: bool


class Line(NamedTuple):
    """One series, as the path of an SVG."""

    label: str
    path: str


class Hit(NamedTuple):
    """An area that tells its values when it is pointed at."""

    x: float
    width: float
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All parts of one plot; x in percent of the width, y in pixels from above."""

    height: int
    lines: Sequence[Line]
    ticks: Sequence[Tick] = ()
    times: Sequence[Mark] = ()
    limit: Tick | None = None
    far_limit: str = ""
    hits: Sequence[Hit] = ()
    rows: Sequence[Row] = ()
    each: str = ""  # how long the columns are, where several points are in one
    says: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How high values stand: from zero to a round number above them all."""

    top: float
    step: float

    @classmethod
    def over(cls, unit: Unit, values: Sequence[float]) -> "Scale":
        """Return the scale that holds these values."""
        highest = max(*values, 0) or 1
        step = round_step(unit, highest, TICKS)
        if all(value == int(value) for value in values):
            step = max(step, 1)  # there is no half mail
        return cls(max(1, ceil(highest / step - 1e-9)) * step, step)

    def y(self, value: float) -> float:
        """Return how far below the top a value stands."""
        return round(HEIGHT * (1 - max(value, 0) / self.top), 1)

    def ticks(self, unit: Unit) -> list[Tick]:
        """Return the round values, the lowest first."""
        values = (self.step * n for n in range(round(self.top / self.step) + 1))
        return [Tick(self.y(value), unit.tick(value)) for value in values]


def draw(
    series: Mapping[str, Sequence[Point]],
    unit: Unit,
    limit: float | None,
    since: datetime | None,
    until: datetime | None,
) -> Drawing:
    """Place every part."""
    pieces = {label: runs(points) for label, points in series.items()}
    times = sorted({point.at for points in series.values() for point in points})
    values = [point.value for whole in pieces.values() for run in whole for point in run]
    if not values:
        return Drawing(height=HEIGHT, lines=[Line(label, "") for label in series])
    width = width_for(times)
    span = span_of(times, since, until)
    near = limit is not None and limit <= FAR * max(values)
    scale = Scale.over(unit, [*values, limit] if limit is not None and near else values)
    rows = numbers.rows(series, unit, width)
    return Drawing(
        height=HEIGHT,
        lines=[
            Line(label, path(thinned(whole, width), span, scale)) for label, whole in pieces.items()
        ],
        ticks=scale.ticks(unit),
        times=marks(span),
        limit=Tick(scale.y(limit), unit.write(limit)) if limit is not None and near else None,
        far_limit=unit.write(limit) if limit is not None and not near else "",
        hits=list(hits(rows, list(series), span, width)),
        rows=rows,
        each=clock.length(width) if width else "",
        says=numbers.summary(pieces, unit, limit, span),
    )


def span_of(times: Sequence[datetime], since: datetime | None, until: datetime | None) -> Span:
    """Return from when to when; one point alone stands in the middle of an hour."""
    first, last = min(times[0], since or times[0]), max(times[-1], until or times[-1])
    half = timedelta(minutes=30)
    return Span(first, last) if first < last else Span(first - half, last + half)


def marks(span: Span) -> list[Mark]:
    """Return the marks of the axis of time."""
    return [
        Mark(round(100 * span.share(at), 2), label, spare=bool(number % 2))
        for number, (at, label) in enumerate(clock.marks(span))
    ]


def path(pieces: Sequence[Run], span: Span, scale: Scale) -> str:
    """Return one line for each piece; a piece of one point is a dot."""
    return "".join(piece_of_path(piece, span, scale) for piece in pieces)


def piece_of_path(piece: Run, span: Span, scale: Scale) -> str:
    """Return the path through the points of one piece."""
    spots = [f"{WIDTH * span.share(at):.1f} {scale.y(value):g}" for at, value in piece]
    return "M" + "L".join(spots) + ("h0" if len(spots) == 1 else "")


def hits(
    rows: Sequence[Row], labels: Sequence[str], span: Span, width: timedelta | None
) -> Iterator[Hit]:
    """Yield an area around each row's time, up to the middle between it and its neighbours."""
    half = width / 2 if width else timedelta(0)
    places = [100 * span.share(row.at + half) for row in rows]
    borders = [0.0, *((a + b) / 2 for a, b in pairwise(places)), 100.0]
    for row, (left, right) in zip(rows, pairwise(borders), strict=True):
        yield Hit(round(left, 2), round(right - left, 2), row.says(labels))
