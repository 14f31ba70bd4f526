"""A trial of the relay: one mail, outside of the outbox, told step by step."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailer.smtp.conversation import Conversation
from mailer.smtp.credentials import Login
from mailer.smtp.deadline import Deadline
from mailer.smtp.envelope import (
    DATA,
    DOT,
    MailObject,
    mail_command,
    rcpt_command,
    with_dots_doubled,
)
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.relay import Relay
from mailer.smtp.replies import Reply, read_reply
from mailer.smtp.translation import SUCCESS, expect

GOODBYE_SECONDS = 5.0
GO_AHEAD = range(354, 355)
CURES = {
    Stage.CONNECT: "check MAIL_SERVER and MAIL_PORT, the firewall, and MAIL_CA_FILE for a private relay",
    Stage.GREETING: "the relay does not want our address: ask whoever runs it, or try again later",
    Stage.EHLO: "is this an SMTP server? Check MAIL_SERVER and MAIL_PORT",
    Stage.TLS: "check MAIL_USE_TLS (port 587), MAIL_USE_SSL (port 465), and MAIL_CA_FILE for a private relay",
    Stage.SENDER: "the account may not send from this address: check MAIL_DEFAULT_SENDER",
    Stage.RECIPIENT: "check the address",
    Stage.CONTENT: "read what the relay says of the mail",
    Stage.END: "read what the relay says of the mail; without a reply, look whether it has arrived",
}
CAUSES = {
    "credentials": "set what is missing, then `make up`",
    "login": "check MAIL_USERNAME, MAIL_PASSWORD_FILE and MAIL_AUTH",
    "quota": "the account has sent all that it may for now: wait, or use another",
}
GMAIL_LOGIN = (
    "Gmail takes no plain passwords: make an app password (the account needs 2-step verification), "
    "or set MAIL_AUTH=xoauth2"
)
SLOW_DOWN = "too many connections or logins: wait 15 minutes, and lower MAIL_CONNECTIONS"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the conversation: what came of it (never a secret), and how fast.

    `advice` is what to do about a step that failed; the trial ends with that step.
    """

    stage: Stage
    ok: bool
    said: str
    milliseconds: int
    advice: str = ""


def trial(relay: Relay, credentials: Callable[[], Login], mail: MailObject) -> Iterator[Step]:
    """Yield each step as it is done, up to the first that fails; for that one, raises nothing."""
    host = Conversation(Deadline())
    started = time.monotonic()
    try:
        for stage, said in steps(host, relay, credentials, mail):
            yield Step(stage, ok=True, said=said, milliseconds=since(started))
            started = time.monotonic()
    except DeliveryError as error:
        advice = advice_on(error, relay)
        yield Step(
            error.stage, ok=False, said=str(error), milliseconds=since(started), advice=advice
        )
    finally:
        host.close()


def steps(
    host: Conversation, relay: Relay, credentials: Callable[[], Login], mail: MailObject
) -> Iterator[tuple[Stage, str]]:
    """Go all the way, one command after the other; raises DeliveryError."""
    yield from relay.steps(host, credentials())
    hidden = (mail.recipient,)

    def ask(stage: Stage, message: bytes, wanted: range = SUCCESS) -> tuple[Stage, str]:
        with relay.stage(host, stage):
            host.send(message)
            if stage is Stage.END:
                host.deadline.start(relay.end_timeout_seconds)
            reply: Reply = expect(read_reply(stage, *host.getreply(), hidden), str(relay), wanted)
        return stage, str(reply)

    with relay.stage(host, Stage.SENDER):
        command = mail_command(mail.sender, mail.raw, host.esmtp_features)
    yield ask(Stage.SENDER, command)
    with relay.stage(host, Stage.RECIPIENT):
        command = rcpt_command(mail.recipient)
    yield ask(Stage.RECIPIENT, command)
    yield ask(Stage.CONTENT, DATA, GO_AHEAD)
    yield ask(Stage.END, with_dots_doubled(mail.raw) + DOT)
    host.deadline.start(GOODBYE_SECONDS)
    with contextlib.suppress(OSError):
        host.quit()


def advice_on(error: DeliveryError, relay: Relay) -> str:
    """Return what to do about a step that failed."""
    if error.slow_down or (error.cause == "login" and error.wait):
        return SLOW_DOWN
    if error.cause == "login" and relay.server.lower() == "smtp.gmail.com":
        return GMAIL_LOGIN
    if error.cause in CAUSES:
        return CAUSES[error.cause]
    if error.scope is Scope.SERVER and error.stage in {Stage.SENDER, Stage.RECIPIENT}:
        return "the relay is in trouble or does not want us: try again later"
    return CURES.get(error.stage, "try again later")


def since(started: float) -> int:
    """Return the milliseconds since then."""
    return round((time.monotonic() - started) * 1000)
