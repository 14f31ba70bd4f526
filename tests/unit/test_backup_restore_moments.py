from datetime import UTC, datetime

import pytest

from backup.errors import RefusedError
from backup.restoring import moments
from backup.restoring.moments import Moment

AFTERNOON = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        pytest.param(None, Moment(), id="nothing is the latest backup"),
        pytest.param("", Moment(), id="an empty AT= too"),
        pytest.param("latest", Moment(), id="the latest by its name"),
        pytest.param("end", Moment(end=True), id="the last commit known"),
        pytest.param("20261122-030000", Moment("20261122-030000"), id="a backup's id"),
        pytest.param("2026-11-22 14:03:00Z", Moment(instant=AFTERNOON), id="UTC"),
        pytest.param("2026-11-22T15:03:00+01:00", Moment(instant=AFTERNOON), id="another zone"),
        pytest.param(
            "2026-11-22 14:03:00.000001+00",
            Moment(instant=AFTERNOON.replace(microsecond=1)),
            id="to the microsecond",
        ),
    ],
)
def test_a_moment_is_understood(asked: str | None, meant: Moment) -> None:
    assert moments.parse(asked, zone_needed=True) == meant


def test_a_person_may_leave_the_zone_out_and_means_utc() -> None:
    assert moments.parse("2026-11-22 14:03", zone_needed=False) == Moment(instant=AFTERNOON)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param("2026-11-22 14:03:00", "has no zone", id="no zone, and nobody to ask"),
        pytest.param("22.11.2026", "not a moment: 22.11.2026; write", id="another order"),
        pytest.param("last week", "not a moment", id="words"),
    ],
)
def test_what_could_mean_something_else_is_refused(asked: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        moments.parse(asked, zone_needed=True)


def test_an_instant_is_told_to_the_microsecond_where_it_has_any() -> None:
    assert moments.told(AFTERNOON) == "2026-11-22 14:03:00 UTC"
    assert moments.told(AFTERNOON.replace(microsecond=7)) == "2026-11-22 14:03:00.000007 UTC"
