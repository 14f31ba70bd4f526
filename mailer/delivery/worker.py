"""The main thread: lives in the database, claims mail for the senders, and looks after the gates."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
import structlog
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from common import presence
from common.database import reason_of
from mailer.delivery.clerk import Clerk
from mailer.delivery.desk import Desk
from mailer.delivery.gates import trouble_of
from mailer.delivery.intake import Intake, Office
from mailer.delivery.journal import Journal
from mailer.delivery.outcome import Untried
from mailer.delivery.pulse import Pulse
from mailer.delivery.sender import Sender
from mailer.delivery.session import Session, SessionLostError
from mailer.delivery.wake import Wake
from mailer.delivery.watchdog import Rounds, Watchdog
from mailer.outage import Outage
from mailer.stop import Stop

log = structlog.get_logger(__name__)

PART = "mailer"
POLL_SECONDS = 0.5  # for what no wake-up tells: what falls due, and mailers that die
RENEW_SECONDS = 15.0
PRESENCE_SECONDS = 10.0
DATABASE_PAUSE_SECONDS = 5.0
LAST_MAIL_SECONDS = 30.0  # for mail on the wire when told to stop
LAST_RECORDS_SECONDS = 10.0
LOST = (DBAPIError, PoolTimeoutError, psycopg2.Error, SessionLostError)


@dataclass(frozen=True, slots=True)
class Crew:
    """The threads beside the main one, and what they share."""

    desk: Desk
    clerk: Clerk
    senders: list[Sender]

    @property
    def dead(self) -> list[str]:
        """Return the names of the threads that have ended."""
        return [thread.name for thread in (self.clerk, *self.senders) if not thread.is_alive()]


class Sign:
    """The row that says that we are at work, for the status page."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._shown: tuple[float, str | None] | None = None

    def show(self, trouble: str | None) -> None:
        """Write what stands in the way: at once where that has changed, else now and then."""
        moment = time.monotonic()
        if self._shown and self._shown[1] == trouble and moment < self._shown[0] + PRESENCE_SECONDS:
            return
        presence.record(self._connection, PART, datetime.now(UTC), trouble)
        self._shown = (moment, trouble)


class Worker:
    """Runs until told to stop; neither the relay nor the database being away ends it."""

    def __init__(
        self,
        engine: Engine,
        crew: Crew,
        office: Office,
        room: Wake,
        beat: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._crew = crew
        self._office = office
        self._room = room
        self._beat = beat
        self._rounds = Rounds()
        self._is_home = False
        self._home_by = 0.0
        self._outage = Outage("database", longest_pause_seconds=DATABASE_PAUSE_SECONDS)

    def run(self, stop: Stop) -> bool:
        """Work until told to stop, and return True; False is that a thread died, and so must we."""
        silent = {
            "main": self._rounds.silent_seconds,
            "clerk": self._crew.clerk.rounds.silent_seconds,
        }
        for thread in (self._crew.clerk, *self._crew.senders, Watchdog(silent, stop)):
            thread.start()
        while not stop.is_set() and not self._crew.dead:
            self._beat()
            self._rounds.begin()
            try:
                self._live(stop)
            except LOST as error:
                self._outage.begin(reason_of(error), "database")
                stop.wait(self._outage.left_seconds())
        self._go_home()
        if not stop.is_set():
            log.critical("threads died; ending, to be replaced", threads=self._crew.dead)
        return stop.is_set()

    def _live(self, stop: Stop) -> None:
        """Live one life in the database; what was claimed in it is not sent any more after it."""
        session = Session(self._engine)
        journal = Journal(self._office.journals, session.number)
        try:
            session.tell_limits(len(self._crew.senders), self._office.daily_quota)
            self._claim_until(stop, session, Intake(session, journal, self._office))
            self._go_home()
            session.leave()
        except LOST:
            self._let_go()
            raise
        finally:
            session.close()
            in_hand = self._crew.desk.in_hand()
            for claim in in_hand:
                claim.journal.give_back(claim.mail.id)
            journal.retire(keep=not self._is_home or bool(in_hand))

    def _claim_until(self, stop: Stop, session: Session, intake: Intake) -> None:
        renew_at = 0.0
        pulse = Pulse(self._crew.desk, self._office.patience_seconds)
        sign = Sign(session)
        while not stop.is_set() and not self._crew.dead:
            self._rounds.begin()
            if time.monotonic() >= renew_at:
                session.renew()
                renew_at = time.monotonic() + RENEW_SECONDS
            self._room.clear()
            try:
                gates = intake.take_in()
                sign.show(trouble_of(gates))
            except OperationalError as error:
                if not isinstance(error.orig, LockNotAvailable):
                    raise
                log.warning("a row is locked, perhaps by a mailer that is frozen; going on")
            else:
                self._outage.end()
                if pulse.is_well(session, gates):
                    self._beat()
            session.wait(stop, POLL_SECONDS, self._room)

    def _let_go(self) -> None:
        """Forget what no sender has yet: it is not ours any more."""
        for claim in self._crew.desk.drain():
            claim.journal.forget(claim.mail.id)
            self._crew.desk.settled([claim.mail.id])

    def _go_home(self) -> None:
        """Give back what waits, let the senders end what they have, and record it; safe to repeat."""
        desk, clerk = self._crew.desk, self._crew.clerk
        for claim in desk.drain():
            clerk.tell(Untried(claim))
        desk.leave()
        self._home_by = self._home_by or time.monotonic() + LAST_MAIL_SECONDS
        for sender in self._crew.senders:
            sender.join(max(0.0, self._home_by - time.monotonic()))
        clerk.finish()
        clerk.join(LAST_RECORDS_SECONDS)
        clerk.give_up()
        if self._is_home:
            return
        self._is_home = True
        if in_hand := len(desk.in_hand()):
            log.warning("stopped with mail in hand; our successor takes it up", mails=in_hand)
        else:
            log.info("stopped")
