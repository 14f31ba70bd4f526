from datetime import timedelta

import pytest

from mailer.delivery.retry import SCHEDULE, next_delay, pause_seconds


@pytest.mark.parametrize(
    ("failures", "delay"),
    [
        pytest.param(1, timedelta(minutes=1), id="first retry is quick"),
        pytest.param(2, timedelta(minutes=5), id="second"),
        pytest.param(3, timedelta(minutes=15), id="third"),
        pytest.param(4, timedelta(minutes=30), id="fourth"),
        pytest.param(5, timedelta(hours=1), id="fifth"),
        pytest.param(6, timedelta(hours=2), id="sixth"),
        pytest.param(7, timedelta(hours=4), id="seventh"),
        pytest.param(len(SCHEDULE), timedelta(hours=4), id="every four hours from then on"),
        pytest.param(len(SCHEDULE) + 1, None, id="then it is given up"),
    ],
)
def test_delay_grows_with_failures(failures: int, delay: timedelta | None) -> None:
    assert next_delay(failures, spread=0) == delay


def test_schedule_spans_five_days_and_no_more() -> None:
    assert timedelta(days=5) - timedelta(hours=4) < sum(SCHEDULE, timedelta()) <= timedelta(days=5)


@pytest.mark.parametrize(("spread", "seconds"), [(-1, 48), (0.5, 66), (1, 72)])
def test_delay_is_spread_by_a_fifth_either_way(spread: float, seconds: float) -> None:
    assert next_delay(1, spread) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(1, 1, id="short at first"),
        pytest.param(2, 2, id="doubles"),
        pytest.param(6, 32, id="and doubles"),
        pytest.param(7, 60, id="is capped"),
        pytest.param(100_000, 60, id="never overflows"),
    ],
)
def test_pause_grows_with_failures_in_a_row(failures: int, seconds: float) -> None:
    assert pause_seconds(failures) == seconds
