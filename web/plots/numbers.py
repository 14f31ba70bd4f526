"""The numbers behind a plot: the rows of its table, and what it shows in a few words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from web.plots.clock import Span, moment
from web.plots.points import MINUTE, Point, Run, column
from web.plots.units import Unit

NOTHING = "–"  # noqa: RUF001 a dash, as tables have it


class Row(NamedTuple):
    """One time, or one column of times, with a value of each series."""

    at: datetime
    when: str
    values: Sequence[str]

    def says(self, labels: Sequence[str]) -> str:
        """Return the row as a sentence."""
        known = [one for one in zip(labels, self.values, strict=True) if one[1] != NOTHING]
        if not known:
            return f"{self.when}: not measured"
        if len(labels) == 1:
            return f"{self.when}: {known[0][1]}"
        return f"{self.when}: " + ", ".join(f"{label} {value}" for label, value in known)


def rows(series: Mapping[str, Sequence[Point]], unit: Unit, width: timedelta | None) -> list[Row]:
    """Return the rows of the table, the oldest first."""
    found: dict[datetime, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for label, points in series.items():
        for at, value in points:
            found[column(at, width)][label] += [] if value is None else [value]
    times = sorted(found)
    seconds = any(b - a < MINUTE for a, b in pairwise(times))
    return [
        Row(
            at,
            moment(at, seconds=seconds),
            [written(found[at].get(label, []), unit) for label in series],
        )
        for at in times
    ]


def written(values: Sequence[float], unit: Unit) -> str:
    """Return a value, or from the lowest to the highest of several."""
    if not values:
        return NOTHING
    low, high = unit.write(min(values)), unit.write(max(values))
    return low if low == high else f"{low} to {high}"


def summary(
    pieces: Mapping[str, Sequence[Run]], unit: Unit, limit: float | None, span: Span
) -> str:
    """Return what the plot shows, for who cannot see it."""
    said = [f"From {moment(span.since)} to {moment(span.until)} UTC."]
    said += [one_line(label, whole, unit) for label, whole in pieces.items()]
    if limit is not None:
        said.append(f"The limit is {unit.write(limit)}.")
    return " ".join(said)


def one_line(label: str, pieces: Sequence[Run], unit: Unit) -> str:
    """Return the range of a series, where it ends, and how often it was not measured."""
    values = [point.value for piece in pieces for point in piece]
    if not values:
        return f"{label}: nothing was measured."
    gaps = len(pieces) - 1
    gap = {0: "", 1: ", with 1 gap"}.get(gaps, f", with {gaps} gaps")
    return f"{label}: {written(values, unit)}, in the end {unit.write(values[-1])}{gap}."
