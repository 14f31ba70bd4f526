"""A part's days: how many minutes it was found in each state, and how many nobody measured. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self

from common.condition import State

SHOWN = 90
MINUTES = 24 * 60
DOWN_FROM_PERCENT = 1  # a day with more of it down is a bad one, with less of it a mixed one


@dataclass(frozen=True, slots=True)
class Day:
    """One day, or several together; `whole` is how many minutes of it are over."""

    day: date
    up: int = 0
    degraded: int = 0
    down: int = 0
    whole: int = MINUTES

    @property
    def measured(self) -> int:
        """Return in how many minutes somebody measured."""
        return self.up + self.degraded + self.down

    @property
    def unmeasured(self) -> int:
        """Return in how many minutes nobody did; the one that runs may be measured already."""
        return max(0, self.whole - self.measured)

    @property
    def state(self) -> State:
        """Return what is to be said of it in one word."""
        if not self.measured:
            return State.UNKNOWN
        if self.down * 100 > self.measured * DOWN_FROM_PERCENT:
            return State.DOWN
        return State.UP if self.up == self.measured else State.DEGRADED

    @property
    def percent_up(self) -> str:
        """Return the share of the measured minutes, such as `99.93 %`; only all of them are 100 %."""
        return percent(self.up, self.measured) if self.measured else ""

    @property
    def words(self) -> str:
        """Return all of it, such as `99.86 % up, 0.14 % down (2 min), 20 min not measured`."""
        said = [f"{self.percent_up} up"] if self.measured else []
        said += [
            f"{percent(minutes, self.measured, at_least=True)} {name} ({minutes} min)"
            for name, minutes in (("degraded", self.degraded), ("down", self.down))
            if minutes
        ]
        if self.unmeasured or not said:
            said.append(f"{self.unmeasured} min not measured")
        return ", ".join(said)

    def __add__(self, other: Self) -> Self:
        return replace(
            self,
            up=self.up + other.up,
            degraded=self.degraded + other.degraded,
            down=self.down + other.down,
            whole=self.whole + other.whole,
        )


def percent(part: int, whole: int, *, at_least: bool = False) -> str:
    """Return the share with two digits, rounded down, or up where it says what is at least not well."""
    hundredths = -(-part * 10_000 // whole) if at_least else part * 10_000 // whole
    full, rest = divmod(hundredths, 100)
    return f"{full}.{rest:02} %" if rest else f"{full} %"


def calendar(rows: list[tuple[date, int, int, int]], now: datetime) -> list[Day]:
    """Return the last days up to today (UTC), also those of which there is no row."""
    today = now.astimezone(UTC).date()
    counted = {day: (up, degraded, down) for day, up, degraded, down in rows}
    days = [today - timedelta(days=back) for back in reversed(range(SHOWN))]
    return [Day(day, *counted.get(day, (0, 0, 0)), minutes_over(day, now)) for day in days]


def minutes_over(day: date, now: datetime) -> int:
    """Return how many of the day's minutes are over."""
    begun = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return max(0, min(MINUTES, int((now - begun).total_seconds() // 60)))


def together(days: list[Day]) -> Day:
    """Return the sum of days, of which there is one at least."""
    total, *others = days
    for day in others:
        total += day
    return total
