"""One connection to the relay, and the thread that hands mail over on it."""

import time
from collections.abc import Callable
from threading import Thread

import structlog

from mailer.delivery.clock import now
from mailer.delivery.desk import Claim, Desk, Leave, Probe
from mailer.delivery.journal import Fate
from mailer.delivery.outcome import Broken, Closed, Failed, Outcome, Probed, Sent, Untried
from mailer.delivery.session import SessionLostError
from mailer.smtp.connection import RelayConnection
from mailer.smtp.errors import OF_THE_RELAY, DeliveryError, Scope, Stage

log = structlog.get_logger(__name__)

IDLE_SECONDS = 30.0  # a connection that nobody uses is closed after that


class Sender(Thread):
    """Takes from the desk, delivers, and tells what came of it; ends when the desk says so."""

    def __init__(
        self, seat: int, desk: Desk, connection: RelayConnection, tell: Callable[[Outcome], None]
    ) -> None:
        super().__init__(name=f"sender-{seat}", daemon=True)
        self._seat = seat
        self._desk = desk
        self._connection = connection
        self._tell = tell

    def run(self) -> None:
        """Work until sent home."""
        while self._work():
            pass
        self._connection.close()

    def _work(self) -> bool:
        """Do one job, and keep nothing of it; return False when sent home."""
        job = self._desk.take(self._seat, IDLE_SECONDS)
        if isinstance(job, Leave):
            return False
        if job is None:
            self._connection.close()
        elif isinstance(job, Probe):
            self._tell(self._probe())
        else:
            self._tell(self._deliver(job))
        return True

    def _probe(self) -> Probed:
        """Log in, and send nothing."""
        self._connection.close()
        try:
            self._open()
        except DeliveryError as error:
            return Probed(error)
        return Probed(None)

    def _deliver(self, claim: Claim) -> Outcome:
        mail, started = claim.mail, time.monotonic()
        try:
            self._check(claim)
            self._open()
            claim.journal.note(Fate.STARTED, mail.id)
            reply = self._connection.deliver(mail, lambda: self._about_to_end(claim))
        except SessionLostError:
            claim.journal.note(Fate.CLAIMED, mail.id)
            return Untried(claim)
        except TooLateError as error:
            claim.journal.note(Fate.CLAIMED, mail.id)
            return Closed(claim, "expired", str(error))
        except DeliveryError as error:
            return self._failed(claim, error, started)
        except Exception as error:  # one odd mail must not end all mail
            self._connection.close()
            log.exception("a mail failed for a reason that nobody foresaw", id=mail.id)
            return Broken(claim, error)
        claim.journal.note(Fate.ACCEPTED, mail.id)
        self._desk.went_well()
        return Sent(claim, reply.code, str(reply), milliseconds_since(started))

    def _open(self) -> None:
        """Log in, unless an earlier login still serves; raises DeliveryError, and nothing else."""
        try:
            self._connection.open()
        except DeliveryError:
            raise
        except Exception as error:  # no mail's fault: none has been begun
            log.exception("a login failed for a reason that nobody foresaw")
            message = f"a login failed for a reason that nobody foresaw: {error!r}"
            raise DeliveryError(message, Stage.LOGIN, Scope.SERVER, cause="server") from error

    def _about_to_end(self, claim: Claim) -> None:
        """Make sure that the mail is still to be sent: once its last dot is out, it is delivered."""
        self._check(claim)
        claim.journal.note(Fate.ENDING, claim.mail.id)

    def _check(self, claim: Claim) -> None:
        """Raise SessionLostError or TooLateError for what is not to be sent any more."""
        claim.session.check()
        if claim.mail.is_too_late(now()):
            raise TooLateError("not sent by the time from which it is of no use")

    def _failed(self, claim: Claim, error: DeliveryError, started: float) -> Failed:
        if error.scope is not Scope.UNSURE:
            claim.journal.note(Fate.REFUSED, claim.mail.id)
        if error.scope in OF_THE_RELAY:
            self._desk.shut()
        elif error.slow_down:
            self._desk.slow_down()
        return Failed(claim, error, milliseconds_since(started))


class TooLateError(Exception):
    """The mail is of no use any more."""


def milliseconds_since(started: float) -> int:
    """Return how long ago that was, by the monotonic clock."""
    return round((time.monotonic() - started) * 1000)
