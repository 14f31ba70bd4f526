"""What the overview finds, from facts alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.condition import Beat
from web.console.findings import Weight, is_well, judge
from web.console.known import Facts, Gate, Target, Waiting

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def well(**given: object) -> Facts:
    facts = Facts(
        at=NOW,
        revision="0006",
        head="0006",
        beats={"mailer": Beat(NOW), "backup": Beat(NOW)},
        operators=2,
        connections=1,
        most_connections=30,
    )
    return replace(facts, **given)  # type: ignore[arg-type] # each test its own


def test_nothing_is_found_where_all_is_well() -> None:
    assert judge(well()) == []
    assert is_well([])


@pytest.mark.parametrize(
    ("facts", "weight", "title"),
    [
        pytest.param(
            well(revision="0005"),
            Weight.DOWN,
            "The schema is not the one that web needs",
            id="older schema",
        ),
        pytest.param(
            well(beats={"mailer": Beat(NOW - 2 * MINUTE), "backup": Beat(NOW)}),
            Weight.DOWN,
            "The mailer is not at work",
            id="silent mailer",
        ),
        pytest.param(
            well(beats={"mailer": Beat(NOW)}),
            Weight.DOWN,
            "The backup is not at work",
            id="backup that never came",
        ),
        pytest.param(
            well(gates=[Gate("relay", "no answer", NOW - HOUR)]),
            Weight.DEGRADED,
            "Mail is held back: relay",
            id="closed gate",
        ),
        pytest.param(
            well(oldest_due_at=NOW - 6 * MINUTE), Weight.DEGRADED, "Mail is late", id="late mail"
        ),
        pytest.param(
            well(dead_lately=1),
            Weight.DEGRADED,
            "1 mail given up within 24 hours",
            id="dead mail",
        ),
        pytest.param(
            well(unsure=2),
            Weight.DEGRADED,
            "2 mails of which nobody knows whether it arrived",
            id="unsure mail",
        ),
        pytest.param(
            well(beats={"mailer": Beat(NOW), "backup": Beat(NOW, "overdue: the last is old")}),
            Weight.DEGRADED,
            "Backups ask for attention",
            id="what the worker says",
        ),
        pytest.param(
            well(failed_backups=["logical"]),
            Weight.DEGRADED,
            "The last backup failed",
            id="failed backup",
        ),
        pytest.param(
            well(targets=[Target("sftp", "no route")]),
            Weight.DEGRADED,
            "The target sftp can't be used",
            id="target away",
        ),
        pytest.param(
            well(job=Waiting("backup", NOW - 2 * MINUTE)),
            Weight.DEGRADED,
            "The backup does not answer",
            id="job that nobody takes",
        ),
        pytest.param(
            well(breaches=60),
            Weight.DEGRADED,
            "Unusually many meet a rate limit",
            id="many breaches",
        ),
        pytest.param(
            well(connections=24),
            Weight.DEGRADED,
            "Nearly all database connections are in use",
            id="pool nearly used up",
        ),
        pytest.param(
            well(operators=1), Weight.ADVICE, "There is one operator only", id="one operator"
        ),
        pytest.param(
            well(drafts=1, oldest_draft_at=NOW - 2 * HOUR),
            Weight.ADVICE,
            "1 notice never published",
            id="old draft",
        ),
        pytest.param(
            well(invitations=3), Weight.ADVICE, "3 invitations open", id="open invitations"
        ),
    ],
)
def test_one_thing_is_found_by_itself(facts: Facts, weight: Weight, title: str) -> None:
    (found,) = judge(facts)

    assert (found.weight, found.title) == (weight, title)
    assert found.words
    assert found.action.endpoint or found.action.command


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(
            well(beats={"mailer": Beat(NOW - MINUTE), "backup": Beat(NOW)}), id="just seen"
        ),
        pytest.param(well(oldest_due_at=NOW - 5 * MINUTE), id="mail that is due"),
        pytest.param(well(breaches=59), id="some breaches"),
        pytest.param(well(breaches=500, breaches_before=24 * 101), id="no more than usual"),
        pytest.param(well(connections=23), id="connections left"),
        pytest.param(well(job=Waiting("backup", NOW - MINUTE)), id="job just asked"),
        pytest.param(well(drafts=1, oldest_draft_at=NOW - HOUR), id="draft just written"),
    ],
)
def test_what_is_usual_is_not_found(facts: Facts) -> None:
    assert judge(facts) == []


def test_worst_comes_first_and_advice_is_not_wrong() -> None:
    found = judge(well(operators=1, dead_lately=1, revision=None))

    assert [one.weight for one in found] == [Weight.DOWN, Weight.DEGRADED, Weight.ADVICE]
    assert not is_well(found)
    assert is_well(found[2:])


def test_late_mail_is_not_told_beside_what_holds_it_back() -> None:
    found = judge(well(oldest_due_at=NOW - HOUR, gates=[Gate("pause", "a test", NOW - HOUR)]))

    assert [one.title for one in found] == ["Mail is held back: pause"]
    assert found[0].words == "a test (for 1 hour)"


def test_what_the_worker_says_stands_for_what_the_tables_say() -> None:
    beats = {"mailer": Beat(NOW), "backup": Beat(NOW, "failed: no room")}

    found = judge(well(beats=beats, failed_backups=["logical"], targets=[Target("local", "full")]))

    assert [one.words for one in found] == ["failed: no room"]
