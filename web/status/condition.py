"""How well the parts are, judged from what is known of them. Pure: no clock, no database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

BEAT_IS_OLD = timedelta(seconds=60)  # a part writes that it is at work every ten seconds
MAIL_IS_LATE = timedelta(minutes=5)


class State(StrEnum):
    """How well a part does its work."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the deployment, as the public may know it."""

    name: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Beat:
    """When a part was last seen at work, and what stands in its way; that text is not for the public."""

    at: datetime
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of the parts."""

    beats: dict[str, Beat] = field(default_factory=dict)
    mails_waiting: int = 0
    oldest_due_at: datetime | None = None  # a mail that waits for its next try is not late
    last_backup_failed: bool = False
    last_proven_at: datetime | None = None


def judge(facts: Facts, now: datetime) -> list[Part]:
    """Return every part; the database is well, or there were no facts."""
    return [
        Part("Website", State.UP, "Answers requests."),
        Part("Database", State.UP, "Answers queries."),
        Part("Mail", *judge_mail(facts, now)),
        Part("Backup", *judge_backup(facts, now)),
    ]


def judge_mail(facts: Facts, now: datetime) -> tuple[State, str]:
    """Return how well mail is delivered. It waits in the outbox, so it is late at worst."""
    beat = facts.beats.get("mailer")
    if beat is None or now - beat.at > BEAT_IS_OLD:
        return State.DOWN, f"Not at work. {waiting(facts)}"
    if beat.trouble:
        return State.DEGRADED, f"Can't deliver at the moment. {waiting(facts)}"
    if facts.oldest_due_at and now - facts.oldest_due_at > MAIL_IS_LATE:
        late = span(now - facts.oldest_due_at)
        return State.DEGRADED, f"Slow, the oldest mail waits for {late}."
    return State.UP, "Delivers mail as it comes."


def waiting(facts: Facts) -> str:
    """Say how much mail waits."""
    if not facts.mails_waiting:
        return "No mail waits."
    return f"{facts.mails_waiting} waiting; nothing is lost."


def judge_backup(facts: Facts, now: datetime) -> tuple[State, str]:
    """Return how far the last proven backup can be relied on.

    The worker knows the schedule, so whether one is overdue is its to say, as its trouble.
    """
    beat, proven_at = facts.beats.get("backup"), facts.last_proven_at
    detail = "None has been proven yet."
    if proven_at:
        detail = f"The last one was proven by a restore {span(now - proven_at)} ago."
    if beat is None or now - beat.at > BEAT_IS_OLD:
        return State.DOWN, f"Not at work. {detail}"
    if facts.last_backup_failed:
        return State.DEGRADED, f"The last run failed. {detail}"
    return State.UP if proven_at and not beat.trouble else State.DEGRADED, detail


def overall(parts: list[Part]) -> State:
    """Return the worst state of all."""
    by_severity = [State.DOWN, State.DEGRADED, State.UP]
    return min((part.state for part in parts), key=by_severity.index)


def span(duration: timedelta) -> str:
    """Return a duration as people say it, in its largest unit."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return plural(seconds // length, unit)
    return plural(seconds, "second")


def plural(number: int, unit: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
