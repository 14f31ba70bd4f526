"""How far a run has come, told to the job that asked for it; where none did, to nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from common import jobs
from common.database import open_engine, reason_of
from common.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """The job, and where it is written."""

    engine: Engine
    number: int


_told: ContextVar[Told | None] = ContextVar("told", default=None)


@contextmanager
def to_job(settings: Settings, number: int | None) -> Iterator[None]:
    """Tell each step of the block to this job; without one it changes nothing."""
    if number is None:
        yield
        return
    engine = open_engine(settings, "backup-steps")
    before = _told.set(Told(engine, number))
    try:
        yield
    finally:
        _told.reset(before)
        engine.dispose()


def step(said: str, *, ok: bool = True) -> None:
    """Tell what begins now, or has gone wrong; where the database is away, the run goes on untold."""
    told = _told.get()
    if told is None:
        return
    try:
        with told.engine.begin() as connection:
            jobs.step(connection, told.number, said, ok=ok)
    except SQLAlchemyError as error:
        log.warning("a step is not told", step=said, reason=reason_of(error))
