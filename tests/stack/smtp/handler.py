"""What the server answers at each command: what it was told to, or what is right."""

import asyncio
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from tests.stack.smtp.behaviour import ABSENT, DROP, STALL, Received, State

STALL_SECONDS = 0.02


class Handler:
    """What aiosmtpd asks at each command: the scripted reply, or what is right."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def handle_EHLO(  # noqa: N802 aiosmtpd's name
        self,
        _server: SMTP,
        session: SmtpSession,
        _envelope: Envelope,
        hostname: str,
        replies: list[str],
    ) -> list[str]:
        """Introduce ourselves, with STARTTLS unless told otherwise."""
        reply = await scripted(self._state, "ehlo")
        if reply is not MISSING:
            return [reply]
        session.host_name = hostname
        if self._state.reply_to("starttls") == ABSENT:
            return [line for line in replies if "STARTTLS" not in line]
        return replies

    async def handle_AUTH(self, *_: object) -> Any:  # noqa: N802 aiosmtpd's name
        """Answer a login as scripted, before the password is looked at."""
        reply = await scripted(self._state, "auth")
        if reply is not MISSING:
            self._state.logged_in(None, accepted=False)
        return reply

    async def handle_MAIL(  # noqa: N802 aiosmtpd's name
        self,
        _server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> Any:
        """Take the sender."""
        reply = await scripted(self._state, "mail")
        if reply is MISSING:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            return "250 2.1.0 sender taken"
        return reply

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self,
        _server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> Any:
        """Take the recipient."""
        reply = await scripted(self._state, "rcpt")
        if reply is MISSING:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            return "250 2.1.5 recipient taken"
        return reply

    async def handle_DATA(  # noqa: N802 aiosmtpd's name
        self, _server: SMTP, session: SmtpSession, envelope: Envelope
    ) -> Any:
        """Take the content; a mail whose reply is lost was taken all the same."""
        reply = self._state.reply_to("data")
        if reply in {None, DROP, STALL}:
            self._state.received(received(session, envelope))
        answer = await scripted(self._state, "data")
        return "250 2.0.0 taken" if answer is MISSING else answer


def received(session: SmtpSession, envelope: Envelope) -> Received:
    """Return what is known of a mail."""
    tls = session.ssl["ssl_object"].version() if session.ssl else None
    login = session.auth_data.login.decode() if session.auth_data else None
    sender, raw = envelope.mail_from or "", envelope.original_content or b""
    return Received(sender, list(envelope.rcpt_tos), raw, tls, login)


async def scripted(state: State, stage: str) -> Any:
    """Return the scripted reply, or MISSING where all is well; may also hang up, or take its time."""
    while (reply := state.reply_to(stage)) == STALL:  # noqa: ASYNC110 set by another thread
        await asyncio.sleep(STALL_SECONDS)  # cancelled when the client goes
    if reply == DROP:
        raise asyncio.CancelledError  # aiosmtpd's own way to hang up without a word
    return MISSING if reply in {None, ABSENT} else reply
