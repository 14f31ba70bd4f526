import pytest
from structlog.testing import capture_logs

from mailer.outage import Outage


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


def test_outage_is_open_at_first(clock: FakeClock) -> None:
    outage = Outage("relay", now=clock)

    assert outage.left_seconds() == 0
    assert outage.trouble is None


def test_outage_closes_for_longer_with_each_failure(clock: FakeClock) -> None:
    outage = Outage("relay", now=clock)
    pauses = []

    for _ in range(8):
        outage.begin("down", "connect")
        pauses.append(outage.left_seconds())

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_outage_never_closes_for_longer_than_it_may(clock: FakeClock) -> None:
    outage = Outage("database", longest_pause_seconds=3, now=clock)

    for _ in range(8):
        outage.begin("down", "connect")

    assert outage.left_seconds() == 3


def test_outage_may_be_tried_when_its_time_is_over_but_is_in_trouble_until_that_succeeds(
    clock: FakeClock,
) -> None:
    outage = Outage("relay", now=clock)
    outage.begin("down", "connect")

    clock.seconds += 1

    assert outage.left_seconds() == 0
    assert outage.trouble == "down"


def test_success_opens_the_outage_and_forgets_the_failures(clock: FakeClock) -> None:
    outage = Outage("relay", now=clock)
    for _ in range(5):
        outage.begin("down", "connect")

    outage.end()
    trouble_after_success = outage.trouble
    outage.begin("down", "connect")

    assert trouble_after_success is None
    assert outage.left_seconds() == 1


def test_trouble_is_logged_once_and_so_is_its_end(clock: FakeClock) -> None:
    outage = Outage("relay", now=clock)

    with capture_logs() as logs:
        outage.end()
        outage.begin("535 no, id 1", ("login", 535))
        outage.begin("535 no, id 2", ("login", 535))
        outage.begin("connection refused", ("connection", None))
        clock.seconds += 90
        outage.end()
        outage.end()

    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("in trouble", "535 no, id 1"),
        ("in trouble", "connection refused"),
        ("well again", None),
    ]
    assert logs[-1]["after_seconds"] == 90
