"""Taking a backup: one at a time, if one is due; then its copies; retention last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import ahead
from backup.catalogue.manifest import Manifest
from backup.errors import BackupError, NoRoomError
from backup.postgres import sessions
from backup.taking.pruning import Pruner
from backup.taking.run import Run
from common.database import reason_of

Due = Callable[[datetime | None], bool]  # after a backup that began then, or after none


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Runs one at a time, in all replicas; each is one call of `take`."""

    engine: Engine
    run: Run
    pruner: Pruner

    def take(self, due: Due | None = None) -> Manifest | None:
        """Take one backup, copy it, and prune old ones; return None if, once it is our turn, none is due.

        Raises a BackupError, and leaves nothing that could be taken for a proven backup. Where it is not at all
        targets, the copier's `troubles` say why; the next call makes the copies that are missing.
        """
        try:
            with self.run.folder.claimed(), sessions.only_run(self.engine) as connection:
                return self._take(connection, due)
        except (SQLAlchemyError, OSError) as error:
            message = f"{reason_of(error)}; what was proven before is still there"
            raise BackupError(message) from error

    def _take(self, connection: Connection, due: Due | None) -> Manifest | None:
        self.run.folder.sweep()
        self.run.reporter.close_abandoned()
        try:
            manifest = self._take_or_prove(connection, due)
        except BackupError as error:
            if isinstance(error, NoRoomError) or self.run.copier.full:
                self._make_room()
            self._catch_up()  # what was stored before, or only stored, is wanted elsewhere all the same
            raise
        if manifest is None:
            self._catch_up()
        else:
            self._finish()
        return manifest

    def _take_or_prove(self, connection: Connection, due: Due | None) -> Manifest | None:
        """Take one by hand, or if due; one that this slot has stored already has its proof tried again."""
        if due is None:
            return self.run.take(connection)
        stored = ahead.without(self.run.folder.stored(), self.run.clock())
        proven = [manifest for manifest in stored if manifest.state == "proven"]
        if not due(proven[-1].started_at if proven else None):
            return None
        if stored and stored[-1].state == "stored" and not due(stored[-1].started_at):
            return self.run.prove(stored[-1])
        return self.run.take(connection)

    def _catch_up(self) -> None:
        """Make the copies that are missing, if any are."""
        now, copier = self.run.clock(), self.run.copier
        past = self.pruner.past(now)
        if copier.missing(past):
            usable = copier.usable()
            if copier.copy(usable, now, past):
                copier.save_catalogue(usable)
                self.run.reporter.mirror()

    def _make_room(self) -> None:
        """Let go what is past its time: without that no later run would find room either."""
        usable = self.run.copier.usable(also_full=True)
        plan = self.pruner.plan(usable, self.run.clock())
        self.pruner.carry_out(plan, usable, make_room=True)

    def _finish(self) -> None:
        """Copy, prune, and store the catalogue: retention follows a proven backup, and nothing else."""
        now, copier = self.run.clock(), self.run.copier
        usable = copier.usable()
        copier.copy(usable, now, self.pruner.past(now))
        if copier.full:
            self._make_room()
        else:
            self.pruner.carry_out(self.pruner.plan(usable, now), usable)
        copier.save_catalogue(usable)
        self.run.reporter.mirror()
