from datetime import timedelta

from mailer.delivery.bounds import SLACK, WHOLE_LOOK_SECONDS, Bounds
from mailer.delivery.claims import ALWAYS
from tests.unit.mails import NOW, a_mail
from tests.unit.test_mailer_desk import FakeClock


def test_the_first_look_is_at_everything() -> None:
    assert set(Bounds(FakeClock()).of(9).values()) == {ALWAYS}


def test_priorities_below_the_lowest_are_left_out() -> None:
    assert list(Bounds(FakeClock()).of(2)) == [1, 2]


def test_the_next_look_begins_a_little_before_where_the_last_one_ended() -> None:
    bounds = Bounds(FakeClock())
    bounds.of(9)
    bounds.learn([a_mail(due_at=NOW), a_mail(due_at=NOW - timedelta(hours=1))])

    assert bounds.of(9)[5] == NOW - SLACK
    assert bounds.of(9)[4] == ALWAYS


def test_everything_is_looked_at_again_now_and_then() -> None:
    clock = FakeClock()
    bounds = Bounds(clock)
    bounds.of(9)
    bounds.learn([a_mail(due_at=NOW)])

    clock.seconds += WHOLE_LOOK_SECONDS

    assert bounds.of(9)[5] == ALWAYS


def test_everything_is_looked_at_again_when_asked() -> None:
    bounds = Bounds(FakeClock())
    bounds.of(9)
    bounds.learn([a_mail(due_at=NOW)])

    bounds.forget()

    assert bounds.of(9)[5] == ALWAYS
