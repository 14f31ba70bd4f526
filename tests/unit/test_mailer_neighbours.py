from datetime import datetime, timedelta

import pytest

from mailer.delivery.neighbours import ABSENT_SECONDS, Neighbours
from mailer.delivery.session import LEASE_SECONDS
from tests.unit.mails import NOW
from tests.unit.test_mailer_desk import FakeClock

ME, ANOTHER = 7, 8


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def neighbours(clock: FakeClock) -> Neighbours:
    return Neighbours(ME, clock)


def leases(*numbers: int, until: datetime = NOW) -> dict[int, datetime]:
    return dict.fromkeys(numbers, until)


def test_we_are_at_work(neighbours: Neighbours) -> None:
    assert neighbours.alive() == [ME]


def test_who_holds_its_lock_is_at_work(neighbours: Neighbours) -> None:
    neighbours.look(leases(ME, ANOTHER))

    assert neighbours.alive() == [ME, ANOTHER]


def test_who_lost_its_lock_for_a_moment_is_still_there(
    neighbours: Neighbours, clock: FakeClock
) -> None:
    neighbours.look(leases(ANOTHER))
    clock.seconds += ABSENT_SECONDS / 2

    assert not neighbours.look(leases())
    assert neighbours.alive() == [ME, ANOTHER]


def test_who_has_no_lock_any_more_is_gone(neighbours: Neighbours, clock: FakeClock) -> None:
    neighbours.look(leases(ANOTHER))
    clock.seconds += 2 * ABSENT_SECONDS

    assert neighbours.look(leases())
    assert neighbours.alive() == [ME]
    assert neighbours.frozen() == []


def test_who_does_not_renew_its_lease_is_frozen(neighbours: Neighbours, clock: FakeClock) -> None:
    neighbours.look(leases(ANOTHER))
    clock.seconds += LEASE_SECONDS + 1
    neighbours.look(leases(ANOTHER))

    assert neighbours.alive() == [ME]
    assert neighbours.frozen() == [ANOTHER]


def test_who_renews_its_lease_is_not(neighbours: Neighbours, clock: FakeClock) -> None:
    neighbours.look(leases(ANOTHER))
    clock.seconds += LEASE_SECONDS + 1
    neighbours.look(leases(ANOTHER, until=NOW + timedelta(seconds=1)))

    assert neighbours.alive() == [ME, ANOTHER]


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)])
def test_time_of_the_database_that_is_set_kills_nobody(
    neighbours: Neighbours, clock: FakeClock, step: timedelta
) -> None:
    neighbours.look(leases(ANOTHER, until=NOW))
    clock.seconds += 1
    neighbours.look(leases(ANOTHER, until=NOW + step))

    assert neighbours.alive() == [ME, ANOTHER]


def test_we_are_never_frozen(neighbours: Neighbours, clock: FakeClock) -> None:
    neighbours.look(leases(ME))
    clock.seconds += LEASE_SECONDS + 1
    neighbours.look(leases(ME))

    assert neighbours.alive() == [ME]
    assert neighbours.frozen() == []
