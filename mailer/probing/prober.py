"""Measures every part once a minute, in a thread of its own.

While the database is away a day of measurements is kept here and written once it is back: its outage is
to be seen in them. A minute in which nobody measured stays a gap.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from common import facts
from common.condition import Facts
from common.database import reason_of
from mailer.outage import Outage
from mailer.probing.meaning import Answer, States, states
from mailer.probing.records import Minute
from mailer.stop import Stop

log = structlog.get_logger(__name__)

MINUTE_SECONDS = 60.0
INTO_THE_MINUTE_SECONDS = (
    1.0  # or a wait that ends a little early would fall into the minute before
)
MOST_MINUTES = 24 * 60
AWAY = (DBAPIError, PoolTimeoutError)


class Prober:
    """Keeps what it has measured until it is written; no trouble ends it."""

    def __init__(
        self,
        measure: Callable[[datetime], States],
        write: Callable[[Sequence[Minute], datetime], None],
        now: Callable[[], datetime],
    ) -> None:
        self._measure = measure
        self._write = write
        self._now = now
        self._unwritten: deque[Minute] = deque(maxlen=MOST_MINUTES)
        self._outage = Outage("measurements")

    def run(self, stop: Stop) -> None:
        """Measure at the beginning of each minute until told to stop."""
        while not stop.is_set():
            stop.wait(seconds_to_next(self._now()))
            if stop.is_set():
                return
            try:
                self.measure()
            except Exception:  # the thread would end unseen
                log.exception("a measurement failed for a reason that nobody foresaw")

    def measure(self) -> None:
        """Measure now, and write it with all that could not be written before."""
        now = self._now()
        self._unwritten.append(Minute(minute_of(now), self._measure(now)))
        try:
            self._write(self._unwritten, now)
        except AWAY as error:
            self._outage.begin(reason_of(error), "database")
        else:
            self._unwritten.clear()
            self._outage.end()


def minute_of(moment: datetime) -> datetime:
    """Return when its minute began."""
    return moment.replace(second=0, microsecond=0)


def seconds_to_next(moment: datetime) -> float:
    """Return how long it is until the next minute has just begun."""
    into = moment.second + moment.microsecond / 1e6
    return MINUTE_SECONDS - into + INTO_THE_MINUTE_SECONDS


def measuring(
    engine: Engine, readiness: Callable[[], Answer | None], edge: Callable[[], Answer | None]
) -> Callable[[datetime], States]:
    """Return what measures all parts; web is asked for edge only where it answered at all."""

    def measure(now: datetime) -> States:
        ready = readiness()
        return states(read(engine), ready, edge() if ready else None, now)

    return measure


def read(engine: Engine) -> Facts | None:
    """Return what the database knows; None where it does not answer. A mistake of ours is no outage."""
    try:
        with engine.connect() as connection:
            return facts.read(connection)
    except ProgrammingError:
        raise
    except AWAY:
        return None


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
