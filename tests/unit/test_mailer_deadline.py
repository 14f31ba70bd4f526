import socket

import pytest

from mailer.smtp.conversation import connected
from mailer.smtp.deadline import Deadline


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


def test_time_runs_out(clock: FakeClock) -> None:
    deadline = Deadline(now=clock)

    deadline.start(30)
    clock.seconds += 20

    assert deadline.left_seconds() == 10


@pytest.mark.parametrize("elapsed", [30, 31])
def test_timeout_is_never_zero_which_would_mean_something_else(
    clock: FakeClock, elapsed: float
) -> None:
    deadline = Deadline(now=clock)

    deadline.start(30)
    clock.seconds += elapsed

    assert 0 < deadline.left_seconds() < 0.01


def test_socket_waits_no_longer_than_what_is_left(clock: FakeClock) -> None:
    deadline = Deadline(now=clock)
    deadline.start(30)
    clock.seconds += 20

    with socket.socket() as sock:
        deadline.bind(sock)

        assert sock.gettimeout() == 10


def test_no_step_begins_after_the_end(clock: FakeClock) -> None:
    deadline = Deadline(now=clock)
    deadline.start(30)
    clock.seconds += 30

    with socket.socket() as sock, pytest.raises(TimeoutError, match="timed out"):
        deadline.bind(sock)


def test_each_piece_of_work_has_its_own_time(clock: FakeClock) -> None:
    deadline = Deadline(now=clock)
    deadline.start(30)
    clock.seconds += 100

    deadline.start(5)

    assert deadline.left_seconds() == 5


def test_addresses_that_are_all_dead_take_no_longer_than_one(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def never_answers(address: tuple[str, int], seconds: float) -> socket.socket:
        tried.append((*address, seconds))
        clock.seconds += seconds
        raise TimeoutError("timed out")

    addresses = [(2, 1, 6, "", (f"192.0.2.{number}", 587)) for number in (1, 2, 3)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: addresses)
    monkeypatch.setattr(socket, "create_connection", never_answers)
    deadline = Deadline(now=clock)
    deadline.start(30)

    with pytest.raises(TimeoutError, match="timed out"):
        connected("relay.example.org", 587, deadline)

    assert tried == [("192.0.2.1", 587, 10), ("192.0.2.2", 587, 10), ("192.0.2.3", 587, 10)]
