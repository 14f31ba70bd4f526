from datetime import UTC, datetime, timedelta

import pytest

from backup.watching import alarm
from backup.watching.alarm import Problem

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_problem(**given: object) -> Problem:
    values: dict[str, object] = {"name": "git", "reason": "away", "since": NOON, **given}
    return Problem(**values)  # type: ignore[arg-type] # the tests' own


@pytest.mark.parametrize(
    ("problem", "now", "kind"),
    [
        pytest.param(a_problem(), NOON, "begins", id="nobody knows of it yet"),
        pytest.param(a_problem(), NOON + 5 * HOUR, "begins", id="the channel was away till now"),
        pytest.param(a_problem(told={"mail": NOON}), NOON + 23 * HOUR, None, id="known already"),
        pytest.param(a_problem(told={"mail": NOON}), NOON + 24 * HOUR, "lasts", id="each day"),
        pytest.param(a_problem(told={"webhook": NOON}), NOON, "begins", id="another one knows"),
        pytest.param(
            a_problem(told={"mail": NOON}, over_at=NOON), NOON, None, id="it may come back"
        ),
        pytest.param(
            a_problem(told={"mail": NOON}, over_at=NOON), NOON + HOUR / 2, "over", id="it is over"
        ),
        pytest.param(
            a_problem(name="backup-failed", told={"mail": NOON}, over_at=NOON),
            NOON,
            "over",
            id="a run has ended well",
        ),
        pytest.param(a_problem(name="target-sftp"), NOON, None, id="a target, at the first look"),
        pytest.param(
            a_problem(name="target-sftp"), NOON + HOUR / 12, "begins", id="and at the second"
        ),
        pytest.param(a_problem(over_at=NOON), NOON, None, id="over, and it had not been told"),
    ],
)
def test_a_channel_is_told_once_then_daily_then_of_the_end(
    problem: Problem, now: datetime, kind: str | None
) -> None:
    notice = alarm.due(problem, "mail", now)

    assert (notice and notice.kind) == kind


def test_two_days_are_two_notices_and_one_day_is_one() -> None:
    problem = a_problem(told={"mail": NOON})
    keys = [
        notice.key
        for hours in (24, 25, 48)
        if (notice := alarm.due(problem, "mail", NOON + hours * HOUR))
    ]

    assert keys[0] == keys[1] != keys[2]


def test_a_problem_that_comes_back_before_its_end_was_told_goes_on() -> None:
    over = alarm.noted(a_problem(told={"mail": NOON}), "git", None, NOON + HOUR)

    back = alarm.noted(over, "git", "away again", NOON + 2 * HOUR)

    assert back == a_problem(reason="away again", told={"mail": NOON})


def test_a_problem_that_nobody_heard_of_ends_without_a_word() -> None:
    assert alarm.noted(a_problem(), "git", None, NOON) is None


def test_a_problem_is_done_once_all_who_heard_of_it_know() -> None:
    told = {"mail": NOON, "webhook": NOON}
    over = a_problem(told=told, over_at=NOON)

    after_mail = alarm.heard(over, "mail", NOON)
    after_both = alarm.heard(after_mail, "webhook", NOON)

    channels = ["mail", "webhook"]
    assert not alarm.is_done(after_mail, channels, NOON)
    assert alarm.is_done(after_both, channels, NOON)
    assert alarm.is_done(after_mail, ["mail"], NOON)  # the webhook is not set any more
    assert alarm.is_done(after_mail, channels, NOON + timedelta(days=4))  # it never answers
