"""Flask-Mail's connection with what it lacks, kept open from one mail to the next."""

import contextlib
import re
import smtplib
from collections.abc import Callable
from types import TracebackType

import flask_mail

from mailer.credentials import Credentials
from mailer.deadline import Deadline
from mailer.errors import MailDeferredError, MailRefusedError, RelayError, Stage
from mailer.outbox import Mail
from mailer.relay import Relay
from mailer.replies import Reply, read_reply
from mailer.translation import expect, translated, unsure

MAILS_PER_CONNECTION = 100  # relays end long conversations; better we do, between two mails
GOODBYE_SECONDS = 5.0
GO_AHEAD = 354


class RelayConnection(flask_mail.Connection):
    """A conversation with the relay that is verified, bounded in time, and looked at.

    Flask-Mail's own verifies no certificate, waits without end, ignores replies, and may fail in
    its goodbye after the mail went. Here, every failure is a DeliveryError; bytes go as they are.
    """

    def __init__(self, relay: Relay, credentials: Callable[[], Credentials]) -> None:
        # Nothing of its configuration is used; above all not MAIL_DEBUG, which prints the password.
        super().__init__(flask_mail.Mail())
        self._relay = relay
        self._credentials = credentials
        self._deadline = Deadline()

    def open(self) -> None:
        """Log in, unless an earlier login still serves; raises RelayError."""
        if self.num_emails >= MAILS_PER_CONNECTION:
            self.close()
        if self.host is None:
            self.host = self.configure_host()
            self.num_emails = 0

    def configure_host(self) -> smtplib.SMTP:
        """Return a new host that is verified and logged in; raises RelayError."""
        self._deadline.start(self._relay.timeout_seconds)
        return self._relay.connect(self._credentials(), self._deadline)

    def close(self) -> None:
        """Take leave if that works, and hang up in any case."""
        host, self.host = self.host, None
        if host is None:
            return
        self._deadline.start(GOODBYE_SECONDS)
        with contextlib.suppress(OSError):
            host.quit()
        host.close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def deliver(self, mail: Mail) -> Reply:
        """Hand one mail over and return the relay's consent, or raise a DeliveryError."""
        host = self.host
        if host is None:
            message = f"{self._relay}: not connected"
            raise RelayError(message, Stage.CONNECT)
        self._deadline.start(self._relay.timeout_seconds)
        try:
            reply = self._converse(host, mail)
        except RelayError:
            self.close()
            raise
        except (MailRefusedError, MailDeferredError):
            self._start_over(host)
            raise
        self.num_emails += 1
        return reply

    def _converse(self, host: smtplib.SMTP, mail: Mail) -> Reply:
        # smtplib's `mail` and `rcpt` guess what an odd address means, and so may send it elsewhere.
        relay, hidden = str(self._relay), (mail.recipient,)
        with translated(Stage.SENDER, relay):
            words = [f"FROM:<{mail.sender}>", *options(host, mail.raw)]
            expect(read_reply(Stage.SENDER, *host.docmd("MAIL", " ".join(words)), hidden), relay)
        with translated(Stage.RECIPIENT, relay):
            answer = host.docmd("RCPT", f"TO:<{mail.recipient}>")
            expect(read_reply(Stage.RECIPIENT, *answer, hidden), relay)
        with translated(Stage.CONTENT, relay):
            expect(read_reply(Stage.CONTENT, *host.docmd("DATA"), hidden), relay, {GO_AHEAD})
        with unsure(relay):
            host.send(with_dots_doubled(mail.raw))
            return expect(read_reply(Stage.CONTENT, *host.getreply(), hidden), relay)

    def _start_over(self, host: smtplib.SMTP) -> None:
        """Make the connection fit for the next mail, or end it."""
        try:
            host.rset()
        except OSError:
            self.close()


def options(host: smtplib.SMTP, raw: bytes) -> list[str]:
    """Return the parameters of MAIL: only what the relay offers."""
    chosen = [f"SIZE={len(raw)}"] if host.has_extn("size") else []
    if host.has_extn("8bitmime") and not raw.isascii():
        chosen.append("BODY=8BITMIME")
    return chosen


def with_dots_doubled(raw: bytes) -> bytes:
    """Return the mail as it goes over the wire, with the dot that ends it (RFC 5321, 4.5.2)."""
    doubled = re.sub(rb"(?m)^\.", b"..", raw)
    return doubled + (b"" if doubled.endswith(b"\r\n") else b"\r\n") + b".\r\n"
