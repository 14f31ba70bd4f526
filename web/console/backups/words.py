"""Sizes, times and moments in words, and moments out of them. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

KILO = 1000
MINUTE, HOUR, DAY = 60, 3600, 86_400
LONGEST = 64
STEPS = ("definitions", "dump", "fingerprint", "fetch", "scratch", "restore", "compare", "copy")
ID = re.compile(r"\d{8}-\d{6}", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{4,40}")
WHOLE_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def size(count: float) -> str:
    """Return a number of bytes as people read it: 999 B, 1.2 MB."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while abs(amount) >= KILO and len(units) > 1:
        amount, units = amount / KILO, units[1:]
    return f"{amount:.1f} {units[0]}" if units[0] != "B" else f"{amount:.0f} B"


def span(seconds: float) -> str:
    """Return how long something takes, or is ago: 0.4 s, 12 min, 3 h, 5 days."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 two digits
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.0f} h"
    return f"{seconds / DAY:.0f} days"


def age(at: datetime, now: datetime) -> str:
    """Return how long ago that is; what a clock that was set back makes of it is no age."""
    return span(max((now - at).total_seconds(), 0))


def in_order(steps: Mapping[str, float]) -> dict[str, float]:
    """Return the steps as they follow each other; the database has forgotten that."""
    known = [name for name in STEPS if name in steps]
    return {name: steps[name] for name in [*known, *sorted(steps.keys() - set(known))]}


def is_id(given: str) -> bool:
    """Say whether this is how a backup is called."""
    return ID.fullmatch(given) is not None


def instant(given: str) -> datetime | None:
    """Return the instant that somebody wrote, in UTC unless it says otherwise; None where it is none."""
    try:
        found = datetime.fromisoformat(given.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def moment(given: str) -> str | None:
    """Return a moment as `make restore` takes it: latest, end, a backup's id, an instant; None where it is none."""
    if given in {"latest", "end"} or is_id(given):
        return given
    found = instant(given)
    if found is None or WHOLE_DAY.fullmatch(given.strip()):
        return None
    return found.isoformat().replace("+00:00", "Z")


def is_of_history(given: str) -> bool:
    """Say whether the schema's history can be asked for it: an id, a day, an instant, a commit."""
    return bool(is_id(given) or COMMIT.fullmatch(given) or instant(given))


def is_within(at: datetime, start: datetime | None, until: datetime | None) -> bool:
    """Say whether an instant lies in a window; the end's own second counts whole."""
    return start is not None and until is not None and start <= at <= until + timedelta(seconds=1)
