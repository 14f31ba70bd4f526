"""How fast a target fills, and when it will be full. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

SPAN = timedelta(days=30)  # older days say little of the next ones
AT_LEAST_DAYS = 3  # before that the first backup, which is all new, would be taken for growth


@dataclass(frozen=True, slots=True)
class Trend:
    """Bytes that come each day (below zero: that go), and days until the limit; None is not known, or never."""

    bytes_per_day: float | None = None
    days_left: float | None = None


def of(sizes: Mapping[date, int], limit: int | None) -> Trend:
    """Return the trend of the last days, by least squares: pruning makes steps that are no trend."""
    if not sizes:
        return Trend()
    newest = max(sizes)
    recent = {day: size for day, size in sizes.items() if newest - day < SPAN}
    if len(recent) < AT_LEAST_DAYS:
        return Trend()
    slope = _slope([((day - newest).days, size) for day, size in recent.items()])
    if limit is None or slope <= 0:
        return Trend(slope)
    return Trend(slope, max(limit - sizes[newest], 0) / slope)


def _slope(points: list[tuple[int, int]]) -> float:
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )
