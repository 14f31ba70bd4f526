"""The stream as a whole, for the worker: received without a pause, shipped and looked at with each tick."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import structlog
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.repository.restic import Repository
from backup.stream import bases, received, shipping, slot, stretches, tails
from backup.stream.receiver import Receiver
from backup.stream.shipping import BrokenError, Courier, Reached
from common.database import reason_of

log = structlog.get_logger(__name__)

SHIP_SECONDS = 45  # a tick waits so long for its shipments; they may take longer, without it
FIRST_BASE = timedelta(hours=1)  # that a new stack may take until its first base backup


class Stream:
    """Point in time, as long as the worker runs. `start` once, `tick` each minute, `stop` at the end."""

    def __init__(
        self,
        engine: Engine,
        url: URL,
        folder: Folder,
        repositories: Sequence[Repository],
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._clock = clock
        self._receiver = Receiver(url, self._ready)
        self._couriers = [Courier(repository, folder) for repository in repositories]
        self._since = clock()
        self._stopped = Event()

    def start(self) -> None:
        """Begin to receive."""
        self._receiver.start()

    def stop(self) -> None:
        """End receiving, and a tick's waiting; a shipment under way ends with the worker."""
        self._stopped.set()
        self._receiver.stop()

    def tick(self) -> str | None:
        """Ship what was received, and look at everything; return what is wrong, or None."""
        try:
            troubles = self._tick()
        except (BackupError, SQLAlchemyError, OSError) as error:
            troubles = [reason_of(error)]
        return "; ".join(dict.fromkeys(filter(None, troubles))) or None

    def base_due(self) -> bool:
        """Say whether a base backup is to be taken now: daily, and at once after a gap."""
        stretch = self._receiver.folder
        name = stretch.name if stretch else None
        return bases.due(self._folder.bases(), name, self._clock())

    def _ready(self) -> Path:
        """Return the folder to receive into, once there is a slot to receive from."""
        with self._engine.begin() as connection:
            kept = slot.ensure(connection)
        return stretches.ready(self._folder, kept, self._clock())

    def _tick(self) -> list[str | None]:
        stretch = self._receiver.folder
        if stretch is None:
            return [self._receiver.trouble]
        reached, away = self._reached(stretch)
        try:
            shipping.require_whole(self._folder, stretch, reached.last if reached else None)
        except BrokenError as error:
            if self._receiver.folder == stretch:  # or it has gone on elsewhere already
                self._receiver.renew()  # it asks where to go on, and the gap is found there too
            return [away, reason_of(error)]
        self._ship(stretch, reached)
        return [away, self._health(), *self._targets(stretch)]

    def _reached(self, stretch: Path) -> tuple[Reached | None, str | None]:
        """Return what was received for certain in that stretch, or why that can't be told."""
        try:
            reached = shipping.reach(self._engine, self._stopped)
        except (BackupError, SQLAlchemyError) as error:
            return None, self._receiver.trouble or reason_of(error)
        if stretch.parent.name != reached.system_id:
            self._receiver.renew()  # it asks where the database is now
            return None, "the database is another cluster than the one whose log is being received"
        if self._receiver.folder != stretch:  # it arrived in the one that was begun meanwhile
            return None, self._receiver.trouble
        received.note(self._folder, stretch, reached.lsn)
        return reached, None

    def _ship(self, stretch: Path, reached: Reached | None) -> None:
        """Ship to each target that has a base, once more also what has ended; without a base it is of no use there."""
        deadline = time.monotonic() + SHIP_SECONDS
        based = self._based(stretch)
        for courier in self._couriers:
            ended = tails.owed(self._folder, courier.name, stretch.name)
            if courier.name in based or ended:
                courier.begin(stretch if courier.name in based else None, reached, ended)
        for courier in self._couriers:
            courier.wait(deadline - time.monotonic(), self._stopped)

    def _based(self, stretch: Path) -> set[str]:
        known = self._folder.bases()
        return {target for base in known if base.stretch == stretch.name for target in base.copies}

    def _health(self) -> str | None:
        try:
            with self._engine.connect() as connection:
                return slot.health(connection).trouble()
        except SQLAlchemyError as error:
            return reason_of(error)

    def _targets(self, stretch: Path) -> list[str | None]:
        based, new = self._based(stretch), self._clock() - self._since < FIRST_BASE
        is_first = new and not self._folder.bases()
        return [
            courier.trouble
            if courier.name in based
            else None
            if is_first
            else f"target {courier.name}: no instant from now on can be restored until the next base backup"
            for courier in self._couriers
        ]
