"""How a run has ended, for those who want to know: the alert that it failed, and the ping after each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy import Engine

from backup.catalogue.folder import Folder
from backup.errors import BackupError, BusyError, Interrupted
from backup.settings import Settings
from backup.watching import channels
from backup.watching.alerts import Alerts

log = structlog.get_logger(__name__)

FAILED = "backup-failed"
UNFORESEEN = "it failed as nobody foresaw ({}); `make logs ARGS=backup` shows where"  # its text may hold rows


def alerts(
    settings: Settings, folder: Folder, engine: Engine, clock: Callable[[], datetime]
) -> Alerts:
    """Return the alerts, with the channels that are set."""
    return Alerts(folder, channels.of(settings, engine), clock)


@contextmanager
def told(settings: Settings, alerts: Alerts) -> Iterator[Callable[[], None]]:
    """Tell how the run in this block ends; call what is yielded once it has come to something.

    One that was told to end, had to wait, or found nothing due says nothing of the backups.
    """
    good = False

    def came_to_something() -> None:
        nonlocal good
        good = True

    try:
        yield came_to_something
    except (BusyError, Interrupted):
        raise
    except BackupError as error:
        alerts.tell(FAILED, str(error))
        channels.ping(settings, good=False)
        raise
    except Exception as error:  # nobody foresaw it, so nobody else tells of it
        log.exception("a run failed as nobody foresaw")
        alerts.tell(FAILED, UNFORESEEN.format(type(error).__name__))
        channels.ping(settings, good=False)
        raise
    if good:
        alerts.tell(FAILED, None)
        channels.ping(settings, good=True)
