"""Where the relay is, and how to come to a verified login there."""

import contextlib
import smtplib
import ssl
from dataclasses import dataclass

from mailer.conversation import Conversation
from mailer.credentials import Credentials
from mailer.deadline import Deadline
from mailer.errors import Stage
from mailer.login import log_in
from mailer.translation import expect, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """What takes our mail. `context` verifies it.

    `timeout_seconds` is for all of the way to a login, and again for all of each mail.
    """

    server: str
    port: int
    starttls: bool
    tls_at_once: bool
    timeout_seconds: float
    context: ssl.SSLContext

    def __str__(self) -> str:
        return f"{self.server}:{self.port}"

    def connect(self, credentials: Credentials, deadline: Deadline) -> smtplib.SMTP:
        """Return a host that is verified and logged in, or raise RelayError with nothing left open.

        The password is sent only after the certificate was found good. The deadline holds for the
        host from then on.
        """
        with contextlib.ExitStack() as undo:
            with translated(Stage.CONNECT, str(self)):
                context = self.context if self.tls_at_once else None
                host = Conversation(self.server, self.port, deadline, context)
            undo.callback(host.close)
            with translated(Stage.GREETING, str(self)):
                host.ehlo_or_helo_if_needed()
            if self.starttls:
                with translated(Stage.TLS, str(self)):
                    host.starttls(context=self.context)
                    host.ehlo_or_helo_if_needed()
            with translated(Stage.LOGIN, str(self)):
                expect(log_in(host, credentials), str(self))
            undo.pop_all()
        return host
