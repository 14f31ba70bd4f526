"""What the mail's measurements stand on: a database, a sink and a mailer in containers, as in the stack."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from sqlalchemy import Connection, text

from common.outbox import Handling, Letter, enqueue
from tests.images import image
from tests.integration.postgres import Database

SINK_PORT = 2525
SINK_IMAGE = image("test-postfix")
DATABASE_MEMORY, MAILER_MEMORY, MAILER_PIDS = "768m", "256m", 64  # as in compose.yaml
NOBODY = "65534"
SENDER = "status@example.org"
MAIL_BYTES = 2_048
HEAD = (
    b"From: Status <status@example.org>\r\nSubject: measured\r\n"
    b"Date: Mon, 06 Jan 2025 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
LINE = b"0123456789" * 7 + b"\r\n"
LETTER_BYTES = 100  # about: what a letter of `letters` adds of its own
CONTENT = HEAD + LINE * ((MAIL_BYTES - len(HEAD) - LETTER_BYTES) // len(LINE))


class Ground:
    """A database that holds no mail yet, and the containers around it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._docker = docker.from_env()

    def empty(self) -> None:
        """Forget all mail, and what it had to do with."""
        tables = "outbox, mail_bodies, mail_attempts, mail_gates, mailers, subscribers"
        with self.database.engine("owner").begin() as transaction:
            transaction.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        self.settle()

    def settle(self) -> None:
        """Let the database finish what came before, so that nobody else pays for it."""
        engine = self.database.engine("owner").execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for table in ("outbox", "mail_bodies"):
                connection.execute(text(f"VACUUM ANALYZE {table}"))

    def number(self, query: str) -> float:
        """Return the one number that a query gives."""
        with self.database.engine("owner").connect() as connection:
            return float(connection.scalar(text(query)) or 0)

    def text(self, query: str) -> str:
        """Return the one text that a query gives."""
        with self.database.engine("owner").connect() as connection:
            return str(connection.scalar(text(query)))

    def numbers(self, query: str, **values: object) -> list[float]:
        """Return all numbers that a query gives."""
        with self.database.engine("owner").connect() as connection:
            return [float(found) for found in connection.scalars(text(query), values)]

    @contextmanager
    def sink(self) -> Iterator[Any]:
        """Run Postfix's smtp-sink, which takes everything and keeps nothing; its name is its address."""
        command = ["smtp-sink", f"0.0.0.0:{SINK_PORT}", "1000"]
        with self._running(SINK_IMAGE, command, user=NOBODY) as container:
            yield container

    @contextmanager
    def mailer(self, sink: Any, **settings: str) -> Iterator[Any]:
        """Run the mailer of the stack, within its limits, with the sink as its relay."""
        environment = {
            "APP_ENV": "development",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL_FILE": "/run/keelson/mailer/database_url",
            "MAIL_SERVER": sink.name,
            "MAIL_PORT": str(SINK_PORT),
            "MAIL_USE_TLS": "false",
            "MAIL_AUTH": "none",
            "MAIL_JOURNAL_DIR": "/tmp/journal",  # noqa: S108 in a container of its own
            "SESSION_FILE_DIR": "/tmp/sessions",  # noqa: S108 likewise
            **settings,
        }
        limits = {
            "mem_limit": MAILER_MEMORY,
            "pids_limit": MAILER_PIDS,
            "read_only": True,
            "cap_drop": ["ALL"],
            "init": True,
            "tmpfs": {"/tmp": "mode=1777,size=64m"},  # noqa: S108 likewise
        }
        volumes = self.database.mounts("mailer", "ca")
        options = {"environment": environment, "volumes": volumes, **limits}
        with self._running(image("mailer"), None, **options) as container:
            yield container

    def source_seconds(self, sink: Any, mails: int, sessions: int) -> float:
        """Return how long Postfix's smtp-source takes to send so many mails to the sink, in seconds."""
        send = f"smtp-source -d -s {sessions} -m {mails} -l {MAIL_BYTES} {sink.name}:{SINK_PORT}"
        command = ["bash", "-c", f"TIMEFORMAT=%R; time {send}"]
        with self._running(SINK_IMAGE, command, user=NOBODY) as container:
            ended = container.wait(timeout=300)
            printed = container.logs().decode()
        if ended["StatusCode"] != 0:
            message = f"smtp-source failed: {printed}"
            raise RuntimeError(message)
        return float(printed.split()[-1])

    @contextmanager
    def _running(self, image: str, command: list[str] | None, **options: Any) -> Iterator[Any]:
        name = f"keelson-bench-{uuid.uuid4().hex[:8]}"
        container = self._docker.containers.create(
            image, command, name=name, network=self.database.network, **options
        )
        try:
            container.start()
            yield container
        finally:
            container.remove(force=True)


@contextmanager
def a_ground() -> Iterator[Ground]:
    """Make one, with the database's memory limited as in the stack; remove it afterwards."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder)).running() as database:
        database.server.update(mem_limit=DATABASE_MEMORY, memswap_limit=DATABASE_MEMORY)
        yield Ground(database)


def letters(number: int) -> list[Letter]:
    """Return so many letters, to as many people."""
    return [a_letter(f"person-{n}@example.net") for n in range(number)]


def a_letter(recipient: str) -> Letter:
    """Return a letter with a Message-ID of its own."""
    message_id = f"<{uuid.uuid4().hex}@example.org>"
    head = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n".encode()
    return Letter(recipient, message_id, head)


def queue_one(transaction: Connection, recipient: str = "somebody@example.net") -> None:
    """Queue one mail with a content of its own, as the application does."""
    queue(transaction, [a_letter(recipient)])


def queue(transaction: Connection, to: list[Letter]) -> None:
    """Queue one content for all of them."""
    enqueue(
        transaction,
        Handling(kind="bench"),
        sender=SENDER,
        subject="measured",
        content=CONTENT,
        letters=to,
    )
