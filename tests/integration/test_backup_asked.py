"""Jobs that the worker takes: from a real database, with runs that come to what they are told."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from backup.schedule.answers import Output
from backup.schedule.asked import Asked
from backup.schedule.child import Child
from common import jobs
from tests.integration.postgres import Database


class FakeRun(Child):
    """A run that comes to what it is told."""

    def __init__(self, *outputs: Output, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__([])
        self._outputs = list(outputs)
        self._meanwhile = meanwhile
        self.asked: list[tuple[str, ...]] = []

    def answered(self, *arguments: str) -> Output:
        """Return the next output."""
        self.asked.append(arguments)
        self._meanwhile()
        return self._outputs.pop(0)


class FakeScheduler:
    """Takes note of what is planned."""

    def __init__(self) -> None:
        self.planned: list[Callable[[], None]] = []

    def add_job(self, do: Callable[[], None]) -> None:
        """Take note."""
        self.planned.append(do)


def ask(database: Database, verb: str, **arguments: Any) -> int:
    with database.engine("web").begin() as connection:
        return jobs.ask(connection, "backup", verb, arguments)


def found(database: Database, number: int) -> tuple[str, Any]:
    with database.engine("web").connect() as connection:
        query = text("SELECT state, answer FROM jobs WHERE id = :id")
        row = connection.execute(query, {"id": number}).one()
        return row.state, row.answer


def an_asked(database: Database, run: Child) -> tuple[Asked, FakeScheduler]:
    scheduler = FakeScheduler()
    return Asked(database.engine("backup"), run, scheduler), scheduler


def test_what_waits_is_planned_once_and_then_done(database: Database) -> None:
    run = FakeRun(Output(0, '{"made": 2}', ""))
    asked, scheduler = an_asked(database, run)
    asked.look()
    number = ask(database, "copy")

    asked.look()
    asked.look()
    with capture_logs() as logs:
        for work in scheduler.planned:
            work()

    assert len(scheduler.planned) == 1
    assert run.asked == [("copy", "--json", f"--job={number}")]
    assert found(database, number) == ("done", {"made": 2})
    assert [(line["event"], line["job"]) for line in logs] == [("a job has ended", number)]


def test_what_was_left_running_has_failed_and_what_is_at_work_has_not(database: Database) -> None:
    left = ask(database, "take")
    with database.engine("backup").begin() as connection:
        jobs.take(connection, "backup")
    seen: list[str] = []

    def look_meanwhile() -> None:
        asked.look()
        seen.append(found(database, number)[0])

    asked, _ = an_asked(database, FakeRun(Output(0, "{}", ""), meanwhile=look_meanwhile))
    asked.look()
    number = ask(database, "watch")
    asked.work()

    assert found(database, left) == ("failed", {"error": jobs.LOST})
    assert seen == ["running"]
    assert found(database, number) == ("done", {})


def test_what_it_does_not_know_is_answered_so(database: Database) -> None:
    run = FakeRun()
    asked, _ = an_asked(database, run)
    number = ask(database, "restore", at="latest")

    asked.work()

    assert found(database, number) == ("failed", {"error": "backup knows no restore"})
    assert run.asked == []


def test_an_answer_that_the_database_did_not_get_is_written_at_the_next_look(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, _ = an_asked(database, FakeRun(Output(0, "{}", "")))
    number = ask(database, "copy")
    end, away = jobs.end, OperationalError("END", {}, Exception("away"))

    def fails(*_given: object, **_more: object) -> None:
        raise away

    monkeypatch.setattr(jobs, "end", fails)
    asked.work()
    before = found(database, number)
    monkeypatch.setattr(jobs, "end", end)
    asked.look()

    assert before == ("running", None)
    assert found(database, number) == ("done", {})


def test_a_worker_that_stops_leaves_what_waits_for_its_next_start(database: Database) -> None:
    run = FakeRun()
    asked, _ = an_asked(database, run)
    number = ask(database, "take")
    run.end()

    asked.work()

    assert found(database, number) == ("waiting", None)
