"""What a verb that puts back is asked for, and what it needs for it: a state, room, repositories, the server."""

import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.errors import BackupError, RefusedError
from backup.operator import listing
from backup.postgres import sessions
from backup.repository.opening import opened
from backup.repository.restic import Repository
from backup.restoring import moments, sources, tables
from backup.restoring import restore as restoring
from backup.restoring.progress import Progress
from backup.restoring.sources import Source
from backup.settings import Settings
from backup.stream.recovery import Choice
from common.database import reason_of

Found = TypeVar("Found")
AT = "latest (if not given), a backup's id, an instant (2026-11-22T14:03:00Z), or end: the last commit known"
ROOM = 1.1  # of a dump: it is fetched as a file
ROOM_OF_A_SERVER = 3.0  # of a dump: the file, and a server of our own with its tables and indexes
ROOM_OF_A_CLUSTER = 2.0  # of a base backup: the cluster, its log, and a dump of it


def add_moment(parser: Any) -> None:
    """Add what says which state is wanted, and from where."""
    parser.add_argument("--at", metavar="MOMENT", help=AT)
    parser.add_argument("--target", metavar="NAME", help="only from this target")
    parser.add_argument(
        "--base", metavar="ID", help="an instant or end: from this base backup, of its cluster"
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A state of the database that can be had: its instant, its name, and where it comes from."""

    then: datetime
    what: str
    of: Manifest | Choice

    @property
    def manifest(self) -> Manifest | None:
        """Return the manifest of a logical backup; an instant has none."""
        return self.of if isinstance(self.of, Manifest) else None

    def source(
        self, repositories: list[Repository], folder: Folder, database: str, progress: Progress
    ) -> AbstractContextManager[Source]:
        """Have what it is restored from."""
        if isinstance(self.of, Manifest):
            return sources.of_backup(self.of, repositories, folder, progress)
        return sources.of_instant(self.of, repositories, folder, database, progress)


def find(arguments: Namespace, folder: Folder) -> Wanted:
    """Return the state that was asked for, or raise a BackupError that says what there is."""
    alone = arguments.json or not sys.stdin.isatty()
    moment = moments.parse(arguments.at, zone_needed=alone)
    if moment.instant is None and not moment.end:
        if arguments.base:
            message = "nothing was changed: --base goes with an instant or the end (AT=end), not with a backup"
            raise RefusedError(message)
        manifest = folder.find(moment.backup_id)
        return Wanted(manifest.started_at, f"backup {listing.sentence(manifest)}", manifest)
    choice = sources.chosen(moment.instant, folder, arguments.target, arguments.base)
    what = f"from the base backup {choice.base.id} and the log, at {choice.target}"
    return Wanted(sources.until(choice, folder), what, choice)


@contextmanager
def server_of(
    wanted: Wanted,
    repositories: list[Repository],
    folder: Folder,
    database: str,
    progress: Progress,
) -> Iterator[URL]:
    """Have a server of our own with that state of the database."""
    if isinstance(wanted.of, Choice):
        with sources.at_instant(wanted.of, repositories, folder, database, progress) as (_, url):
            yield url
    else:
        with (
            sources.of_backup(wanted.of, repositories, folder, progress) as source,
            tables.server_of(source, folder, progress) as url,
        ):
            yield url


@contextmanager
def at_work(arguments: Namespace, settings: Settings, folder: Folder) -> Iterator[list[Repository]]:
    """Be the only one at work in the folder, and have the repositories that may be asked."""
    folder.require_writable()
    with folder.claimed(), opened(settings) as repositories:
        folder.sweep()
        yield [sources.named(arguments.target, repositories)] if arguments.target else repositories


def with_server(settings: Settings, do: Callable[[Engine], Found]) -> Found:
    """Do it with a connection to the server, beside the live database."""
    server = sessions.open_engine(settings.for_database(restoring.MAINTENANCE))
    try:
        return do(server)
    except SQLAlchemyError as error:
        message = f"the database's server can't be asked: {reason_of(error)}; nothing was changed"
        raise BackupError(message) from error


def require_room(folder: Folder, wanted: Wanted, of_a_dump: float) -> None:
    """Raise a BackupError where what is fetched would not fit into the folder."""
    if isinstance(wanted.of, Choice):
        needed = int(wanted.of.base.bytes * ROOM_OF_A_CLUSTER)
    else:
        needed = int(wanted.of.bytes * of_a_dump)
    free = shutil.disk_usage(folder.path).free
    if free < needed:
        message = (
            f"{folder.path} has {listing.size(free)} free, and fetching the backup takes"
            f" {listing.size(needed)}; make room there first. Nothing was changed"
        )
        raise BackupError(message)
