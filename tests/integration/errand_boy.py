"""A mailer that does what operators ask, and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, text

from common import jobs
from mailer.operator.commands import Means
from mailer.operator.jobs import Jobs
from mailer.stop import Stop
from tests.integration.postgres import Database
from tests.waiting import eventually

STOP_SECONDS = 20


@contextmanager
def at_work(database: Database, means: Means | None = None) -> Iterator[None]:
    """Do what is asked, in a thread; at the end it must stop when told to."""
    stop = Stop()
    engine = create_engine(database.url("mailer"), pool_pre_ping=True)
    worker = Jobs(engine, means or some_means(engine))
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
        assert not thread.is_alive(), "it does not stop"
        engine.dispose()
        stop.close()


def some_means(engine: Engine) -> Means:
    """Return means without a relay."""
    return Means(engine, 0, "us@example.org", lambda: None, lambda _mail: [])


def ask(database: Database, verb: str, **arguments: object) -> int:
    """Ask it, as web does."""
    with database.engine("web").begin() as connection:
        return jobs.ask(connection, "mailer", verb, arguments)


def answer(database: Database, verb: str, **arguments: object) -> Any:
    """Ask it, and wait for what comes of it."""
    return ended(database, ask(database, verb, **arguments))


def job_of(database: Database, number: int) -> Any:
    """Return what was asked, and what came of it."""
    with database.engine("owner").connect() as connection:
        return connection.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": number}).one()


def ended(database: Database, number: int) -> Any:
    """Wait until it has ended, and return it."""
    eventually(lambda: job_of(database, number).state in {"done", "failed"}, seconds=15)
    return job_of(database, number)


def said(job: Any) -> list[str]:
    """Return what was told, step by step."""
    return [step["said"] for step in job.steps]
