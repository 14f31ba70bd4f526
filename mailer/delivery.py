"""One mail from the outbox to the relay, and what comes of it."""

import time
from collections import deque
from collections.abc import Callable

import structlog
from structlog.contextvars import bound_contextvars

from mailer.connection import RelayConnection
from mailer.errors import MailDeferredError, MailRefusedError, RelayError
from mailer.gate import Gate
from mailer.outbox import Mail, Outbox
from mailer.retry import next_delay

log = structlog.get_logger(__name__)


class Delivery:
    """Delivers one mail after the other, each at least once: `prepare`, then `deliver_one`.

    `spread` gives a random number from -1 to 1.
    """

    def __init__(
        self, outbox: Outbox, sender: RelayConnection, gate: Gate, spread: Callable[[], float]
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._gate = gate
        self._spread = spread
        self._accepted: deque[Mail] = deque()

    def prepare(self) -> bool:
        """Log in if mail is due; return False if nothing can be done just now.

        No mail is touched to find out.
        """
        self.acknowledge()
        if self._gate.closed_seconds() > 0:
            return False
        if self._outbox.oldest_due() is None:
            self.hang_up()
            return False
        try:
            self._sender.open()
        except RelayError as error:
            self._gate.close(str(error), error.kind)
            return False
        return True

    def deliver_one(self) -> bool:
        """Try the mail that is due first; return False if another mailer has taken it."""
        mail = self._outbox.claim()
        if mail is None:
            return False
        with bound_contextvars(request_id=mail.request_id):
            self._deliver(mail)
        return True

    def acknowledge(self) -> None:
        """Record what the relay took; kept here until the database has it, lest it go twice."""
        while self._accepted:
            self._outbox.mark_sent(self._accepted[0])
            self._accepted.popleft()

    def hang_up(self) -> None:
        """End the connection to the relay; the next mail opens another."""
        self._sender.close()

    def _deliver(self, mail: Mail) -> None:
        started = time.monotonic()
        try:
            reply = self._sender.deliver(mail)
        except MailRefusedError as error:
            self._refuse(mail, error)
        except MailDeferredError as error:
            self._defer(mail, error)
        except RelayError as error:
            self._gate.close(str(error), error.kind)
            self._outbox.release(mail)
            return
        else:
            self._accepted.append(mail)
            milliseconds = round((time.monotonic() - started) * 1000)
            log.info("mail sent", **about(mail), code=reply.code, milliseconds=milliseconds)
            self.acknowledge()
        self._gate.open()

    def _refuse(self, mail: Mail, error: MailRefusedError) -> None:
        log.warning("mail refused", **about(mail), code=error.code, stage=error.stage)
        self._outbox.refuse(mail, str(error))

    def _defer(self, mail: Mail, error: MailDeferredError) -> None:
        delay = next_delay(mail.attempts + 1, self._spread())
        if delay is None:
            log.warning("mail given up", **about(mail), code=error.code, stage=error.stage)
            self._outbox.refuse(mail, f"given up after {mail.attempts + 1} tries: {error}")
            return
        seconds = round(delay.total_seconds())
        log.info(
            "mail deferred", **about(mail), code=error.code, stage=error.stage, seconds=seconds
        )
        self._outbox.defer(mail, delay, str(error))


def about(mail: Mail) -> dict[str, object]:
    """Return what a log may say of a mail: of the recipient, the domain alone."""
    return {"id": mail.id, "kind": mail.kind, "domain": mail.domain}
