"""What operators ask on the pages of the console: taken by one mailer, done, and told step by step."""

import contextlib
import json
from collections.abc import Callable
from typing import cast

import psycopg2
import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from common import jobs
from common.database import reason_of
from common.jobs import Job
from mailer.operator import errands
from mailer.operator.commands import Means
from mailer.operator.errands import RefusedError
from mailer.outage import Outage
from mailer.stop import Stop

PART = "mailer"
LOOK_SECONDS = 5.0  # for what no wake-up tells: a mailer that died with a job in hand
PAUSE_SECONDS = 5.0
LOST = (DBAPIError, PoolTimeoutError, psycopg2.Error)
BROKEN = "something went wrong that nobody foresaw; the mailer's log has it"

# What a mail says is not for the database to keep.
FORGET = text("""
    UPDATE jobs
       SET answer = '{"error": "A preview is kept for an hour; ask for another."}'
     WHERE part = 'mailer' AND verb = 'preview' AND state = 'done'
       AND asked_at < now() - interval '1 hour'
""")

log = structlog.get_logger(__name__)


class Jobs:
    """Takes them one after the other. Two of these let a trial that is slow hold up nothing."""

    def __init__(self, engine: Engine, means: Means) -> None:
        self._engine = engine
        self._means = means
        self._outage = Outage("jobs of operators", longest_pause_seconds=PAUSE_SECONDS)

    def run(self, stop: Stop) -> None:
        """Do what is asked until told to stop; the database being away does not end it."""
        while not stop.is_set():
            try:
                self._live(stop)
            except LOST as error:
                self._outage.begin(reason_of(error), "database")
                stop.wait(self._outage.left_seconds())

    def _live(self, stop: Stop) -> None:
        """Live with one connection: whose end is the end of what is in hand, and others see it."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(f"LISTEN {jobs.CHANNEL}")
            while not stop.is_set():
                jobs.lose_abandoned(connection, PART)
                connection.execute(FORGET)
                self._outage.end()
                while not stop.is_set() and self._do_one(connection):
                    pass
                wait(connection, stop)
        finally:
            with contextlib.suppress(*LOST):
                connection.invalidate()  # a pool must not give one that listens to anybody
            connection.close()

    def _do_one(self, connection: Connection) -> bool:
        """Do what waits longest; False where nothing waits."""
        job = jobs.take_and_hold(connection, PART)
        if job is None:
            return False

        def tell(said: str, ok: bool = True) -> None:
            jobs.step(connection, job.id, printable(said), ok=ok)

        answer, ok = self._answer(job, tell)
        jobs.end(connection, job.id, printable(json.dumps(answer)), ok=ok)
        jobs.let_go(connection, job.id)
        log.info("asked by an operator", job=job.id, verb=job.verb, ok=ok)
        return True

    def _answer(self, job: Job, tell: Callable[..., None]) -> tuple[object, bool]:
        """Do it, and return the answer, and whether it was done."""
        try:
            return errands.do(job, self._means, tell), True
        except RefusedError as error:
            return {"error": str(error)}, False
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return {"error": f"the database says: {reason_of(error)}"}, False
        except (PoolTimeoutError, psycopg2.Error):
            raise
        except Exception:  # the thread would end unseen, and the next job end the next
            log.exception("a job failed for a reason that nobody foresaw", job=job.id)
            return {"error": BROKEN}, False


def wait(connection: Connection, stop: Stop) -> None:
    """Return when something is asked, when told to stop, or in time."""
    driver = cast("psycopg2.extensions.connection", connection.connection.driver_connection)
    if not driver.notifies:  # some may have come along with the reply to a statement
        stop.wait(LOOK_SECONDS, driver)
        driver.poll()
    driver.notifies.clear()


def printable(said: str) -> str:
    """Return it as PostgreSQL takes it, which has no character zero, written out or in JSON."""
    return said.replace("\\u0000", "\ufffd").replace("\0", "\ufffd")
