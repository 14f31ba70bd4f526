"""Requests that were refused, hour by hour, as plots: by route, and by who. Pure."""

from datetime import timedelta

from web.limits.breach_figures import Day, Line
from web.plots.plots import Plot, Series

HOUR = timedelta(hours=1)
TITLES = {"route": "Refused, by route", "who": "Refused, by who asked"}
OTHERS = "others"


def plots_of(day: Day) -> list[Plot]:
    """Return both; of each the largest are lines of their own, and the others one together."""
    return [plot_of(day, by, title) for by, title in TITLES.items()]


def plot_of(day: Day, by: str, title: str) -> Plot:
    """Return the plot of the lines of one sort."""
    lines = [line for line in day.lines if line.by == by]
    series = [series_of(line.name, [hour.times for hour in line.hours], day) for line in lines]
    rest = others(day, lines)
    if any(rest) or not lines:
        series.append(series_of(OTHERS if lines else "all", rest, day))
    return Plot(title, "requests", series, until=day.at)


def series_of(name: str, times: list[int], day: Day) -> Series:
    """Return a line with a value for each hour."""
    points = [(hour.at, count) for hour, count in zip(day.hours, times, strict=True)]
    return Series(name, points, step=HOUR)


def others(day: Day, lines: list[Line]) -> list[int]:
    """Return how many were refused in each hour beside those of these lines."""
    return [
        hour.times - sum(line.hours[number].times for line in lines)
        for number, hour in enumerate(day.hours)
    ]
