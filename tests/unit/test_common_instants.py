from datetime import UTC, datetime, timedelta, timezone

import pytest

from common.instants import both, relative, span

NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        pytest.param({"seconds": 0}, "0 s", id="nothing"),
        pytest.param({"seconds": 59.6}, "1 min", id="rounded"),
        pytest.param({"seconds": 61}, "1 min 1 s", id="two units"),
        pytest.param({"hours": 2}, "2 h", id="one unit where the other is zero"),
        pytest.param(
            {"hours": 2, "minutes": 5, "seconds": 9}, "2 h 5 min", id="the smallest is left out"
        ),
        pytest.param({"days": 400}, "400 d", id="days are the largest"),
        pytest.param({"seconds": -30}, "30 s", id="without a sign"),
    ],
)
def test_span_has_the_two_largest_units(duration: dict[str, float], words: str) -> None:
    assert span(timedelta(**duration)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(90, "in 1 min 30 s"), (-90, "1 min 30 s ago"), (0, "now"), (0.4, "now"), (-0.4, "now")],
)
def test_relative_says_on_which_side_of_now(seconds: float, words: str) -> None:
    assert relative(NOON + timedelta(seconds=seconds), NOON) == words


def test_instants_are_told_in_utc() -> None:
    there = timezone(timedelta(hours=2))

    assert both(datetime(2025, 1, 1, 14, 5, tzinfo=there), NOON) == (
        "2025-01-01 12:05:00 UTC (in 5 min)"
    )
