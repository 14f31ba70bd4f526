"""A part's days: what is said of them, and what of the minutes that nobody measured."""

from datetime import UTC, date, datetime, timedelta

import pytest

from common.condition import State
from web.status.days import MINUTES, SHOWN, Day, calendar, percent, together

TODAY = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def a_day(up: int = 0, degraded: int = 0, down: int = 0, whole: int = MINUTES) -> Day:
    return Day(TODAY, up, degraded, down, whole)


@pytest.mark.parametrize(
    ("day", "state", "words"),
    [
        pytest.param(a_day(up=1440), State.UP, "100 % up", id="a whole day"),
        pytest.param(a_day(), State.UNKNOWN, "1440 min not measured", id="a gap"),
        pytest.param(
            a_day(up=1300), State.UP, "100 % up, 140 min not measured", id="a gap is no outage"
        ),
        pytest.param(
            a_day(up=1439, down=1),
            State.DEGRADED,
            "99.93 % up, 0.07 % down (1 min)",
            id="one minute keeps it from 100 %",
        ),
        pytest.param(
            a_day(up=1425, down=15),
            State.DOWN,
            "98.95 % up, 1.05 % down (15 min)",
            id="more than a hundredth is a bad day",
        ),
        pytest.param(
            a_day(degraded=10, down=0, up=90),
            State.DEGRADED,
            "90 % up, 10 % degraded (10 min), 1340 min not measured",
            id="of what was measured",
        ),
        pytest.param(a_day(down=5, whole=5), State.DOWN, "0 % up, 100 % down (5 min)", id="none"),
        pytest.param(a_day(up=7, whole=6), State.UP, "100 % up", id="the minute that runs"),
    ],
)
def test_day_says_what_was_found_and_for_how_long_nobody_looked(
    day: Day, state: State, words: str
) -> None:
    assert (day.state, day.words) == (state, words)


@pytest.mark.parametrize(
    ("part", "whole", "at_least", "said"),
    [
        (129_599, 129_600, False, "99.99 %"),
        (1, 129_600, True, "0.01 %"),
        (1, 3, False, "33.33 %"),
        (3, 3, False, "100 %"),
        (1, 20, False, "5 %"),
    ],
)
def test_share_is_never_said_better_than_it_is(
    part: int, whole: int, at_least: bool, said: str
) -> None:
    assert percent(part, whole, at_least=at_least) == said


def test_calendar_has_every_day_up_to_now_also_those_without_a_row() -> None:
    yesterday = TODAY - timedelta(days=1)

    days = calendar([(TODAY, 700, 0, 0), (yesterday, 1440, 0, 0)], NOON)

    assert len(days) == SHOWN
    assert [day.day for day in days[-2:]] == [yesterday, TODAY]
    assert days[0].unmeasured == MINUTES
    assert (days[-1].up, days[-1].unmeasured) == (700, 20)  # of the 720 that are over


def test_sum_of_days_is_of_their_minutes() -> None:
    total = together([a_day(up=1440), a_day(up=1, down=1, whole=10), a_day()])

    assert (total.up, total.down, total.unmeasured) == (1441, 1, 8 + MINUTES)
