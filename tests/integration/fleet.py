"""Mailers as processes that can be killed, a fast sink as their relay, and the account of it all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import make_url, text

from common.outbox import CHANNEL, RESEND, Handling, Letter, enqueue
from tests.conftest import ROOT
from tests.integration.postgres import Database
from tests.sink import Sink
from tests.waiting import eventually

CONNECTIONS = 4
SHORT_LEASE_SECONDS, SHORT_RENEW_SECONDS = 3.0, 0.5
# The mailer as it is, but for its host's name, by which it is found again in the table `mailers`; and,
# if asked for, for how long it may be silent before the others take its mail.
AS_IT_IS = """
import socket, sys
from mailer.delivery import session, worker
from mailer.__main__ import main
socket.gethostname = lambda: {name!r}
"""
IMPATIENT = f"""
session.LEASE_SECONDS, worker.RENEW_SECONDS = {SHORT_LEASE_SECONDS}, {SHORT_RENEW_SECONDS}
"""
RUN = "sys.exit(main())"
CONTENT = b"From: us@example.org\r\nSubject: hello\r\n\r\n" + b"0123456789abcde\r\n" * 100
LIVES = "SELECT EXISTS (SELECT FROM mailers WHERE host = :name)"
PAST = "SELECT max(lease_until) < clock_timestamp() FROM mailers WHERE host = :name"
CLAIMED = """
    SELECT message_id FROM outbox
     WHERE state = 'queued' AND lease_by IN (SELECT number FROM mailers WHERE host = :name)
"""
TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'keelson_mailer'
"""
LATER = "UPDATE outbox SET due_at = now() WHERE state = 'queued' AND due_at > now()"


@dataclass(frozen=True, slots=True)
class MailerProcess:
    """One mailer; `name` is its host's in the table `mailers`."""

    process: "subprocess.Popen[bytes]"
    name: str

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> float:
        """Kill it, and return when (`time.monotonic`)."""
        self.process.kill()
        killed_at = time.monotonic()
        self.process.wait()
        return killed_at


class Fleet:
    """Mailers of one machine: they share the sink, the database and the folder of journals."""

    def __init__(self, database: Database, sink: Sink, folder: Path, cleanup: ExitStack) -> None:
        self.database = database
        self.sink = sink
        self._folder = folder
        self._cleanup = cleanup
        self._started = 0

    def start(self, *, short_lease: bool = True, through_port: int | None = None) -> MailerProcess:
        """Start a mailer and wait until it lives in the database, which it may reach by a proxy."""
        url = make_url(self.database.url("mailer"))
        url = url.set(port=through_port or url.port)
        self._started += 1
        name = f"mailer-{self._started}"
        log = self._folder / f"{name}.log"
        code = AS_IT_IS.format(name=name) + (IMPATIENT if short_lease else "") + RUN
        printed = self._cleanup.enter_context(log.open("wb"))
        process = self._run(code, url.render_as_string(hide_password=False), printed)
        mailer = MailerProcess(process, name)
        eventually(lambda: self._lives(mailer) or process.poll() is not None, what=str(log))
        assert process.poll() is None, log.read_text(encoding="utf-8")
        return mailer

    def claims_of(self, mailer: MailerProcess) -> set[str]:
        """Return the Message-IDs of the mails that it has claimed and that are not settled."""
        with self.database.engine("owner").connect() as connection:
            return set(connection.scalars(text(CLAIMED), {"name": mailer.name}))

    def freeze(self, mailer: MailerProcess) -> set[str]:
        """Stop it (SIGSTOP) while it has mail in hand; return the Message-IDs of what nobody has taken."""
        held: set[str] = set()

        def is_frozen_with_mail() -> bool:
            if not self.claims_of(mailer):
                return False
            mailer.signal(signal.SIGSTOP)
            self.sink.catch_up()
            held.update(self.claims_of(mailer) - set(self.sink.times_taken()))
            if not held:
                mailer.signal(signal.SIGCONT)
            return bool(held)

        eventually(is_frozen_with_mail, what="a mailer is stopped with mail in hand")
        return held

    def is_past_its_lease(self, mailer: MailerProcess) -> bool:
        """Say whether the others may take what it holds."""
        return bool(self._ask(PAST, mailer))

    def terminate_backends(self) -> int:
        """End all connections that mailers have to the database; return how many those were."""
        with self.database.engine("owner").connect() as connection:
            ended: int = connection.scalar(text(TERMINATE)) or 0
        return ended

    def queue(self, mails: int, *, first: int = 0, when_unsure: str = RESEND) -> set[str]:
        """Queue so many in one transaction, as the web does; return their Message-IDs."""
        letters = [a_letter(number) for number in range(first, first + mails)]
        with self.database.engine("web").begin() as transaction:
            enqueue(
                transaction,
                Handling(kind="test", when_unsure=when_unsure),
                sender="us@example.org",
                subject="hello",
                content=CONTENT,
                letters=letters,
            )
        return {letter.message_id for letter in letters}

    def wait_for_mail(self, number: int) -> None:
        """Wait until the sink has taken so many."""
        eventually(lambda: len(self.sink.taken) >= number, what=f"{number} mails are taken")

    def finish(self, seconds: float = 60) -> None:
        """Wait until no mail is queued; what is to be tried later is due now, as if time passed."""
        eventually(self._is_done, seconds, what="no mail is queued")

    def states(self) -> dict[str, int]:
        """Return how many mails are in which state."""
        query = text("SELECT state, count(*) AS mails FROM outbox GROUP BY state")
        with self.database.engine("owner").connect() as connection:
            return {row.state: row.mails for row in connection.execute(query)}

    def sent_or_unsure(self) -> set[str]:
        """Return the Message-IDs of what went, or may have."""
        query = text("SELECT message_id FROM outbox WHERE state IN ('sent', 'unsure')")
        with self.database.engine("owner").connect() as connection:
            return set(connection.scalars(query))

    def _is_done(self) -> bool:
        with self.database.engine("owner").begin() as connection:
            if connection.execute(text(LATER)).rowcount:
                connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            left = text("SELECT EXISTS (SELECT FROM outbox WHERE state = 'queued')")
            return not connection.scalar(left)

    def _lives(self, mailer: MailerProcess) -> bool:
        return bool(self._ask(LIVES, mailer))

    def _ask(self, query: str, mailer: MailerProcess) -> object:
        with self.database.engine("owner").connect() as connection:
            return connection.scalar(text(query), {"name": mailer.name})

    def _run(self, code: str, url: str, printed: IO[bytes]) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "APP_ENV": "development",
            "DATABASE_URL": url,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.sink.port),
            "MAIL_USE_TLS": "false",
            "MAIL_AUTH": "none",
            "MAIL_CONNECTIONS": str(CONNECTIONS),
            "MAIL_JOURNAL_DIR": str(self._folder / "journals"),
            "SESSION_FILE_DIR": str(self._folder / "sessions"),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            stdout=printed,
            stderr=printed,
        )
        self._cleanup.callback(process.wait)
        self._cleanup.callback(process.kill)
        return process


def a_letter(number: int) -> Letter:
    """Return a letter to a person of that number."""
    message_id, recipient = f"<{number}@example.org>", f"person-{number}@example.net"
    head = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n".encode()
    return Letter(recipient, message_id, head)


@contextmanager
def fleet_on_a_sink(database: Database, folder: Path) -> Iterator[Fleet]:
    """Give a sink and nobody who sends to it yet; all that was started is killed at the end."""
    (folder / "sessions").mkdir()
    with Sink() as sink, ExitStack() as cleanup:
        yield Fleet(database, sink, folder, cleanup)


def seconds_to_takeover(fleet: Fleet, claimed: set[str], killed_at: float) -> float:
    """Wait for the first mail that a dead mailer had claimed to be taken; return how long it took."""
    found: list[float] = []

    def is_taken_up() -> bool:
        new = [mail for mail in list(fleet.sink.taken) if mail.at > killed_at]
        found.extend(mail.at for mail in new if mail.message_id in claimed)
        return bool(found)

    eventually(is_taken_up, what="a dead mailer's mail is taken up")
    return min(found) - killed_at


def assert_all_arrived(fleet: Fleet, queued: set[str], most_duplicates: int) -> None:
    """Hold what the sink took against what the outbox says, and both against what was queued."""
    taken, recorded = set(fleet.sink.times_taken()), fleet.sent_or_unsure()
    assert queued - taken == set(), f"{len(queued - taken)} mails are lost"
    assert taken - queued == set(), f"{len(taken - queued)} mails came from nowhere"
    assert recorded == queued, f"{len(recorded ^ queued)} mails are not recorded as what they are"
    assert fleet.sink.changed() == set(), "a mail went again with other bytes"
    duplicates = fleet.sink.duplicates()
    assert duplicates <= most_duplicates, f"{duplicates} went twice, not {most_duplicates} at most"
