"""Whether a backup should have been proven by now; also where none ever was."""

from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from backup.catalogue import ahead
from backup.catalogue.folder import Folder
from backup.schedule import slots

AFTER = timedelta(hours=1)


def backup(folder: Folder, trigger: CronTrigger, now: datetime) -> str | None:
    """Return which backup should have been followed by another one; None where none should.

    Where none was ever proven, the first one should have been by the slot after the volume came into use.
    """
    proven = ahead.without(folder.proven(), now)
    last = proven[-1].started_at if proven else folder.in_use_since()
    if last is None or not slots.is_due(trigger, last, now - AFTER):
        return None
    which = f"the last proven backup is {proven[-1].id}" if proven else "no backup was ever proven"
    return f"{which}; `make logs ARGS=backup` says why none came after it"
