"""Where the relay is, and how to come to a verified login there."""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.smtp.conversation import Conversation
from mailer.smtp.credentials import Credentials, Login, Token
from mailer.smtp.deadline import Deadline
from mailer.smtp.errors import DeliveryError, Stage
from mailer.smtp.login import log_in, mechanism
from mailer.smtp.replies import Reply, read_reply
from mailer.smtp.tls import described
from mailer.smtp.translation import expect, translated

END_SECONDS = 600.0  # RFC 5321, 4.5.3.2.6
NOT_KNOWN, LOGIN_REFUSED = range(500, 600), 535


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """What takes our mail. `context` verifies it.

    `timeout_seconds` is for each stage, and for each portion of a mail on its way;
    `end_timeout_seconds` for the reply to a whole mail: a short time makes duplicates.
    """

    server: str
    port: int
    starttls: bool
    tls_at_once: bool
    timeout_seconds: float
    context: ssl.SSLContext
    end_timeout_seconds: float = END_SECONDS

    def __str__(self) -> str:
        return f"{self.server}:{self.port}"

    def connect(self, credentials: Login) -> Conversation:
        """Return a host that is verified and logged in; raises DeliveryError, nothing left open."""
        with contextlib.ExitStack() as undo:
            host = Conversation(Deadline())
            undo.callback(host.close)
            for _ in self.steps(host, credentials):
                pass
            undo.pop_all()
        return host

    def steps(self, host: Conversation, credentials: Login) -> Iterator[tuple[Stage, str]]:
        """Go the way to a login; yield after each stage what came of it. Raises DeliveryError.

        The password is sent only after the certificate was found good.
        """
        with self.stage(host, Stage.CONNECT):
            host.reach(self.server, self.port)
            if self.tls_at_once:
                host.secure(self.context)
        yield Stage.CONNECT, f"connected to {host.peer()} {described(host.sock)}".strip()
        with self.stage(host, Stage.GREETING):
            greeting = expect(read_reply(Stage.GREETING, *host.getreply()), str(self), {220})
        yield Stage.GREETING, str(greeting)
        yield Stage.EHLO, self._introduce(host)
        if self.starttls:
            with self.stage(host, Stage.TLS):
                host.ask_for_tls(self.context)
            yield Stage.TLS, described(host.sock)
            yield Stage.EHLO, self._introduce(host)
        if credentials is not None:
            reply = self._log_in(host, credentials)
            yield Stage.LOGIN, f"{reply} (AUTH {mechanism(host, credentials)})"

    @contextlib.contextmanager
    def stage(self, host: Conversation, stage: Stage) -> Iterator[None]:
        """Give a stage its time, and translate what fails in it."""
        host.deadline.start(self.timeout_seconds)
        with translated(stage, str(self)):
            yield

    def _introduce(self, host: Conversation) -> str:
        """Say EHLO, or HELO to a relay that does not know it; return what it can do."""
        with self.stage(host, Stage.EHLO):
            code, text = host.ehlo()
            if code in NOT_KNOWN:
                code, text = host.helo()
            expect(read_reply(Stage.EHLO, code, text), str(self))
        return f"{code} {', '.join(sorted(host.esmtp_features))}"

    def _log_in(self, host: Conversation, credentials: Credentials | Token) -> Reply:
        """Log in; a token that is refused is renewed once, for it may have ended by now."""
        try:
            return self._try_login(host, credentials)
        except DeliveryError as error:
            if not isinstance(credentials, Token) or error.code != LOGIN_REFUSED:
                raise
        return self._try_login(host, credentials.renewed())

    def _try_login(self, host: Conversation, credentials: Credentials | Token) -> Reply:
        with self.stage(host, Stage.LOGIN):
            return expect(log_in(host, credentials), str(self))
