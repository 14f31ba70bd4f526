"""The schedule, unattended: each run is a process of its own, and a row says how it stands."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from backup import records, schedule
from backup.child import Child
from backup.errors import Interrupted
from backup.folder import Folder
from common import presence
from common.database import reason_of

log = structlog.get_logger(__name__)

PART = "backup"
TICK_SECONDS = 10
MISFIRE_GRACE_SECONDS = 3600
OVERDUE = timedelta(hours=1)


class Worker:
    """Runs until told to end; a run that fails is tried again, and never ends it."""

    def __init__(  # noqa: PLR0913, PLR0917 its collaborators
        self,
        engine: Engine,
        folder: Folder,
        trigger: CronTrigger,
        run: Child,
        beat: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._trigger = trigger
        self._run = run
        self._beat = beat
        self._clock = clock
        self._failures = 0
        self._away = False
        # Runs queue up in one thread; ticks have their own, so that a long run does not look stuck.
        pools = {"default": ThreadPoolExecutor(1), "ticks": ThreadPoolExecutor(1)}
        defaults = {"misfire_grace_time": MISFIRE_GRACE_SECONDS, "coalesce": True}
        self._scheduler = BackgroundScheduler(executors=pools, job_defaults=defaults, timezone=UTC)

    def work(self) -> None:
        """Take backups on schedule until told to end; a run under way ends too."""
        add = self._scheduler.add_job
        add(
            self.tick,
            "interval",
            seconds=TICK_SECONDS,
            executor="ticks",
            next_run_time=self._clock(),
        )
        add(self.attempt, self._trigger)
        add(self.attempt)  # at once: what fell due while we were away, and what a killed run left
        try:
            self._scheduler.start()
            signal.pause()
        except Interrupted:
            log.info("stopping")
        self._run.end()
        self._scheduler.shutdown()

    def attempt(self) -> None:
        """Have a backup taken if one is due; where it fails, plan the next try."""
        code = self._run.run()
        if code == os.EX_OK or self._run.ended:
            self._failures = 0
            return
        if code != os.EX_TEMPFAIL:  # that one is only busy: another replica, a verification
            self._failures += 1
        next_try = self._clock() + schedule.retry_after(max(self._failures, 1))
        self._scheduler.add_job(
            self.attempt, "date", run_date=next_try, id="retry", replace_existing=True
        )
        log.warning(
            "no backup was taken; it is tried again", code=code, next_try=next_try.isoformat()
        )

    def tick(self) -> None:
        """Prove that the scheduler lives, and mirror to the database what is in the folder."""
        self._beat()
        try:
            with self._engine.begin() as connection:
                self._report(connection)
        except SQLAlchemyError as error:
            if not self._away:
                log.warning("the database is away; waiting for it", reason=reason_of(error))
            self._away = True
        else:
            self._away = False

    def _report(self, connection: Connection) -> None:
        now = self._clock()
        records.mirror(connection, self._folder, now)
        presence.record(connection, PART, now, records.trouble(connection) or self._overdue(now))

    def _overdue(self, now: datetime) -> str | None:
        proven = self._folder.proven()
        if not proven or not schedule.is_due(self._trigger, proven[-1].started_at, now - OVERDUE):
            return None
        return f"the backup is overdue: the last proven one is {proven[-1].id}"
