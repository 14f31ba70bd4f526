"""When a backup is due (cron, in UTC), and how soon a failed one is tried again. Pure."""

import re
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

FIELDS = 5
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=1)
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_WEEKDAYS = re.compile(r"\*|[a-z]{3}([-,][a-z]{3})*")
_INSTANT = timedelta(microseconds=1)


def parse(expression: str) -> CronTrigger:
    """Return the trigger, or raise a ValueError that says what to write instead."""
    fields = expression.lower().split()
    if len(fields) != FIELDS:
        message = (
            f"cron has {FIELDS} fields (minute hour day month weekday), here are {len(fields)}"
        )
        raise ValueError(message)
    _refuse_surprises(day=fields[2], weekday=fields[4])
    trigger = CronTrigger.from_crontab(" ".join(fields), timezone=UTC)
    if trigger.get_next_fire_time(None, ANY_TIME) is None:
        message = "this date never comes"
        raise ValueError(message)
    return trigger


def _refuse_surprises(day: str, weekday: str) -> None:
    """Refuse what cron and APScheduler read differently: its 0 is Monday, its days join by and."""
    if not _WEEKDAYS.fullmatch(weekday):
        message = "write weekdays by name (sun, mon-fri): programs differ on what a number means"
        raise ValueError(message)
    if "*" not in (day, weekday):
        message = "name days of the month or weekdays, not both: programs differ on what that means"
        raise ValueError(message)


def is_due(trigger: CronTrigger, last: datetime | None, now: datetime) -> bool:
    """Say whether a backup should have begun after `last`, the start of the last proven one.

    With none at all one is due at once: a new stack has its first backup within a minute, and
    what would fail the backups fails on the first day, while somebody is looking.
    """
    if last is None:
        return True
    due_at = trigger.get_next_fire_time(None, last + _INSTANT)
    return due_at is not None and due_at <= now


def retry_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: doubling, at most an hour."""
    doubled = FIRST_RETRY * (1 << min(failures - 1, 10))
    return min(doubled, LONGEST_RETRY)
