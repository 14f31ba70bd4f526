"""Instants and spans of time as people read them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def span(duration: timedelta) -> str:
    """Return a duration in its two largest units: 3 d 4 h, 5 min, 12 s."""
    seconds = max(0, round(abs(duration).total_seconds()))
    for (unit, length), (smaller, part) in pairwise(UNITS):
        if seconds >= length:
            whole, rest = divmod(seconds, length)
            return f"{whole} {unit} {rest // part} {smaller}" if rest >= part else f"{whole} {unit}"
    return f"{seconds} s"


def relative(instant: datetime, now: datetime) -> str:
    """Return how far off it is: in 5 min, 3 d 4 h ago, now."""
    if abs(instant - now) < timedelta(seconds=1):
        return "now"
    return f"in {span(instant - now)}" if instant > now else f"{span(now - instant)} ago"


def absolute(instant: datetime) -> str:
    """Return it to the second, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def both(instant: datetime, now: datetime) -> str:
    """Return it to the second, and how far off that is."""
    return f"{absolute(instant)} ({relative(instant, now)})"
