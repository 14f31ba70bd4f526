from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.condition import (
    EDGE,
    PARTS,
    SESSIONS,
    Beat,
    Facts,
    Measurement,
    Part,
    State,
    judge,
    judge_without_database,
    overall,
    span,
)

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
WELL = Facts(
    beats={"mailer": Beat(NOON), "backup": Beat(NOON)},
    last_proven_at=NOON - timedelta(hours=3),
)
FOUND_WELL = {name: Measurement(State.UP, NOON) for name in (EDGE, SESSIONS)}


def ago(**duration: float) -> datetime:
    return NOON - timedelta(**duration)


def state_of(name: str, facts: Facts) -> tuple[State, str]:
    (part,) = [part for part in judge(facts, FOUND_WELL, NOON) if part.name == name]
    return part.state, part.detail


def test_all_is_well_where_nothing_speaks_against_it() -> None:
    assert {part.state for part in judge(WELL, FOUND_WELL, NOON)} == {State.UP}


@pytest.mark.parametrize(
    ("facts", "state", "detail"),
    [
        pytest.param(
            replace(WELL, mails_waiting=2, oldest_due_at=ago(minutes=1)),
            State.UP,
            "Delivers mail as it comes.",
            id="a mail may wait a moment",
        ),
        pytest.param(
            replace(WELL, mails_waiting=2, oldest_due_at=ago(minutes=6)),
            State.DEGRADED,
            "Slow, the oldest mail waits for 6 minutes.",
            id="but not for long",
        ),
        pytest.param(
            replace(WELL, beats={"mailer": Beat(NOON, trouble="535 refused")}, mails_waiting=1),
            State.DEGRADED,
            "Can't deliver at the moment. 1 waiting; nothing is lost.",
            id="the relay refuses",
        ),
        pytest.param(
            replace(
                WELL, beats={"mailer": Beat(NOON, trouble="535 refused")}, mails_waiting=10_001
            ),
            State.DEGRADED,
            "Can't deliver at the moment. More than 10,000 waiting; nothing is lost.",
            id="nobody counts further",
        ),
        pytest.param(
            replace(WELL, beats={"mailer": Beat(ago(seconds=61))}),
            State.DOWN,
            "Not at work. No mail waits.",
            id="not seen for a minute",
        ),
        pytest.param(
            replace(WELL, beats={}), State.DOWN, "Not at work. No mail waits.", id="never seen"
        ),
    ],
)
def test_mail_is_judged_by_the_mailer_and_by_what_waits(
    facts: Facts, state: State, detail: str
) -> None:
    assert state_of("Mail", facts) == (state, detail)


PROVEN = "The last one was proven by a restore 3 hours ago."


@pytest.mark.parametrize(
    ("facts", "state", "detail"),
    [
        pytest.param(WELL, State.UP, PROVEN, id="proven today"),
        pytest.param(
            replace(WELL, last_proven_at=ago(days=8)),
            State.UP,
            "The last one was proven by a restore 8 days ago.",
            id="how old it may be, only the worker knows",
        ),
        pytest.param(
            replace(WELL, last_proven_at=None),
            State.DEGRADED,
            "None has been proven yet.",
            id="none",
        ),
        pytest.param(
            replace(WELL, last_backup_failed=True),
            State.DEGRADED,
            f"The last run failed. {PROVEN}",
            id="the newest failed",
        ),
        pytest.param(
            replace(WELL, beats={"backup": Beat(NOON, trouble="the backup is overdue")}),
            State.DEGRADED,
            PROVEN,
            id="the worker says that it is overdue",
        ),
        pytest.param(replace(WELL, beats={}), State.DOWN, f"Not at work. {PROVEN}", id="not seen"),
    ],
)
def test_backup_is_judged_by_what_was_proven(facts: Facts, state: State, detail: str) -> None:
    assert state_of("Backup", facts) == (state, detail)


def test_every_part_is_judged_in_one_order() -> None:
    assert tuple(part.name for part in judge(WELL, FOUND_WELL, NOON)) == PARTS
    assert tuple(part.name for part in judge_without_database()) == PARTS


@pytest.mark.parametrize(
    ("last", "state"),
    [
        pytest.param(Measurement(State.DOWN, ago(minutes=1)), State.DOWN, id="a minute ago"),
        pytest.param(Measurement(State.UP, ago(minutes=3)), State.UP, id="just recent enough"),
        pytest.param(Measurement(State.UP, ago(minutes=4)), State.UNKNOWN, id="too old"),
        pytest.param(None, State.UNKNOWN, id="never"),
    ],
)
def test_edge_and_sessions_are_as_the_last_measurement_found_them_if_it_is_recent(
    last: Measurement | None, state: State
) -> None:
    measured = {name: last for name in (EDGE, SESSIONS) if last}

    parts = {part.name: part.state for part in judge(WELL, measured, NOON)}

    assert (parts[EDGE], parts[SESSIONS]) == (state, state)


def test_while_the_database_is_away_the_rest_is_not_known() -> None:
    states = {part.name: part.state for part in judge_without_database()}

    assert states == {
        "Website": State.DEGRADED,
        "Edge": State.UNKNOWN,
        "Database": State.DOWN,
        "Mail": State.UNKNOWN,
        "Backup": State.UNKNOWN,
        "Sessions": State.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([State.UP, State.UP], State.UP),
        ([State.UP, State.DEGRADED], State.DEGRADED),
        ([State.DOWN, State.DEGRADED, State.UP], State.DOWN),
        ([State.UP, State.UNKNOWN], State.UP),
        ([State.UNKNOWN, State.DOWN], State.DOWN),
    ],
)
def test_the_whole_is_as_well_as_its_worst_part(states: list[State], worst: State) -> None:
    assert overall([Part("", state, "") for state in states]) == worst


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=-3), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59.9), "59 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_duration_is_said_in_its_largest_unit(duration: timedelta, words: str) -> None:
    assert span(duration) == words
