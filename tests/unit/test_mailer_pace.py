from mailer.delivery.pace import LARGEST, Pace
from tests.unit.test_mailer_desk import FakeClock

SENDERS = 4


def test_little_is_claimed_at_first() -> None:
    assert Pace(FakeClock()).batch(SENDERS, waiting=0) == 2 * SENDERS


def test_more_is_claimed_while_it_is_gone_at_once() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(10):
        batch = pace.batch(SENDERS, waiting=0)
        clock.seconds += 0.01
        pace.claimed(batch, batch)

    assert pace.batch(SENDERS, waiting=0) == LARGEST


def test_less_is_claimed_while_it_lasts_long() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(10):
        batch = pace.batch(SENDERS, waiting=0)
        clock.seconds += 0.01
        pace.claimed(batch, batch)
    for _ in range(10):
        batch = pace.batch(SENDERS, waiting=0)
        clock.seconds += 1
        pace.claimed(batch, batch)

    assert pace.batch(SENDERS, waiting=0) == 2 * SENDERS


def test_a_trickle_of_mail_does_not_make_it_claim_more() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(10):
        batch = pace.batch(SENDERS, waiting=0)
        clock.seconds += 0.01
        pace.claimed(batch, 1)

    assert pace.batch(SENDERS, waiting=0) == 2 * SENDERS


def test_nothing_is_claimed_while_more_than_half_waits() -> None:
    pace = Pace(FakeClock())

    assert pace.batch(SENDERS, waiting=5) == 0
    assert pace.batch(SENDERS, waiting=4) == 4
