"""The one clock of this service; whoever needs the time is given it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
