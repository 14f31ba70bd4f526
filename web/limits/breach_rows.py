"""The breaches of limits in the database, for the console: written by a thread, off the requests."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import structlog
from flask import Flask
from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from common.database import reason_of
from web.extensions import db
from web.limits import figures
from web.limits.breaches import Breach, Kind, pending
from web.models import LimitBreach

WRITTEN_EVERY_SECONDS = 5
SWEPT_EVERY = timedelta(hours=1)
KEPT = timedelta(days=30)
KEY = ("minute", "route", "rule", "who")

log = structlog.get_logger(__name__)


def keep_writing(app: Flask, stop: Event) -> Thread:
    """Start the thread that writes what came together, until it is told to stop."""
    thread = Thread(target=write_until, args=(app, stop), name="limit breaches", daemon=True)
    thread.start()
    return thread


def write_until(app: Flask, stop: Event) -> None:
    """Write every few seconds, and a last time at the end; sweep now and then."""
    sweep_at = datetime.now(UTC)
    while not stop.wait(WRITTEN_EVERY_SECONDS):
        write(app)
        now = datetime.now(UTC)
        if now >= sweep_at:
            sweep(app, now)
            sweep_at = now + SWEPT_EVERY
    write(app)


def write(app: Flask) -> None:
    """Write what is pending in a transaction of its own; what can't be written is in the log."""
    rows = pending.take()
    if not rows:
        return
    try:
        with app.app_context(), db.engine.begin() as connection:
            upsert(connection, rows)
    except SQLAlchemyError as error:
        figures.UNWRITTEN.inc(sum(breach.times for breach in rows.values()))
        log.warning("breaches of limits not written", rows=len(rows), reason=reason_of(error))


def upsert(connection: Connection, rows: Mapping[Kind, Breach]) -> None:
    """Add these to what this or another process wrote of the same minute."""
    statement = insert(LimitBreach).values(list(in_order(rows)))
    summed = {"times": LimitBreach.times + statement.excluded.times}
    connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=summed))


def in_order(rows: Mapping[Kind, Breach]) -> Iterable[dict[str, object]]:
    """Yield the rows in the order of their keys: two processes that write the same don't block."""
    for kind in sorted(rows, key=lambda kind: tuple(map(str, asdict(kind).values()))):
        yield {**asdict(kind), **asdict(rows[kind])}


def sweep(app: Flask, now: datetime) -> None:
    """Delete what is too old to be of use."""
    try:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(delete(LimitBreach).where(LimitBreach.minute < now - KEPT))
    except SQLAlchemyError as error:
        log.warning("old breaches of limits not deleted", reason=reason_of(error))
