"""Programs that come to no end by themselves."""

import sys

import pytest

from backup.postgres import programs
from backup.postgres.programs import ProgramError
from backup.schedule.child import Child

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "LONGEST_SECONDS", 0.5)

    with pytest.raises(ProgramError, match="sleep was not done after"):
        programs.run("sleep", "1000")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("import time; time.sleep(1000)", id="it listens"),
        pytest.param(STUBBORN, id="it does not"),
    ],
)
def test_a_run_that_does_not_end_is_ended_and_has_failed(what: str) -> None:
    child = Child([sys.executable, "-c", what], longest_seconds=1, end_seconds=1)

    assert child.run() < 0


def test_a_run_that_does_end_is_waited_for() -> None:
    child = Child([sys.executable, "-c", "raise SystemExit(75)"], longest_seconds=60)

    assert child.run() == 75
