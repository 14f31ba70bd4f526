"""Which backups go. Pure: told what there is, and the time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from backup.catalogue import ahead
from backup.catalogue.manifest import Base, Manifest

PROVEN = 3  # so many always stay: a clock that is ahead for a day makes all of them old
HOURLY_FOR = timedelta(days=1)
NEWEST = 10


class Timed(Protocol):
    """Something that was stored at a time."""

    @property
    def time(self) -> datetime:
        """Return when."""


Item = TypeVar("Item")
Stored = TypeVar("Stored", bound=Timed)


@dataclass(frozen=True, slots=True)
class Rules:
    """How long backups count: so many days all, then the last one of so many weeks and months."""

    days: int
    weekly: int = 0
    monthly: int = 0

    @property
    def window(self) -> timedelta:
        """Return how far back everything is kept."""
        return timedelta(days=self.days)


def expired(stored: Sequence[Manifest], now: datetime, rules: Rules) -> list[Manifest]:
    """Return the backups that are past their time, oldest first.

    The newest proven ones never go, so a worker whose runs have failed for a month still has them; one from
    the future is not the newest. One that was never proven goes once a newer one is.
    """
    oldest_first = sorted(stored, key=lambda manifest: manifest.started_at)
    proven = [manifest for manifest in oldest_first if manifest.state == "proven"]
    young = {m.id for m in proven if now - m.finished_at <= rules.window}
    by_now = ahead.without(proven, now)
    kept = young | {manifest.id for manifest in by_now[-PROVEN:]}
    kept |= _last_of_each(proven, lambda at: at.strftime("%G-%V"), rules.weekly)
    kept |= _last_of_each(proven, lambda at: at.strftime("%Y-%m"), rules.monthly)
    newest = by_now[-1].started_at if by_now else None
    return [
        manifest
        for manifest in oldest_first
        if manifest.id not in kept and newest is not None and manifest.started_at < newest
    ]


def _last_of_each(
    oldest_first: Sequence[Manifest], period: Callable[[datetime], str], count: int
) -> set[str]:
    """Return the last backup of each of the latest periods that have one."""
    last = {period(manifest.started_at): manifest.id for manifest in oldest_first}
    return set(list(last.values())[-count:]) if count else set()


def expired_bases(bases: Sequence[Base], now: datetime, rules: Rules) -> list[Base]:
    """Return the base backups that no instant of the window needs: the newest from before it stays."""
    return _before(rules, bases, now)[:-1]


def _before(rules: Rules, bases: Sequence[Base], now: datetime) -> list[Base]:
    """Return the base backups from before the window, oldest first."""
    oldest_first = sorted(bases, key=lambda base: base.consistent_at)
    return [base for base in oldest_first if base.consistent_at < now - rules.window]


def kept_at(
    stored: Sequence[Manifest], bases: Sequence[Base], target: str, now: datetime, rules: Rules
) -> set[str]:
    """Return the snapshots that never go from a target: it may be one that nothing new gets through to.

    They are of the newest proven backup that it has itself, and of its newest base from before the window.
    """
    proven = [m for m in stored if m.state == "proven" and target in m.copies]
    by_now = sorted(ahead.without(proven, now), key=lambda manifest: manifest.started_at)
    before = _before(rules, [base for base in bases if target in base.copies], now)
    newest: list[Manifest | Base] = [*by_now[-1:], *before[-1:]]
    return {record.copies[target].snapshot for record in newest}


def surplus(stored: Sequence[Stored], now: datetime, rules: Rules) -> list[Stored]:
    """Return the snapshots of one stretch of the log that go.

    What stays are the newest ones, one an hour for a day, and one a day for the window; beyond it, nothing.
    """
    oldest_first = sorted(stored, key=lambda snapshot: snapshot.time)
    hourly = [s for s in oldest_first if now - s.time <= HOURLY_FOR]
    daily = [s for s in oldest_first if now - s.time <= rules.window]
    kept = [
        *daily[-NEWEST:],
        *_last_in(hourly, "%Y-%m-%d %H"),
        *_last_in(daily, "%Y-%m-%d"),
    ]
    ids = {id(snapshot) for snapshot in kept}
    return [snapshot for snapshot in oldest_first if id(snapshot) not in ids]


def _last_in(oldest_first: Iterable[Stored], period: str) -> list[Stored]:
    return list({snapshot.time.strftime(period): snapshot for snapshot in oldest_first}.values())
