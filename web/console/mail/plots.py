"""How much mail went, and how fast, hour by hour and day by day, as plots. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from web.console.mail.figures import Figures, Span
from web.plots.plots import Plot, Series

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def by_hour(figures: Figures, at: datetime) -> list[Plot]:
    """Return the plots of the last 24 hours."""
    return plots(figures.hours, "hour", HOUR, at)


def by_day(figures: Figures, at: datetime) -> list[Plot]:
    """Return the plots of the last 30 days."""
    return plots(figures.days, "day", DAY, at)


def plots(spans: Sequence[Span], word: str, step: timedelta, at: datetime) -> list[Plot]:
    """Return how much went in each span, and how long it took; spans come the newest first."""
    ordered = spans[::-1]
    sent = [(one.begins_at, one.sent) for one in ordered]
    half = [(one.begins_at, one.half_seconds) for one in ordered]
    most = [(one.begins_at, one.most_seconds) for one in ordered]
    return [
        Plot(f"Sent by {word}", "mails", [Series("sent", sent, step)], until=at),
        Plot(
            f"Time to the relay by {word}",
            "seconds",
            [Series("half of it within", half, step), Series("95 % within", most, step)],
            until=at,
        ),
    ]
