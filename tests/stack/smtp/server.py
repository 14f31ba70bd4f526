"""An SMTP server with STARTTLS and AUTH, in a thread of its own; for the tests only."""

import asyncio
import hmac
import threading
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

from tests.stack.smtp.behaviour import State
from tests.stack.smtp.certificates import Certificate
from tests.stack.smtp.handler import Handler, scripted

START_SECONDS = 10


class Conversation(SMTP):
    """One connection; what aiosmtpd does by itself is said here where it is to fail."""

    def __init__(self, state: State, **options: Any) -> None:
        super().__init__(Handler(state), **options)
        self._state = state

    async def _handle_client(self) -> None:
        try:
            reply = await scripted(self._state, "connect")
            if reply is MISSING:
                await super()._handle_client()
                return
            await self.push(reply)
        finally:
            self._writer.close()

    def hang_up(self) -> None:
        """End the connection at once, whatever is under way."""
        for transport in (self._original_transport, self.transport):
            if isinstance(transport, asyncio.Transport):
                transport.abort()

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 aiosmtpd's name
        """Begin TLS."""
        reply = await scripted(self._state, "starttls")
        if reply is MISSING:
            await super().smtp_STARTTLS(arg)
        else:
            await self.push(reply)


class SmtpServer:
    """Runs between `start` and `stop`, on the same port each time; `state` outlives both.

    With `tls_at_once` there is no STARTTLS, since there is no moment without TLS.
    """

    def __init__(
        self,
        certificate: Certificate,
        account: tuple[str, str],
        *,
        tls_at_once: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.state = State()
        self.port = port
        self._host = host
        self._certificate = certificate
        self._account = LoginPassword(*(part.encode() for part in account))
        self._tls_at_once = tls_at_once
        self._conversations: WeakSet[Conversation] = WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Return once it answers."""
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="smtp", daemon=True)
        self._thread.start()
        if not started.wait(START_SECONDS):
            message = f"the SMTP server did not start within {START_SECONDS} s"
            raise TimeoutError(message)

    def stop(self) -> None:
        """Hang up on everybody and free the port."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_SECONDS)
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, started: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        context = self._certificate.server_context() if self._tls_at_once else None
        server = loop.run_until_complete(
            loop.create_server(self._converse, self._host, self.port, ssl=context)
        )
        self.port = server.sockets[0].getsockname()[1]
        loop.call_soon(started.set)
        loop.run_forever()
        server.close()
        loop.run_until_complete(self._end_all())
        loop.close()

    def _converse(self) -> Conversation:
        conversation = Conversation(
            self.state,
            authenticator=self._authenticate,
            auth_required=True,
            hostname="smtp.test",
            loop=self._loop,
            require_starttls=not self._tls_at_once,
            tls_context=None if self._tls_at_once else self._certificate.server_context(),
        )
        # Not the option of that name, which warns: it does not know of TLS from the first byte.
        conversation._auth_require_tls = not self._tls_at_once  # noqa: SLF001
        self._conversations.add(conversation)
        return conversation

    async def _end_all(self) -> None:
        """Hang up on everybody, and let the loop see it through."""
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for conversation in self._conversations:
            conversation.hang_up()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close on the loop's next turn

    def _authenticate(
        self,
        _server: SMTP,
        _session: SmtpSession,
        _envelope: Envelope,
        _mechanism: str,
        given: LoginPassword,
    ) -> AuthResult:
        accepted = hmac.compare_digest(given.password, self._account.password)
        accepted = accepted and given.login == self._account.login
        self.state.logged_in(given.login.decode(), accepted=accepted)
        # Not `handled`: aiosmtpd would take the answer as given, and the client would wait for it.
        return AuthResult(success=accepted, handled=False, auth_data=given)
