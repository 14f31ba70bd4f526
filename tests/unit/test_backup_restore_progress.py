from threading import Event

import pytest

from backup.restoring.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        pytest.param(0.2, "1 s", id="nothing takes no time"),
        pytest.param(59.4, "59 s", id="seconds"),
        pytest.param(200, "3 min 20 s", id="minutes"),
        pytest.param(7500, "2 h 5 min", id="hours"),
        pytest.param(90_000, "25 h 0 min", id="more than a day"),
    ],
)
def test_a_time_span_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_each_step_is_told_with_its_estimate_and_its_time() -> None:
    told: list[str] = []
    progress = Progress(told.append)
    progress.expect({"fetch": 4.0, "load": 20.0})

    with progress.step("load", "into a new database"):
        pass

    assert told == [
        "this will take about 24 s",
        "load: into a new database (about 20 s)",
        "load: done in 1 s",
    ]
    assert set(progress.seconds) == {"load"}


def test_a_step_that_lasts_is_told_of_again() -> None:
    told: list[str] = []
    twice = Event()

    def tell(line: str) -> None:
        told.append(line)
        if len(told) > 2:
            twice.set()

    progress = Progress(tell, {"load": 20.0}, every_seconds=0.01)

    with progress.step("load", "into a new database"):
        assert twice.wait(10)

    assert told[1] == "load: 1 s of about 20 s"


def test_a_step_that_fails_is_not_called_done() -> None:
    told: list[str] = []
    progress = Progress(told.append)

    with pytest.raises(OSError, match="full"), progress.step("load", "into a new database"):
        raise OSError("full")

    assert told == ["load: into a new database"]
    assert progress.seconds == {}
