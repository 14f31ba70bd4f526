"""The schedule, unattended: each run is a process of its own, and a row says how it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep as pause
from typing import Protocol

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import records
from backup.catalogue.folder import Folder
from backup.errors import Interrupted
from backup.schedule import asked, overdue
from backup.schedule.asked import Asked
from backup.schedule.attempts import Attempts
from backup.schedule.child import Child
from backup.schedule.pace import Pace
from backup.stream.points import windows
from backup.watching import mirror
from backup.watching.alerts import Alerts
from common import presence
from common.database import reason_of

log = structlog.get_logger(__name__)

PART = "backup"
TICK_SECONDS = 10
STREAM_SECONDS = 60
WATCH_SECONDS = 300
CLOCK_SECONDS = 10
SET_BACK = timedelta(seconds=30)


class Streaming(Protocol):
    """The database's log, received without a pause; `stream.service` has the real one."""

    def start(self) -> None:
        """Begin to receive."""

    def stop(self) -> None:
        """End it."""

    def tick(self) -> str | None:
        """Ship what was received; return what is wrong."""

    def base_due(self) -> bool:
        """Say whether a base backup is to be taken now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When what is done. Whatever was missed is done as soon as possible, and once."""

    backups: CronTrigger
    drills: CronTrigger


class Worker:
    """Runs until told to end; a run that fails is tried again, and never ends it."""

    def __init__(  # noqa: PLR0913 its collaborators
        self,
        engine: Engine,
        folder: Folder,
        plan: Plan,
        *,
        run: Child,
        watch: Child,
        stream: Streaming | None,
        beat: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._plan = plan
        self._run = run
        self._watch = watch
        self._stream = stream
        self._beat = beat
        self._clock = clock
        self._pace = Pace(clock())
        self._away = False
        self._stream_trouble: str | None = None
        self._base_planned = False
        # Runs queue up in one thread; what is to come round again and again has threads of its own.
        names = ("default", "ticks", "stream", "watch", "asked")
        self._pools = {name: ThreadPoolExecutor(1) for name in names}
        defaults = {"misfire_grace_time": None, "coalesce": True}
        self._scheduler = BackgroundScheduler(
            executors=self._pools, job_defaults=defaults, timezone=UTC
        )
        self.backups = Attempts("take", run, self._scheduler, clock)
        self.bases = Attempts("base", run, self._scheduler, clock)
        self.drills = Attempts("drill", run, self._scheduler, clock)
        self.asked = Asked(engine, run, self._scheduler)

    def work(self) -> None:
        """Do what is planned until told to end; a run under way ends too."""
        self._folder.note_use()
        self._schedule()
        if self._stream:
            self._stream.start()
        try:
            self._scheduler.start()
            while True:
                pause(CLOCK_SECONDS)
                self.mind_the_clock()
        except Interrupted:
            log.info("stopping")
        self._run.end()
        self._watch.end()
        if self._stream:
            self._stream.stop()
        self._stop()

    def _stop(self) -> None:
        """End the scheduler, then wait for what is under way: while it waits itself, nothing can be planned.

        A run that ends just now plans what comes after it, and would wait for that for ever.
        """
        self._scheduler.shutdown(wait=False)
        for pool in self._pools.values():
            pool.shutdown()

    @property
    def running(self) -> bool:
        """Return whether the scheduler is at work."""
        return bool(self._scheduler.running)

    def jobs(self) -> list[Job]:
        """Return what is planned."""
        planned: list[Job] = self._scheduler.get_jobs()
        return planned

    def _schedule(self) -> None:
        add = self._scheduler.add_job
        self._every(TICK_SECONDS, self.tick, "ticks")
        self._every(asked.LOOK_SECONDS, self.asked.look, "asked")
        add(self._run.run, args=["unlock", "--scheduled"])  # first, while nobody is at work
        add(self.backups.attempt)  # what fell due while we were away, and what a killed run left
        add(self.backups.attempt, self._plan.backups)
        add(self.drills.attempt)
        add(self.drills.attempt, self._plan.drills)
        self._every(WATCH_SECONDS, lambda: self._watch.run("watch", "--scheduled"), "watch")
        if self._stream:
            self._every(STREAM_SECONDS, self.ship, "stream")

    def _every(self, seconds: int, do: Callable[[], object], pool: str) -> None:
        begin = self._clock()
        self._scheduler.add_job(do, "interval", seconds=seconds, executor=pool, next_run_time=begin)

    def mind_the_clock(self) -> None:
        """Where the clock was set back, do now what else would wait until it is as late again as it was."""
        behind = self._pace.behind(self._clock())
        if behind < SET_BACK:
            return
        log.warning("the clock was set back", seconds=behind.total_seconds())
        for job in self.jobs():
            if isinstance(job.trigger, IntervalTrigger):
                job.modify(next_run_time=self._clock())

    def tick(self) -> None:
        """Prove that the scheduler lives, and mirror to the database what is in the folder."""
        self._beat()
        self._plan_base()
        try:
            with self._engine.begin() as connection:
                self._report(connection)
        except SQLAlchemyError as error:
            if not self._away:
                log.warning("the database is away; waiting for it", reason=reason_of(error))
            self._away = True
        else:
            self._away = False

    def ship(self) -> None:
        """Bring the log to the targets."""
        if self._stream is None:
            return
        trouble = self._stream.tick()
        if trouble and trouble != self._stream_trouble:
            log.warning("point in time is in trouble", reason=trouble)
        self._stream_trouble = trouble

    def _plan_base(self) -> None:
        """Where a base backup is due, have one taken when its turn comes."""
        if not self._stream or self._base_planned or self.bases.waiting:
            return
        if self._stream.base_due():
            self._base_planned = True
            self._scheduler.add_job(self._take_base)

    def _take_base(self) -> None:
        """Take it, and ship at once: only with log after it can an instant be restored."""
        try:
            self.bases.attempt()
        finally:
            self._base_planned = False
        self._scheduler.add_job(self.ship, executor="stream")

    def _report(self, connection: Connection) -> None:
        now = self._clock()
        records.mirror(connection, self._folder, now)
        trouble = records.trouble(connection, now, at_work=self._folder.is_claimed())
        trouble = trouble or self._overdue(now) or self._stream_trouble
        trouble = trouble or Alerts(self._folder, [], self._clock).worst()
        if self._stream:
            ends = {name: (seen.start, seen.until) for name, seen in windows(self._folder).items()}
            mirror.note_recoverable(connection, ends)
        mirror.note_plans(connection, self._upcoming(now))
        presence.record(connection, PART, now, trouble)

    def _upcoming(self, now: datetime) -> dict[str, datetime]:
        """Return when what is done next: by schedule, or where one has failed, before that."""
        plans = ((self.backups, self._plan.backups), (self.drills, self._plan.drills))
        found = {
            one.verb: (one.next_try, plan.get_next_fire_time(None, now)) for one, plan in plans
        }
        times = {
            verb: [time for time in both if time and time > now] for verb, both in found.items()
        }
        return {verb: min(some) for verb, some in times.items() if some}

    def _overdue(self, now: datetime) -> str | None:
        reason = overdue.backup(self._folder, self._plan.backups, now)
        return f"the backup is overdue: {reason}" if reason else None
