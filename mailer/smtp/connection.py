"""Flask-Mail's connection with what it lacks, kept open from one mail to the next."""

import contextlib
import time
from collections.abc import Callable
from types import TracebackType

import flask_mail

from mailer.smtp.conversation import Conversation
from mailer.smtp.credentials import Login
from mailer.smtp.envelope import MailObject
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.relay import Relay
from mailer.smtp.replies import Reply
from mailer.smtp.transaction import NO_MORE, Transaction
from mailer.smtp.translation import failure

OLDEST_SECONDS = 300.0  # relays end long conversations; better we do, between two mails
IDLE_SECONDS = 10.0  # longer, and we ask first whether the relay is still there
MOMENT_SECONDS = 5.0  # for what is not worth waiting for: NOOP, RSET, QUIT
OK = 250
ONE_MAILS_OWN = {Scope.SENDER, Scope.MESSAGE, Scope.RECIPIENT}


class RelayConnection(flask_mail.Connection):
    """A conversation with the relay that is verified, bounded in time, and looked at.

    Flask-Mail's own verifies no certificate, waits without end, ignores replies, and may fail in
    its goodbye after the mail went. Here, every failure is a DeliveryError; bytes go as they are.
    For one thread.
    """

    host: Conversation | None

    def __init__(
        self,
        relay: Relay,
        credentials: Callable[[], Login],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        # Nothing of its configuration is used; above all not MAIL_DEBUG, which prints the password.
        super().__init__(flask_mail.Mail())
        self._relay = relay
        self._name = str(relay)
        self._credentials = credentials
        self._now = now
        self._opened_at = self._used_at = 0.0

    def open(self) -> None:
        """Log in, unless an earlier login still serves; raises DeliveryError."""
        if not self._is_fit():
            self.close()
        if self.host is None:
            self.host = self.configure_host()
            self.num_emails = 0
            self._opened_at = self._used_at = self._now()

    def configure_host(self) -> Conversation:
        """Return a new host that is verified and logged in; raises DeliveryError."""
        return self._relay.connect(self._credentials())

    def close(self) -> None:
        """Take leave if that works, and hang up in any case."""
        host = self.host
        if host is None:
            return
        host.deadline.start(MOMENT_SECONDS)
        with contextlib.suppress(OSError):
            host.quit()
        self._hang_up()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def deliver(self, mail: MailObject, about_to_end: Callable[[], None] = lambda: None) -> Reply:
        """Hand one mail over and return the relay's consent, or raise a DeliveryError.

        `about_to_end` is called just before the final dot goes out. What it raises ends the
        connection without the dot, and is passed on. A relay that has hung up on a kept connection
        is called once more: no mail was begun.
        """
        is_kept = self.num_emails > 0
        try:
            return self._deliver(mail, about_to_end)
        except DeliveryError as error:
            if not (is_kept and has_ended(error)):
                raise
        self.open()
        return self._deliver(mail, about_to_end)

    def _deliver(self, mail: MailObject, about_to_end: Callable[[], None]) -> Reply:
        if self.host is None:
            raise failure(ConnectionError("not connected"), Stage.CONNECT, self._name)
        transaction = Transaction(self.host, self._relay, mail)
        try:
            reply = transaction.run(about_to_end)
        except DeliveryError as error:
            self._recover(error, in_content=transaction.in_content)
            raise
        except BaseException:  # no goodbye in the midst of a mail: it would be content
            self._hang_up()
            raise
        self.num_emails += 1
        self._used_at = self._now()
        return reply

    def _recover(self, error: DeliveryError, *, in_content: bool) -> None:
        """Make the connection fit for the next mail, or end it."""
        concerns_all = error.scope not in ONE_MAILS_OWN
        if in_content or (concerns_all and error.code in NO_MORE):
            self._hang_up()
        elif concerns_all or not self._is_well("RSET"):
            self.close()

    def _is_fit(self) -> bool:
        """Say whether the kept connection can take a mail."""
        if self.host is None or self.host.is_disturbed():
            return False
        moment = self._now()
        if moment - self._opened_at > OLDEST_SECONDS:
            return False
        return moment - self._used_at <= IDLE_SECONDS or self._is_well("NOOP")

    def _is_well(self, command: str) -> bool:
        """Say whether the relay answers; one that does not is hung up on."""
        if self.host is None:
            return False
        self.host.deadline.start(MOMENT_SECONDS)
        try:
            code, _text = self.host.docmd(command)
        except OSError:
            self._hang_up()
            return False
        self._used_at = self._now()
        return code == OK

    def _hang_up(self) -> None:
        """End the connection without a word."""
        host, self.host = self.host, None
        if host is not None:
            host.close()


def has_ended(error: DeliveryError) -> bool:
    """Say whether the relay had ended a kept connection before it heard of the mail."""
    return (
        (error.stage, error.scope) == (Stage.SENDER, Scope.SERVER)
        and error.code in NO_MORE
        and not error.slow_down
        and not isinstance(error.__cause__, TimeoutError)
    )
