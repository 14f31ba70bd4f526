"""What a page says of a plot; `{{ plot(one) }}` of templates/plots/plot.html shows it.

    Plot("Mail sent", "per hour", [Series("sent", rows, step=timedelta(hours=1))], limit=500)

A value of None is a gap, and so is more than one and a half `step` between two points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from web.plots.drawing import Drawing, draw
from web.plots.points import Point, with_gaps
from web.plots.units import Unit, unit_of

__all__ = ["Plot", "Series"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: aware times in ascending order, each with its value; `step` is how often one measures."""

    label: str
    points: Sequence[tuple[datetime, float | None]]
    step: timedelta | None = None

    def measured(self) -> list[Point]:
        """Return its points, and one without a value where one is missing."""
        return list(with_gaps((Point(*one) for one in self.points), self.step))


@dataclass(frozen=True)
class Plot:
    """One plot. Its unit is bytes, seconds, percent, per hour, or any other word; titles differ on a page."""

    title: str
    unit: str
    series: Sequence[Series] = field(default_factory=list)
    limit: float | None = None
    since: datetime | None = None  # where the range is wider than what was measured
    until: datetime | None = None

    @cached_property
    def drawing(self) -> Drawing:
        """Return it drawn; None of its parts knows of HTML."""
        series = {one.label: one.measured() for one in self.series}
        return draw(series, self.measure, self.limit, self.since, self.until)

    @property
    def measure(self) -> Unit:
        """Return how its values are written."""
        return unit_of(self.unit)

    @property
    def name(self) -> str:
        """Return what its parts are called in the page."""
        return "plot-" + "".join(c if c.isalnum() else "-" for c in self.title.lower())
