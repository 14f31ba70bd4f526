"""Whole mailers in threads of the test, with the database and a relay that are real."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine, create_engine

from mailer.delivery.clerk import Clerk
from mailer.delivery.desk import Desk
from mailer.delivery.intake import Office
from mailer.delivery.sender import Sender
from mailer.delivery.wake import Wake
from mailer.delivery.worker import Crew, Worker
from mailer.smtp.connection import RelayConnection
from mailer.smtp.credentials import Credentials
from mailer.smtp.relay import Relay
from mailer.stop import Stop
from tests.integration.postgres import Database
from tests.integration.smtp_server import PASSWORD, USER

STOP_SECONDS = 20


class Mailer:
    """One mailer; `relay` and `journals` are its own or shared, as in the stack."""

    def __init__(self, database: Database, relay: Relay, journals: Path) -> None:
        self.database = database
        self.relay = relay
        self.journals = journals
        self.connections = 2
        self.daily_quota = 0
        self.patience_seconds = 30.0
        self.password = PASSWORD
        self.beats = 0
        self.desk = Desk(1, lambda: None)

    def credentials(self) -> Credentials:
        """Return the account as it is now."""
        return Credentials(USER, SecretStr(self.password))

    @contextmanager
    def running(self) -> Iterator["Mailer"]:
        """Run it; at the end it must stop when told to."""
        stop = Stop()
        engine = create_engine(self.database.url("mailer"), pool_pre_ping=True)
        worker = self._worker(engine)
        thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join(STOP_SECONDS)
            assert not thread.is_alive(), "the mailer does not stop"
            engine.dispose()
            stop.close()

    def _worker(self, engine: Engine) -> Worker:
        room = Wake()
        self.desk = Desk(self.connections, room.set)
        clerk = Clerk(engine, self.desk, lambda: 0.0, room.set)
        senders = [
            Sender(seat, self.desk, RelayConnection(self.relay, self.credentials), clerk.tell)
            for seat in range(self.connections)
        ]
        known = [self.password]
        office = Office(
            desk=self.desk,
            tell=clerk.tell,
            daily_quota=self.daily_quota,
            new_credentials=lambda: self._has_changed(known),
            journals=self.journals,
            patience_seconds=self.patience_seconds,
        )
        return Worker(engine, Crew(self.desk, clerk, senders), office, room, self._beat)

    def _has_changed(self, known: list[str]) -> bool:
        before, known[0] = known[0], self.password
        return before != self.password

    def _beat(self) -> None:
        self.beats += 1
