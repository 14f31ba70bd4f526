"""Measurements in a real database, with the mailer's own grants: written once, summed up, removed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, insert

from common.condition import State
from common.presence import record
from common.schema import backups
from mailer.probing.meaning import Answer, States
from mailer.probing.prober import Prober, measuring
from mailer.probing.records import Minute, Records
from tests.integration.measurements import days_of, minutes_of, put_day, put_minute
from tests.integration.postgres import Database

MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
TODAY, YESTERDAY = date(2027, 3, 1), date(2027, 2, 28)
UP, DEGRADED, DOWN = State.UP, State.DEGRADED, State.DOWN


def at(minutes: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minutes)


def website(minutes: int, state: State) -> Minute:
    return Minute(at(minutes), {"Website": state})


def write(database: Database, *minutes: Minute, now: datetime = MIDNIGHT) -> None:
    Records(database.engine("mailer")).write(minutes, now)


def test_minutes_are_written_and_summed_up_by_day(database: Database) -> None:
    write(database, website(-2, UP), website(-1, DOWN))
    write(database, website(0, UP), website(1, DEGRADED), website(3, UP))

    assert minutes_of(database, "Website") == {
        at(-2): "up",
        at(-1): "down",
        at(0): "up",
        at(1): "degraded",
        at(3): "up",
    }
    assert days_of(database, "Website") == {YESTERDAY: (1, 0, 1), TODAY: (2, 1, 0)}


def test_minute_that_nobody_measured_is_in_no_sum(database: Database) -> None:
    write(database, Minute(at(0), {"Website": UP}), Minute(at(1), {"Website": UP, "Mail": DOWN}))

    assert days_of(database, "Website") == {TODAY: (2, 0, 0)}
    assert days_of(database, "Mail") == {TODAY: (0, 0, 1)}
    assert days_of(database, "Edge") == {}


def test_written_again_a_minute_changes_nothing(database: Database) -> None:
    write(database, website(0, UP))
    write(database, website(0, DOWN), website(1, UP))

    assert minutes_of(database, "Website") == {at(0): "up", at(1): "up"}
    assert days_of(database, "Website") == {TODAY: (2, 0, 0)}


def test_several_mailers_that_write_the_same_count_it_once(database: Database) -> None:
    minutes = [Minute(at(n), {"Website": UP, "Mail": DOWN, "Edge": UP}) for n in range(200)]
    engine = create_engine(database.url("mailer"), pool_size=4)

    with ThreadPoolExecutor(4) as pool:
        writing = [
            pool.submit(Records(engine).write, chosen, MIDNIGHT)
            for chosen in (minutes, minutes[::-1], minutes[50:], minutes[::2])
        ]
        for one in writing:
            one.result()
    engine.dispose()

    assert days_of(database, "Website") == {TODAY: (200, 0, 0)}
    assert days_of(database, "Mail") == {TODAY: (0, 0, 200)}


def test_minutes_go_after_35_days_and_days_after_400(database: Database) -> None:
    for days in (34, 36):
        put_minute(database, "Website", MIDNIGHT - timedelta(days=days))
    for days in (399, 401):
        put_day(database, "Website", TODAY - timedelta(days=days), up=1440)

    write(database, website(0, UP))

    assert set(minutes_of(database, "Website")) == {MIDNIGHT - timedelta(days=34), at(0)}
    assert set(days_of(database, "Website")) == {TODAY - timedelta(days=399), TODAY}


class Stack:
    """A stack that is well, but for what a test changes, and its time, which goes on with each measurement."""

    def __init__(self, database: Database) -> None:
        self.now = datetime.now(UTC)
        self.engine = create_engine(database.url("mailer"), pool_pre_ping=True)
        measure = measuring(self.engine, self.ready, lambda: Answer(True, {"edge": True}))
        self._prober = Prober(measure, Records(self.engine).write, lambda: self.now)

    def ready(self) -> Answer:
        """Return what web says."""
        return Answer(True, {"database": True, "schema": True, "sessions": True})

    def measure(self) -> datetime:
        """Measure, and return the minute."""
        self._prober.measure()
        minute = self.now.replace(second=0, microsecond=0)
        self.now += timedelta(minutes=1)
        return minute


@pytest.fixture
def stack(database: Database) -> Stack:
    return Stack(database)


def be_at_work(database: Database) -> None:
    now = datetime.now(UTC)
    run = {"id": "1", "state": "proven", "started_at": now, "finished_at": now}
    with database.engine("owner").begin() as connection:
        record(connection, "mailer", now)
        record(connection, "backup", now)
        connection.execute(insert(backups).values(run))


def states(database: Database, minute: datetime) -> States:
    parts = ("Website", "Edge", "Database", "Mail", "Backup", "Sessions")
    found = {part: minutes_of(database, part).get(minute) for part in parts}
    return {part: State(state) for part, state in found.items() if state}


def test_every_part_is_measured(database: Database, stack: Stack) -> None:
    be_at_work(database)

    minute = stack.measure()

    assert states(database, minute) == dict.fromkeys(
        ["Website", "Edge", "Database", "Mail", "Backup", "Sessions"], UP
    )


def test_outage_of_the_database_is_written_once_it_is_over(
    database: Database, stack: Stack
) -> None:
    be_at_work(database)
    before = stack.measure()

    database.stop()
    try:
        during = [stack.measure(), stack.measure()]
    finally:
        database.start()
    after = stack.measure()

    found = minutes_of(database, "Database")
    assert [found[minute] for minute in (before, *during, after)] == ["up", "down", "down", "up"]
    assert set(minutes_of(database, "Mail")) == {before, after}  # nobody could tell meanwhile
    up, _degraded, down = map(sum, zip(*days_of(database, "Database").values(), strict=True))
    assert (up, down) == (2, 2)
