from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.schedule.told import ToldStream
from backup.watching.alerts import Alerts

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeStream:
    """A stream that ticks as it is told."""

    def __init__(self, troubles: list[str | None]) -> None:
        self._troubles = troubles

    def start(self) -> None:
        """Begin nothing."""

    def stop(self) -> None:
        """End nothing."""

    def base_due(self) -> bool:
        """Say no."""
        return False

    def tick(self) -> str | None:
        """Return the next."""
        return self._troubles.pop(0)


@pytest.mark.parametrize(
    ("troubles", "told"),
    [
        pytest.param([None, "away", "away", None], [], id="a restart is no alert"),
        pytest.param(["away"] * 4, ["log-behind"], id="what lasts is one"),
        pytest.param([*["away"] * 4, None], [], id="its end is known at once"),
        pytest.param(["away", "away", None, "away", "away"], [], id="each time anew"),
    ],
)
def test_trouble_of_the_stream_is_told_once_it_lasts(
    tmp_path: Path, troubles: list[str | None], told: list[str]
) -> None:
    minutes = iter(range(99))
    alerts = Alerts(Folder(tmp_path), [], lambda: NOON)
    clock = lambda: NOON + timedelta(minutes=next(minutes))  # noqa: E731 a clock for this test
    stream = ToldStream(FakeStream(list(troubles)), alerts, clock)

    returned = [stream.tick() for _ in troubles]

    assert returned == troubles
    assert [problem.name for problem in alerts.open()] == told
