"""What others ask of us, as jobs: done when their turn comes among what is scheduled, and answered."""

import json
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import Engine, exists, select
from sqlalchemy.exc import SQLAlchemyError

from backup.schedule.answers import UnknownJobError, answer_of, command
from backup.schedule.child import Child
from common import jobs
from common.schema import jobs as table

PART = "backup"
LOOK_SECONDS = 2
WAITS = select(exists().where(table.c.part == PART, table.c.state == "waiting"))

log = structlog.get_logger(__name__)


class Asked:
    """Takes jobs one at a time; whoever is killed meanwhile, the next look fails what nobody works on."""

    def __init__(self, engine: Engine, run: Child, scheduler: Any) -> None:
        self._engine = engine
        self._run = run
        self._scheduler = scheduler
        self._lock = Lock()  # what is taken is known as ours before anybody calls it lost
        self._ours: int | None = None
        self._planned = False
        self._unwritten: tuple[str, bool] | None = (
            None  # an answer that the database has not got yet
        )

    def look(self) -> None:
        """Where something waits, plan to do it; often and cheap, and quiet where the database is away."""
        try:
            with self._lock:
                waits = self._tidied()
        except SQLAlchemyError:  # the tick tells of it
            return
        if waits and not self._planned:
            self._planned = True
            self._scheduler.add_job(self.work)

    def work(self) -> None:
        """Do what waits longest."""
        try:
            job = self._taken()
            if job is not None:
                self._do(job)
        finally:
            self._planned = False

    def _tidied(self) -> bool:
        """Write what is still to be written, fail what was left running, and say whether something waits."""
        if self._unwritten is not None:
            self._write()
        with self._engine.begin() as connection:
            if self._ours is None:
                jobs.lose(connection, PART)
            return connection.scalars(WAITS).one()

    def _taken(self) -> jobs.Job | None:
        if self._run.ended:  # it waits for our next start
            return None
        try:
            with self._lock:
                if self._ours is not None:
                    return None
                with self._engine.begin() as connection:
                    job = jobs.take(connection, PART)
                self._ours = job.id if job else None
        except SQLAlchemyError:
            return None
        return job

    def _do(self, job: jobs.Job) -> None:
        try:
            output = self._run.answered(*command(job))
        except UnknownJobError as error:
            answer, done = {"error": str(error)}, False
        else:
            answer, done = answer_of(job.verb, output)
        log.info("a job has ended", job=job.id, verb=job.verb, done=done)
        with self._lock:
            self._unwritten = json.dumps(answer), done
            try:
                self._write()
            except SQLAlchemyError:
                log.warning("the answer of a job is written later", job=job.id)

    def _write(self) -> None:
        if self._unwritten is None or self._ours is None:
            return
        answer, done = self._unwritten
        with self._engine.begin() as connection:
            jobs.end(connection, self._ours, answer, ok=done)
        self._ours, self._unwritten = None, None
