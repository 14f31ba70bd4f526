"""The loop: deliver while there is mail, wait while there is none, and outlive what is away."""

import math
import time
from collections.abc import Callable
from datetime import datetime

import psycopg2
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from common import presence
from common.database import reason_of
from mailer.delivery import Delivery
from mailer.gate import Gate
from mailer.listener import Listener
from mailer.stop import Stop

log = structlog.get_logger(__name__)

PART = "mailer"
POLL_SECONDS = 5.0  # in case a wake-up was lost, and for what falls due by itself
PRESENCE_SECONDS = 10.0
DATABASE_PAUSE_SECONDS = 10.0
DATABASE_ERRORS = (DBAPIError, psycopg2.Error)


class Worker:
    """Runs until told to stop; neither the relay nor the database being away ends it."""

    def __init__(
        self,
        engine: Engine,
        delivery: Delivery,
        relay: Gate,
        beat: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._delivery = delivery
        self._relay = relay
        self._beat = beat
        self._now = now
        self._listener = Listener(engine)
        self._database = Gate("database", longest_pause_seconds=DATABASE_PAUSE_SECONDS)
        self._presence: tuple[float, str | None] = (-math.inf, None)  # when, and what

    def run(self, stop: Stop) -> None:
        """Deliver until told to stop: a busy pass goes straight on, an idle one waits."""
        while not stop.is_set():
            self._beat()
            try:
                self._pass(stop)
            except DATABASE_ERRORS as error:
                self._hang_up()
                self._database.close(reason_of(error), "database")
                stop.wait(self._database.closed_seconds())
            except Exception:  # one odd mail must not end all mail; its lease keeps it away for now
                log.exception("a pass failed for a reason that nobody foresaw")
                self._hang_up()
                stop.wait(POLL_SECONDS)
        self._finish()

    def _pass(self, stop: Stop) -> None:
        self._listener.open()  # before the look at the table, so that nothing falls between the two
        self._record_presence()
        self._database.open()
        if self._delivery.prepare() and self._deliver_one(stop):
            return
        self._record_presence()
        self._wait(stop)

    def _deliver_one(self, stop: Stop) -> bool:
        """Deliver a mail, unless told to stop by now: logging in may have taken its time."""
        self._beat()
        self._record_presence()
        return not stop.is_set() and self._delivery.deliver_one()

    def _wait(self, stop: Stop) -> None:
        """Wait for mail; or for the relay, and then new mail changes nothing."""
        pause_seconds = self._relay.closed_seconds()
        if pause_seconds > 0:
            stop.wait(min(pause_seconds, POLL_SECONDS))
        else:
            self._listener.wait(stop, POLL_SECONDS)

    def _record_presence(self) -> None:
        """Write that we are at work: at once where the trouble changed, else now and then."""
        moment, trouble = time.monotonic(), self._relay.trouble
        recorded_at, recorded = self._presence
        if recorded == trouble and moment - recorded_at < PRESENCE_SECONDS:
            return
        with self._engine.begin() as transaction:
            presence.record(transaction, PART, self._now(), trouble)
        self._presence = (moment, trouble)

    def _hang_up(self) -> None:
        self._listener.close()
        self._delivery.hang_up()

    def _finish(self) -> None:
        try:
            self._delivery.acknowledge()
        except DATABASE_ERRORS as error:
            log.warning(
                "the relay's consent was not recorded; it goes twice", reason=reason_of(error)
            )
        self._hang_up()
        log.info("stopped")
