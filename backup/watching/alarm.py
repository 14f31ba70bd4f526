"""When who is told of a problem: as it begins, daily while it lasts, and when it is over. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

REMIND_AFTER = timedelta(days=1)
FORGET_AFTER = timedelta(days=3)  # what is over, where a channel can't be reached to be told so
AT_ONCE = "backup-"  # how a run has ended is certain
SETTLES = timedelta(minutes=30)  # anything else may come and go
LOOKED_AT = "target-"
SECOND_LOOK = timedelta(minutes=4)  # there is one every five minutes

Kind = Literal["begins", "lasts", "over"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or was; `told` says when each channel heard of it last."""

    name: str
    reason: str
    since: datetime
    over_at: datetime | None = None
    told: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What one channel is to be told."""

    problem: Problem
    kind: Kind
    day: int  # of the problem, from 0

    @property
    def key(self) -> str:
        """Return what two copies of one notice have in common, and no two notices."""
        return f"{self.problem.name}/{self.problem.since:%Y%m%dT%H%M%S%f}/{self.kind}/{self.day}"


def noted(problem: Problem | None, name: str, reason: str | None, now: datetime) -> Problem | None:
    """Return the problem as it is once this is known of it; None where there is none.

    One that comes back before everyone has heard that it was over has never been over.
    """
    if reason:
        return (
            replace(problem, reason=reason, over_at=None) if problem else Problem(name, reason, now)
        )
    if problem is None or not problem.told:  # nobody has heard of it, so nobody needs to be told
        return None
    return problem if problem.over_at else replace(problem, over_at=now)


def due(problem: Problem, channel: str, now: datetime) -> Notice | None:
    """Return what this channel is to be told now, if anything.

    A target counts as away once two looks have found it so, and what comes and goes is over once it stays away:
    a line that flaps all night is one notice.
    """
    last = problem.told.get(channel)
    day = max((now - problem.since) // REMIND_AFTER, 0)
    if problem.over_at:
        return Notice(problem, "over", 0) if last and _is_settled(problem, now) else None
    if last is None:
        return Notice(problem, "begins", 0) if _is_sure(problem, now) else None
    return Notice(problem, "lasts", day) if now - last >= REMIND_AFTER else None


def _is_sure(problem: Problem, now: datetime) -> bool:
    return not problem.name.startswith(LOOKED_AT) or now - problem.since >= SECOND_LOOK


def _is_settled(problem: Problem, now: datetime) -> bool:
    at = problem.over_at or now
    return problem.name.startswith(AT_ONCE) or now - at >= SETTLES


def heard(problem: Problem, channel: str, now: datetime) -> Problem:
    """Return the problem once the channel has been told; of one that is over it needs no more."""
    others = {name: at for name, at in problem.told.items() if name != channel}
    return replace(problem, told=others if problem.over_at else others | {channel: now})


def is_done(problem: Problem, channels: Iterable[str], now: datetime) -> bool:
    """Return whether the problem can be forgotten: over, and all who heard of it know."""
    if problem.over_at is None:
        return False
    waiting = problem.told.keys() & set(channels)
    return not waiting or now - problem.over_at > FORGET_AFTER
