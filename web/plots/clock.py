"""The axis of time: where its marks are, and how a moment is written. All of it is UTC."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from web.plots.points import DAY, WIDTHS, column

MOST_MARKS = 7
MONTHS = (1, 2, 3, 6, 12, 24)
LONG = 120 * DAY  # from here on the marks are first days of months


class Span(NamedTuple):
    """From when to when a plot reaches."""

    since: datetime
    until: datetime

    def share(self, at: datetime) -> float:
        """Return how far into the span a moment is, from 0 to 1."""
        return min(max((at - self.since) / (self.until - self.since), 0.0), 1.0)


def marks(span: Span) -> list[tuple[datetime, str]]:
    """Return few round moments within the span, each with what stands at it."""
    if span.until - span.since > LONG:
        return months(span)
    length = span.until - span.since
    step = next(width for width in WIDTHS if length / width <= MOST_MARKS)
    moments = (column(span.since, step) + step * n for n in count())
    return [(at, label(at, step)) for at in within(moments, span)]


def months(span: Span) -> list[tuple[datetime, str]]:
    """Return first days of months, every so many of them."""
    many = (span.until - span.since) / (30 * DAY)
    every = next((n for n in MONTHS if many / n <= MOST_MARKS), MONTHS[-1])
    first = span.since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    number = (first.year * 12 + first.month - 1) // every * every
    moments = (
        first.replace(year=(number + every * n) // 12, month=(number + every * n) % 12 + 1)
        for n in count()
    )
    return [(at, at.strftime("%b %Y")) for at in within(moments, span)]


def within(moments: Iterator[datetime], span: Span) -> Iterator[datetime]:
    """Yield the moments that are in the span, of an endless row of them."""
    for at in moments:
        if at > span.until:
            return
        if at >= span.since:
            yield at


def label(at: datetime, step: timedelta) -> str:
    """Return the day at midnight and where steps are days, else the time of the day."""
    if step >= DAY or (at.hour, at.minute, at.second) == (0, 0, 0):
        return at.strftime("%-d %b")
    return at.strftime("%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M")


def moment(at: datetime, *, seconds: bool = False) -> str:
    """Return a moment in full; at midnight the day alone."""
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        return at.strftime("%-d %b %Y")
    return at.strftime("%-d %b %Y, %H:%M:%S" if seconds else "%-d %b %Y, %H:%M")


def length(width: timedelta) -> str:
    """Return how long a column is, in words."""
    for unit, word in (
        (DAY, "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if width >= unit:
            many = width // unit
            return word if many == 1 else f"{many} {word}s"
    return f"{width.seconds} seconds"
