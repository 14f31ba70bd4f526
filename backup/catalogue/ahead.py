"""Records from the future: the clock was ahead when they were made, or is behind now. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

TOLERANCE = timedelta(hours=1)  # clocks are set back by seconds, and that is no trouble


class Begun(Protocol):
    """Something that began at a time."""

    @property
    def started_at(self) -> datetime:
        """Return when."""


Item = TypeVar("Item", bound=Begun)


def is_ahead(at: datetime, now: datetime) -> bool:
    """Return whether this lies in the future."""
    return at - now > TOLERANCE


def without(records: Sequence[Item], now: datetime) -> list[Item]:
    """Return the records but for those from the future, which say nothing of when the next is due."""
    return [record for record in records if not is_ahead(record.started_at, now)]
