"""How values are written, and which steps are round, by their unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

DECIMAL = (1.0, 2.0, 5.0)
SECONDS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0)
HOURS = tuple(3600.0 * n for n in (1, 2, 6, 12, 24, 48, 120, 240))
SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Unit:
    """A plain number with a word after it; the word stands at the axis once, not at each tick."""

    word: str

    def steps(self) -> Sequence[float]:
        """Return round steps beyond 1, 2, 5 and their tens, if the unit has its own."""
        return ()

    def write(self, value: float) -> str:
        """Return a value by itself."""
        return f"{number(value)} {self.word}".rstrip()

    def tick(self, value: float) -> str:
        """Return a value as it stands at an axis that names the unit."""
        return number(value)


class Percent(Unit):
    """Of a hundred."""

    def write(self, value: float) -> str:
        """Return a value by itself."""
        return f"{number(value)} %"

    tick = write


class Bytes(Unit):
    """In thousands, as disks are sold."""

    def write(self, value: float) -> str:
        """Return a value by itself."""
        amount, size = value, SIZES[0]
        for size in SIZES:  # noqa: B007 the last one is used
            if abs(amount) < 999.5:  # noqa: PLR2004 rounds to a thousand
                break
            amount /= 1000
        return f"{number(amount)} {size}"

    tick = write


class Seconds(Unit):
    """From milliseconds to days."""

    def steps(self) -> Sequence[float]:
        """Return the steps of a clock."""
        return (*SECONDS, *HOURS)

    def write(self, value: float) -> str:
        """Return a value by itself."""
        if 0 < abs(value) < 1:
            return f"{number(value * 1000)} ms"
        for size, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
            if abs(value) >= 2 * size or (abs(value) >= size and value % size == 0):
                return f"{number(value / size)} {word}"
        return f"{number(value)} s"

    tick = write


UNITS: dict[str, Unit] = {
    "bytes": Bytes("bytes"),
    "seconds": Seconds("seconds"),
    "percent": Percent("percent"),
}


def unit_of(word: str) -> Unit:
    """Return the unit of this name; one that is unknown is a word after the number."""
    return UNITS.get(word) or Unit(word)


def number(value: float) -> str:
    """Return three digits that count, with thousands parted."""
    if abs(value) >= 100 or value == int(value):  # noqa: PLR2004 three digits
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.2g}"  # noqa: PLR2004


def round_step(unit: Unit, highest: float, ticks: int) -> float:
    """Return a round step that needs at most so many ticks from zero to the highest."""
    least = highest / ticks
    for step in unit.steps():
        if least >= 1 and step >= least:
            return step
    for power in count(-6):
        for digit in DECIMAL:
            step = digit * 10.0**power
            if step >= least * 0.999_999:
                return step
    raise AssertionError  # a power of ten is always found
