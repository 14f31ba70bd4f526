"""One connection to the relay, and the thread that hands mail over on it."""

import time
from collections.abc import Callable
from threading import Thread

import structlog

from mailer.delivery.desk import Claim, Desk, Leave, Probe
from mailer.delivery.journal import Fate
from mailer.delivery.outcome import Broken, Failed, Outcome, Probed, Sent, Untried
from mailer.delivery.session import SessionLostError
from mailer.smtp.connection import RelayConnection
from mailer.smtp.errors import DeliveryError, Scope, Stage

log = structlog.get_logger(__name__)

IDLE_SECONDS = 30.0  # a connection that nobody uses is closed after that
OF_THE_RELAY = {Scope.ACCOUNT, Scope.SERVER, Scope.QUOTA}


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
        while True:
            job = self._desk.take(self._seat, IDLE_SECONDS)
            if isinstance(job, Leave):
                break
            if job is None:
                self._connection.close()
            elif isinstance(job, Probe):
                self._tell(self._probe())
            else:
                self._tell(self._deliver(job))
        self._connection.close()

    def _probe(self) -> Probed:
        """Log in, and send nothing."""
        try:
            self._connection.close()
            self._connection.open()
        except DeliveryError as error:
            return Probed(error)
        except Exception as error:
            log.exception("a login failed for a reason that nobody foresaw")
            message = f"a login failed for a reason that nobody foresaw: {error!r}"
            return Probed(DeliveryError(message, Stage.LOGIN, Scope.SERVER, cause="server"))
        return Probed(None)

    def _deliver(self, claim: Claim) -> Outcome:
        mail, started = claim.mail, time.monotonic()
        try:
            claim.session.check()
            claim.journal.note(Fate.STARTED, mail.id)
            self._connection.open()
            reply = self._connection.deliver(mail, lambda: self._about_to_end(claim))
        except SessionLostError:
            return Untried(claim)
        except DeliveryError as error:
            return self._failed(claim, error, started)
        except Exception as error:  # one odd mail must not end all mail
            self._connection.close()
            log.exception("a mail failed for a reason that nobody foresaw", id=mail.id)
            return Broken(claim, error)
        claim.journal.note(Fate.ACCEPTED, mail.id)
        self._desk.went_well()
        return Sent(claim, reply.code, str(reply), milliseconds_since(started))

    def _about_to_end(self, claim: Claim) -> None:
        """Make sure that the mail is still ours: once its last dot is sent, it is delivered."""
        claim.session.check()
        claim.journal.note(Fate.ENDING, claim.mail.id)

    def _failed(self, claim: Claim, error: DeliveryError, started: float) -> Failed:
        if error.scope is not Scope.UNSURE:
            claim.journal.note(Fate.REFUSED, claim.mail.id)
        if error.scope in OF_THE_RELAY:
            self._desk.shut()
        elif error.slow_down:
            self._desk.slow_down()
        return Failed(claim, error, milliseconds_since(started))


def milliseconds_since(started: float) -> int:
    """Return how long ago that was, by the monotonic clock."""
    return round((time.monotonic() - started) * 1000)
