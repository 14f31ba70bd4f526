"""Where the relay is, and how to come to a verified login there."""

import contextlib
import smtplib
import ssl
from dataclasses import dataclass

from mailer.credentials import Credentials
from mailer.errors import Stage
from mailer.login import log_in
from mailer.translation import expect, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """What takes our mail. `context` verifies it; `timeout_seconds` bounds each step."""

    server: str
    port: int
    starttls: bool
    tls_at_once: bool
    timeout_seconds: float
    context: ssl.SSLContext

    def __str__(self) -> str:
        return f"{self.server}:{self.port}"

    def connect(self, credentials: Credentials) -> smtplib.SMTP:
        """Return a host that is verified and logged in, or raise RelayError with nothing left open.

        The password is sent only after the certificate was found good.
        """
        with contextlib.ExitStack() as undo:
            with translated(Stage.CONNECT, str(self)):
                host = self._open()
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

    def _open(self) -> smtplib.SMTP:
        if self.tls_at_once:
            return smtplib.SMTP_SSL(
                self.server, self.port, timeout=self.timeout_seconds, context=self.context
            )
        return smtplib.SMTP(self.server, self.port, timeout=self.timeout_seconds)
