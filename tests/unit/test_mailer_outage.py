import pytest
from structlog.testing import capture_logs

from mailer.gate import Gate


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


def test_gate_is_open_at_first(clock: FakeClock) -> None:
    gate = Gate("relay", now=clock)

    assert gate.closed_seconds() == 0
    assert gate.trouble is None


def test_gate_closes_for_longer_with_each_failure(clock: FakeClock) -> None:
    gate = Gate("relay", now=clock)
    pauses = []

    for _ in range(8):
        gate.close("down", "connect")
        pauses.append(gate.closed_seconds())

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_gate_never_closes_for_longer_than_it_may(clock: FakeClock) -> None:
    gate = Gate("database", longest_pause_seconds=3, now=clock)

    for _ in range(8):
        gate.close("down", "connect")

    assert gate.closed_seconds() == 3


def test_gate_may_be_tried_when_its_time_is_over_but_is_in_trouble_until_that_succeeds(
    clock: FakeClock,
) -> None:
    gate = Gate("relay", now=clock)
    gate.close("down", "connect")

    clock.seconds += 1

    assert gate.closed_seconds() == 0
    assert gate.trouble == "down"


def test_success_opens_the_gate_and_forgets_the_failures(clock: FakeClock) -> None:
    gate = Gate("relay", now=clock)
    for _ in range(5):
        gate.close("down", "connect")

    gate.open()
    trouble_after_success = gate.trouble
    gate.close("down", "connect")

    assert trouble_after_success is None
    assert gate.closed_seconds() == 1


def test_trouble_is_logged_once_and_so_is_its_end(clock: FakeClock) -> None:
    gate = Gate("relay", now=clock)

    with capture_logs() as logs:
        gate.open()
        gate.close("535 no, id 1", ("login", 535))
        gate.close("535 no, id 2", ("login", 535))
        gate.close("connection refused", ("connection", None))
        clock.seconds += 90
        gate.open()
        gate.open()

    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("in trouble", "535 no, id 1"),
        ("in trouble", "connection refused"),
        ("well again", None),
    ]
    assert logs[-1]["after_seconds"] == 90
