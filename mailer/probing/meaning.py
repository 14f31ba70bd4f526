"""What was found, as the state of each part. Pure: no clock, no network.

Of a part that nothing was learnt of there is no state: that minute stays a gap.
"""

from dataclasses import dataclass
from datetime import datetime

from common.condition import (
    BACKUP,
    DATABASE,
    EDGE,
    MAIL,
    SESSIONS,
    WEBSITE,
    Facts,
    State,
    judge_backup,
    judge_mail,
)

States = dict[str, State]


@dataclass(frozen=True, slots=True)
class Answer:
    """What web answered: whether it is ready, and which of its checks went well."""

    ready: bool
    checks: dict[str, bool]


def states(
    facts: Facts | None, readiness: Answer | None, edge: Answer | None, now: datetime
) -> States:
    """Return the state of each part that something is known of; None is no answer."""
    return {**of_database(facts, now), **of_web(readiness), **of_check(edge, "edge", EDGE)}


def of_database(facts: Facts | None, now: datetime) -> States:
    """Return how the database is, and what it knows of others."""
    if facts is None:
        return {DATABASE: State.DOWN}
    return {
        DATABASE: State.UP,
        MAIL: judge_mail(facts, now)[0],
        BACKUP: judge_backup(facts, now)[0],
    }


def of_web(readiness: Answer | None) -> States:
    """Return how web is, and what it knows of the sessions; it answers also where it is not ready."""
    if readiness is None:
        return {WEBSITE: State.DOWN}
    website = State.UP if readiness.ready else State.DEGRADED
    return {WEBSITE: website, **of_check(readiness, "sessions", SESSIONS)}


def of_check(answer: Answer | None, check: str, part: str) -> States:
    """Return the state of a part by one of web's checks."""
    if answer is None or check not in answer.checks:
        return {}
    return {part: State.UP if answer.checks[check] else State.DOWN}
