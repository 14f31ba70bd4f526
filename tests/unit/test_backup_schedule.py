from datetime import UTC, datetime, timedelta

import pytest

from backup.schedule import slots as schedule
from backup.settings import Settings
from common.settings import ConfigError

URL = "postgresql://u:p@db/keelson?sslmode=verify-full"
SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        pytest.param("0 3 * * 0", "write weekdays by name", id="0 would be Monday"),
        pytest.param("0 3 * * 1-5", "write weekdays by name", id="and 1-5 Tuesday to Saturday"),
        pytest.param("0 3 * * */2", "write weekdays by name", id="steps count from Monday"),
        pytest.param("0 3 1 * mon", "not both", id="cron says or, APScheduler and"),
        pytest.param("0 3 * *", "5 fields", id="a field is missing"),
        pytest.param("0 0 3 * * *", "5 fields", id="seconds are not cron's"),
        pytest.param("60 3 * * *", "higher than the maximum", id="no such minute"),
        pytest.param("x 3 * * *", "Unrecognized expression", id="no number"),
        pytest.param("0 3 * * xyz", "Invalid weekday name", id="no such day"),
        pytest.param("0 3 31 2 *", "never comes", id="no such date"),
        pytest.param("daily", "5 fields", id="no cron at all"),
    ],
)
def test_schedule_that_would_surprise_is_refused(expression: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as raised:
        Settings.read(database_url=URL, backup_schedule=expression)

    assert str(raised.value).startswith("BACKUP_SCHEDULE: ")


@pytest.mark.parametrize(
    ("expression", "next_run"),
    [
        pytest.param("0 3 * * *", at(22, 3), id="the default"),
        pytest.param("30 2 * * mon-sat", at(23, 2, 30), id="Monday after a Sunday"),
        pytest.param("0 0 * * SUN", at(22, 0), id="names in capitals"),
        pytest.param("*/15 * * * *", at(22, 0), id="steps of minutes"),
        pytest.param(
            "5 4 1,15 * *", datetime(2026, 12, 1, 4, 5, tzinfo=UTC), id="days of the month"
        ),
    ],
)
def test_schedule_means_what_cron_means(expression: str, next_run: datetime) -> None:
    assert schedule.parse(expression).get_next_fire_time(None, SUNDAY) == next_run


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        pytest.param(None, at(22, 12), True, id="a new stack has its first at once"),
        pytest.param(at(22, 3), at(22, 12), False, id="today's is there"),
        pytest.param(at(22, 3), at(23, 2, 59), False, id="a minute to go"),
        pytest.param(at(22, 3), at(23, 3), True, id="on the minute"),
        pytest.param(at(22, 2, 59), at(22, 3), True, id="one by hand just before does not count"),
        pytest.param(at(18, 3), at(22, 12), True, id="four days away are caught up"),
        pytest.param(at(23, 3), at(22, 12), False, id="a clock that was set back"),
    ],
)
def test_backup_is_due_once_a_slot(last: datetime | None, now: datetime, due: bool) -> None:
    trigger = schedule.parse("0 3 * * *")

    assert schedule.is_due(trigger, last, now) is due


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        pytest.param(1, 5, id="first retry is soon"),
        pytest.param(3, 20, id="delays double"),
        pytest.param(5, 60, id="and are capped"),
        pytest.param(10_000, 60, id="for ever"),
    ],
)
def test_failed_backup_is_tried_again_ever_more_rarely(failures: int, minutes: int) -> None:
    assert schedule.retry_after(failures) == timedelta(minutes=minutes)


@pytest.mark.parametrize("days", ["0", "-1", "x", "3651"])
def test_retention_that_makes_no_sense_is_refused(days: str) -> None:
    with pytest.raises(ConfigError, match=r"^BACKUP_RETENTION_DAYS: "):
        Settings.read(database_url=URL, backup_retention_days=days)
