from collections.abc import Iterable
from unittest.mock import Mock

import pytest

from mailer.delivery.desk import SLOW_SECONDS, Claim, Desk, Leave, Probe
from tests.unit.mails import a_mail

SEATS = 3
AT_ONCE = 0.0  # seconds to wait for work


class FakeClock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_room() -> Mock:
    return Mock()


@pytest.fixture
def desk(make_room: Mock, clock: FakeClock) -> Desk:
    return Desk(SEATS, make_room, clock)


def claims(ids: Iterable[int], priority: int = 5, *, trial: str | None = None) -> list[Claim]:
    return [Claim(a_mail(id=n, priority=priority), Mock(), Mock(), trial) for n in ids]


def taken(desk: Desk, seat: int = 0) -> int | None:
    job = desk.take(seat, AT_ONCE)
    return job.mail.id if isinstance(job, Claim) else None


def in_hand(desk: Desk) -> list[int]:
    return [claim.mail.id for claim in desk.in_hand()]


def let_all_work(desk: Desk) -> None:
    for _ in range(SEATS * SEATS):
        desk.went_well()


def test_mail_is_given_out_in_the_order_of_its_claim(desk: Desk) -> None:
    desk.put(claims([3, 1, 2]))

    assert [taken(desk) for _ in range(4)] == [3, 1, 2, None]


def test_urgent_mail_overtakes_what_waits(desk: Desk) -> None:
    desk.put(claims([1, 2]))
    desk.put(claims([9], priority=1))

    assert taken(desk) == 9


def test_more_is_asked_for_when_half_is_gone(desk: Desk, make_room: Mock) -> None:
    desk.put(claims(range(4)))

    taken(desk)
    make_room.assert_not_called()
    taken(desk)
    make_room.assert_called_once_with()


def test_one_sender_alone_begins(desk: Desk) -> None:
    desk.put(claims([1, 2]))

    assert taken(desk, seat=1) == 1
    assert taken(desk, seat=0) is None


def test_another_joins_where_the_first_is_slow(desk: Desk, clock: FakeClock) -> None:
    desk.put(claims([1, 2, 3]))
    taken(desk, seat=0)

    clock.seconds += SLOW_SECONDS + 1

    assert taken(desk, seat=1) == 2
    assert taken(desk, seat=2) is None


def test_another_sender_joins_after_each_round_that_went_well(desk: Desk) -> None:
    desk.put(claims(range(9)))
    seats = [desk.active_seats]
    for _ in range(6):
        desk.went_well()
        seats.append(desk.active_seats)

    assert seats == [1, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("trouble", ["shut", "slow_down"])
def test_trouble_leaves_one_sender(desk: Desk, trouble: str) -> None:
    let_all_work(desk)

    getattr(desk, trouble)()

    assert desk.active_seats == 1


def test_nothing_is_given_out_while_it_is_shut(desk: Desk) -> None:
    desk.put(claims([1]))

    desk.shut()

    assert taken(desk) is None


def test_a_trial_is_given_out_while_it_is_shut(desk: Desk) -> None:
    desk.shut()
    desk.put(claims([5], trial="quota"))

    assert [claim.mail.id for claim in desk.drain()] == []
    assert taken(desk) == 5


def test_a_probe_goes_first_and_to_whoever_is_free(desk: Desk) -> None:
    desk.put(claims([1, 2]))
    desk.put_probe()

    assert isinstance(desk.take(1, AT_ONCE), Probe)
    assert taken(desk, seat=1) == 1


def test_it_may_open_again_only_when_the_reason_is_on_record(desk: Desk) -> None:
    desk.shut()
    assert not desk.may_reopen

    desk.shutting_is_recorded()

    assert desk.may_reopen


def test_draining_takes_back_what_no_sender_has(desk: Desk) -> None:
    desk.put(claims([1, 2, 3]))
    taken(desk)

    assert [claim.mail.id for claim in desk.drain()] == [2, 3]
    assert desk.waiting() == 0
    assert in_hand(desk) == [1, 2, 3]


def test_mail_is_in_hand_until_it_is_settled(desk: Desk) -> None:
    desk.put(claims([1, 2]))
    desk.hold(claims([3]))

    desk.settled([1, 3])

    assert in_hand(desk) == [2]


def test_senders_go_home_though_mail_waits(desk: Desk) -> None:
    desk.put(claims([1]))

    desk.leave()

    assert isinstance(desk.take(2, AT_ONCE), Leave)


def test_it_is_idle_while_nothing_comes_of_what_is_in_hand(desk: Desk, clock: FakeClock) -> None:
    clock.seconds += 500
    desk.put(claims([1, 2]))
    clock.seconds += 30

    assert desk.idle_seconds() == 30


def test_it_is_not_idle_while_something_comes_of_any(desk: Desk, clock: FakeClock) -> None:
    desk.put(claims([1, 2]))
    clock.seconds += 30
    desk.settled([1])

    assert desk.idle_seconds() == 0


def test_settling_nothing_is_no_progress(desk: Desk, clock: FakeClock) -> None:
    desk.put(claims([1, 2]))
    clock.seconds += 30
    desk.settled([])

    assert desk.idle_seconds() == 30
