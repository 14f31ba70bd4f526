"""How well the parts are, judged from what is known of them. Pure: no clock, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

BEAT_IS_OLD = timedelta(seconds=60)  # a part writes that it is at work every ten seconds
MAIL_IS_LATE = timedelta(minutes=5)
MANY_MAILS = 10_000  # nobody counts further
MEASUREMENT_IS_OLD = timedelta(minutes=3)  # there is one each minute

WEBSITE, EDGE, DATABASE = "Website", "Edge", "Database"
MAIL, BACKUP, SESSIONS = "Mail", "Backup", "Sessions"
PARTS = (WEBSITE, EDGE, DATABASE, MAIL, BACKUP, SESSIONS)


class State(StrEnum):
    """How well a part does its work."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


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
    mails_waiting: int = 0  # counted up to one more than MANY_MAILS
    oldest_due_at: datetime | None = None  # a mail that waits for its next try is not late
    last_backup_failed: bool = False
    last_proven_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """How a part was found, and in which minute."""

    state: State
    minute: datetime


# Of the parts that web can't judge by itself: what the last measurement says.
FOUND = {
    (EDGE, State.UP): "Lets requests in.",
    (EDGE, State.DOWN): "Did not answer.",
    (SESSIONS, State.UP): "Keep people signed in.",
    (SESSIONS, State.DOWN): "Can't be looked up; nobody is signed out.",
}


def judge(facts: Facts, measured: Mapping[str, Measurement], now: datetime) -> list[Part]:
    """Return every part; the database is well, or there were no facts."""
    return [
        Part(WEBSITE, State.UP, "Answers requests."),
        Part(EDGE, *judge_measured(EDGE, measured, now)),
        Part(DATABASE, State.UP, "Answers queries."),
        Part(MAIL, *judge_mail(facts, now)),
        Part(BACKUP, *judge_backup(facts, now)),
        Part(SESSIONS, *judge_measured(SESSIONS, measured, now)),
    ]


def judge_without_database() -> list[Part]:
    """Return every part while the database is away: of most it alone could tell."""
    said = {
        WEBSITE: (State.DEGRADED, "Answers requests; what needs the database has to wait."),
        DATABASE: (State.DOWN, "Does not answer."),
    }
    unknown = (State.UNKNOWN, "Not known while the database is away.")
    return [Part(name, *said.get(name, unknown)) for name in PARTS]


def judge_measured(
    name: str, measured: Mapping[str, Measurement], now: datetime
) -> tuple[State, str]:
    """Return what the last measurement says of a part; an old one says nothing of now."""
    last = measured.get(name)
    if last is None or now - last.minute > MEASUREMENT_IS_OLD:
        return State.UNKNOWN, "Not measured at the moment."
    return last.state, FOUND.get((name, last.state), "Needs attention.")


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
    many = facts.mails_waiting > MANY_MAILS
    number = f"More than {MANY_MAILS:,}" if many else f"{facts.mails_waiting:,}"
    return f"{number} waiting; nothing is lost."


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
    """Return the worst state of all; what is not known says nothing."""
    by_severity = [State.DOWN, State.DEGRADED, State.UP, State.UNKNOWN]
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
