import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from backup.catalogue.folder import Folder
from backup.errors import Interrupted
from backup.schedule import slots as schedule
from backup.schedule import worker as worker_module
from backup.schedule.attempts import Attempts
from backup.schedule.child import Child
from backup.schedule.pace import Pace
from backup.schedule.worker import Plan, Worker
from tests.waiting import eventually

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOWHERE = "postgresql+psycopg2://u:p@127.0.0.1:1/keelson"


class FakeRun(Child):
    """A run that comes to what it is told."""

    def __init__(self, *codes: int) -> None:
        super().__init__([])
        self._codes = list(codes)
        self.asked: list[tuple[str, ...]] = []

    def run(self, *arguments: str) -> int:
        """Return the next code."""
        self.asked.append(arguments)
        return self._codes.pop(0)


class FakeScheduler:
    """Takes note of what is planned."""

    def __init__(self) -> None:
        self.planned: list[dict[str, Any]] = []

    def add_job(self, _do: object, _trigger: str, **more: Any) -> None:
        """Take note."""
        self.planned.append(more)


class FakeStream:
    """A stream that is as it is told."""

    def __init__(self, trouble: str | None, base_due: bool) -> None:
        self._trouble = trouble
        self._base_due = base_due

    def start(self) -> None:
        """Begin nothing."""

    def stop(self) -> None:
        """End nothing."""

    def tick(self) -> str | None:
        """Return the trouble."""
        return self._trouble

    def base_due(self) -> bool:
        """Return what was told."""
        return self._base_due


def a_worker(
    folder: Path,
    beats: list[datetime],
    stream: FakeStream | None = None,
    clock: Callable[[], datetime] = lambda: NOON,
    run: Child | None = None,
) -> Worker:
    plan = Plan(backups=schedule.parse("0 3 * * *"), drills=schedule.parse("0 5 * * sun"))
    return Worker(
        create_engine(NOWHERE),
        Folder(folder),
        plan,
        run=run or FakeRun(),
        watch=FakeRun(*[0] * 9),
        stream=stream,
        beat=lambda: beats.append(NOON),
        clock=clock,
    )


@pytest.mark.parametrize(
    ("codes", "tries"),
    [
        pytest.param([0], [], id="a proven one is not tried again"),
        pytest.param([1], ["12:05"], id="a failed one is, soon"),
        pytest.param([69], ["12:05"], id="a target that was away is asked again"),
        pytest.param([1, 1, -9], ["12:05", "12:10", "12:20"], id="and ever more rarely"),
        pytest.param([1, 0, 1], ["12:05", "12:05"], id="success begins anew"),
        pytest.param([75, 75], ["12:05", "12:05"], id="being busy is no failure"),
    ],
)
def test_failed_run_is_tried_again(codes: list[int], tries: list[str]) -> None:
    run, scheduler = FakeRun(*codes), FakeScheduler()
    attempts = Attempts("take", run, scheduler, lambda: NOON)

    with capture_logs():
        for _ in codes:
            attempts.attempt()

    assert [planned["run_date"].strftime("%H:%M") for planned in scheduler.planned] == tries
    assert {planned["id"] for planned in scheduler.planned} <= {"retry take"}  # one at a time
    assert set(run.asked) == {("take", "--scheduled")}


def test_run_that_failed_waits_and_one_that_did_not_does_not() -> None:
    attempts = Attempts("base", FakeRun(1, 0), FakeScheduler(), lambda: NOON)

    with capture_logs():
        attempts.attempt()
    failed = attempts.waiting
    attempts.attempt()

    assert (failed, attempts.waiting) == (True, False)


def test_database_that_is_away_is_told_of_once_and_the_heart_beats_on(tmp_path: Path) -> None:
    beats: list[datetime] = []
    worker = a_worker(tmp_path, beats)

    with capture_logs() as logs:
        worker.tick()
        worker.tick()

    assert len(beats) == 2
    assert [line["event"] for line in logs] == ["the database is away; waiting for it"]


def test_trouble_of_the_stream_is_told_of_once(tmp_path: Path) -> None:
    worker = a_worker(tmp_path, [], FakeStream("the slot is lost", base_due=True))

    with capture_logs() as logs:
        worker.ship()
        worker.ship()

    assert [line["reason"] for line in logs] == ["the slot is lost"]


def test_a_base_backup_that_is_due_is_planned_once_until_it_has_ended(tmp_path: Path) -> None:
    worker = a_worker(tmp_path, [], FakeStream(None, base_due=True))

    with capture_logs():
        worker.tick()
        worker.tick()

    assert [job.name for job in worker.jobs()] == ["Worker._take_base"]


def test_a_clock_that_is_set_back_stops_nothing_that_comes_round(tmp_path: Path) -> None:
    told = [NOON]
    beats: list[datetime] = []
    worker = a_worker(tmp_path, beats, clock=lambda: told[-1])
    worker._schedule()  # noqa: SLF001 `work` waits for a signal
    told.append(NOON - timedelta(hours=5))

    with capture_logs() as logs:
        worker.mind_the_clock()
        worker.mind_the_clock()

    rounds = [job for job in worker.jobs() if isinstance(job.trigger, IntervalTrigger)]
    assert {job.next_run_time for job in rounds} == {told[-1]}
    assert [line["event"] for line in logs] == ["the clock was set back"]


def test_a_clock_that_goes_as_time_does_is_left_alone() -> None:
    seconds = iter([0.0, 10.0, 20.0])
    pace = Pace(NOON, watch=lambda: next(seconds))

    assert pace.behind(NOON + timedelta(seconds=10)) == timedelta(0)
    assert pace.behind(NOON + timedelta(seconds=5)) == timedelta(seconds=15)


class LateRun(FakeRun):
    """A run whose base backup ends only once the worker is stopping."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.stopping: Callable[[], bool] = bool

    def run(self, *arguments: str) -> int:
        """Take as long."""
        if arguments[0] == "base":
            self.begun.set()
            eventually(self.stopping, 30, "the worker stops")
        return 0


def test_a_run_that_ends_while_the_worker_stops_does_not_hold_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = LateRun()
    worker = a_worker(tmp_path, [], FakeStream(None, base_due=True), run=run)
    run.stopping = lambda: not worker.running

    def told_to_end(_seconds: float) -> None:
        assert run.begun.wait(30)
        raise Interrupted

    monkeypatch.setattr(worker_module, "pause", told_to_end)

    worker.work()

    assert not worker.running
