"""The mail server of the stack tests, in this process, and mail for it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from common.outbox import Handling, Letter, enqueue
from mailer.smtp.connection import RelayConnection
from mailer.smtp.credentials import Credentials
from mailer.smtp.relay import Relay
from mailer.smtp.tls import tls_context
from tests.integration.postgres import Database
from tests.stack.smtp.certificates import Certificate
from tests.stack.smtp.server import SmtpServer

USER, PASSWORD = "tester", "correct-horse-\u00e4"


@contextmanager
def running_server(certificate: Certificate, *, tls_at_once: bool = False) -> Iterator[SmtpServer]:
    """Run a server on a free port of this machine."""
    with SmtpServer(certificate, (USER, PASSWORD), tls_at_once=tls_at_once) as server:
        yield server


def a_relay(
    server: SmtpServer,
    authority: Path,
    *,
    tls_at_once: bool = False,
    timeout_seconds: float = 20,
    context: ssl.SSLContext | None = None,
) -> Relay:
    """Return how the mailer would reach the server, trusting that authority."""
    return Relay(
        server="localhost",
        port=server.port,
        starttls=not tls_at_once,
        tls_at_once=tls_at_once,
        timeout_seconds=timeout_seconds,
        context=context or tls_context(authority),
    )


def a_connection(relay: Relay, password: str = PASSWORD) -> RelayConnection:
    """Return a connection with the account that the server knows."""
    return RelayConnection(relay, lambda: Credentials(USER, SecretStr(password)))


def queue_mail(database: Database, *recipients: str, kind: str = "test", **handling: Any) -> None:
    """Queue a mail to each of them, as the web does, in one transaction."""
    with database.engine("web").begin() as transaction:
        for number, recipient in enumerate(recipients):
            message_id = f"<{number}-{recipient}>"
            head = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n"
            enqueue(
                transaction,
                Handling(kind=kind, request_id=f"request-{number}", **handling),
                sender="us@example.org",
                subject="hello",
                content=b"Subject: hello\r\n\r\nhello\r\n",
                letters=[Letter(recipient, message_id, head.encode())],
            )


def states(database: Database) -> dict[str, int]:
    """Return how many mails are in each state."""
    with database.engine("owner").connect() as connection:
        rows = connection.execute(
            text("SELECT state, count(*) AS number FROM outbox GROUP BY state")
        )
        return {row.state: row.number for row in rows}


def attempts(database: Database) -> list[int]:
    """Return what was charged to each mail, oldest first."""
    with database.engine("owner").connect() as connection:
        return list(connection.scalars(text("SELECT attempts FROM outbox ORDER BY id")))


def trouble(database: Database) -> str | None:
    """Return what the status page would say of the mailer."""
    with database.engine("owner").connect() as connection:
        found: str | None = connection.scalar(
            text("SELECT trouble FROM heartbeats WHERE part = 'mailer'")
        )
        return found
