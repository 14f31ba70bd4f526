from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from backup import schedule
from backup.child import Child
from backup.folder import Folder
from backup.worker import Worker

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOWHERE = "postgresql+psycopg2://u:p@127.0.0.1:1/keelson"


class FakeRun(Child):
    """A run that comes to what it is told."""

    def __init__(self, *codes: int) -> None:
        super().__init__([])
        self._codes = list(codes)

    def run(self) -> int:
        """Return the next code."""
        return self._codes.pop(0)


def a_worker(folder: Path, run: Child, beats: list[datetime]) -> Worker:
    trigger = schedule.parse("0 3 * * *")
    return Worker(
        create_engine(NOWHERE),
        Folder(folder),
        trigger,
        run,
        lambda: beats.append(NOON),
        lambda: NOON,
    )


@pytest.mark.parametrize(
    ("codes", "tries"),
    [
        pytest.param([0], [], id="a proven one is not tried again"),
        pytest.param([1], ["12:05"], id="a failed one is, soon"),
        pytest.param([1, 1, -9], ["12:05", "12:10", "12:20"], id="and ever more rarely"),
        pytest.param([1, 0, 1], ["12:05", "12:05"], id="success begins anew"),
        pytest.param([75, 75], ["12:05", "12:05"], id="being busy is no failure"),
    ],
)
def test_failed_run_is_tried_again(tmp_path: Path, codes: list[int], tries: list[str]) -> None:
    worker = a_worker(tmp_path, FakeRun(*codes), [])

    with capture_logs() as logs:
        for _ in codes:
            worker.attempt()

    assert [next_try(line) for line in logs] == tries


def next_try(line: Any) -> str:
    return datetime.fromisoformat(line["next_try"]).strftime("%H:%M")


def test_database_that_is_away_is_told_of_once_and_the_heart_beats_on(tmp_path: Path) -> None:
    beats: list[datetime] = []
    worker = a_worker(tmp_path, FakeRun(), beats)

    with capture_logs() as logs:
        worker.tick()
        worker.tick()

    assert len(beats) == 2
    assert [line["event"] for line in logs] == ["the database is away; waiting for it"]
