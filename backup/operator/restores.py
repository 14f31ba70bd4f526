"""The verbs that put back: the database, or single tables of it."""

import os
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from backup.catalogue.folder import Folder
from backup.clock import now
from backup.operator.answers import answer, verb
from backup.operator.asking import note, require_yes
from backup.operator.wanted import (
    ROOM,
    ROOM_OF_A_SERVER,
    Wanted,
    add_moment,
    at_work,
    find,
    require_room,
    server_of,
    with_server,
)
from backup.postgres import databases, sessions
from backup.restoring import losses, moments, tables
from backup.restoring import restore as restoring
from backup.restoring.losses import Losses
from backup.restoring.progress import Progress, estimates
from backup.settings import Settings


def add_to(verbs: Any) -> None:
    """Add the verbs."""
    parser = verb(verbs, "restore", restore, "replace the live database by a backup, or an instant")
    add_moment(parser)
    add_agreement(parser)
    parser = verb(verbs, "restore-table", restore_tables, "bring tables back beside the live ones")
    parser.add_argument("tables", nargs="+", metavar="TABLE")
    add_moment(parser)


def add_agreement(parser: Any) -> None:
    """Add what answers questions beforehand."""
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--end-connections", action="store_true", help="end those of who is connected"
    )


def restore(arguments: Namespace, settings: Settings) -> int:
    """Replace the live database by what it was, once somebody has said yes."""
    folder = Folder(settings.backup_folder)
    wanted = find(arguments, folder)
    require_room(folder, wanted, ROOM)
    lost = look(settings, wanted)
    require_yes(
        lost.warning(wanted.what, size_of_live(settings)),
        "Restore it, and end all connections?" if lost.connected else "Restore it?",
        {"--yes": arguments.yes}
        | ({"--end-connections": arguments.end_connections} if lost.connected else {}),
    )
    # Where somebody is connected, ending that was agreed to; where nobody is, nobody was asked.
    end_connections = arguments.end_connections or bool(lost.connected)
    progress, began = Progress(note), now()
    with at_work(arguments, settings, folder) as repositories:
        if wanted.manifest:
            progress.expect(estimates(wanted.manifest))
        with wanted.source(repositories, folder, lost.database, progress) as source:
            kept = restoring.replace(
                source, settings, began, progress, end_connections=end_connections
            )
            rows = sum(table.rows for table in source.fingerprint.tables.values())
            document = {
                "restored": wanted.manifest.id if wanted.manifest else None,
                "then": wanted.then,
                "target": source.target,
                "database": lost.database,
                "kept": kept,
                "tables": len(source.fingerprint.tables),
                "rows": rows,
                "ended": [asdict(who) for who in lost.connected],
                "seconds": progress.seconds,
            }
    text = (
        f"restored and found equal: {lost.database} as of {moments.told(wanted.then)},"
        f" {rows} rows, from {source.target}.\n" + (told_of(kept) if kept else "")
    )
    answer(arguments, text.rstrip(), document)
    return os.EX_OK


def told_of(kept: str) -> str:
    """Return what can be done with the database that was replaced."""
    return (
        f"The database as it was is now {kept}, until you drop it: `make restore-undo` goes back"
        " to it, `make restore-drop` drops it.\n"
        "A backup from an older release needs the migrations again: `make migrate`."
    )


def restore_tables(arguments: Namespace, settings: Settings) -> int:
    """Bring tables back as they were, into a schema of their own beside the live ones."""
    folder = Folder(settings.backup_folder)
    wanted = find(arguments, folder)
    require_room(folder, wanted, ROOM_OF_A_SERVER)
    live = settings.url().database or ""
    schema = tables.schema_of(now())
    progress = Progress(note)
    with (
        at_work(arguments, settings, folder) as repositories,
        server_of(wanted, repositories, folder, live, progress) as url,
    ):
        restored = tables.beside(arguments.tables, url, folder, settings, schema, progress)
    document = {
        "then": wanted.then,
        "schema": restored.schema,
        "rows": restored.rows,
        "seconds": progress.seconds,
    }
    answer(arguments, f"As of {moments.told(wanted.then)}. {restored.advice()}", document)
    return os.EX_OK


def look(settings: Settings, wanted: Wanted) -> Losses:
    """Return what is lost by this; of a database that is gone, nothing."""
    live = settings.url().database or ""
    manifest = wanted.manifest

    def seen(server: Engine) -> Losses:
        there = databases.exists(server, live)
        return Losses(
            database=live,
            then=wanted.then,
            now=now().replace(microsecond=0),
            rows=losses.count(sessions.open_engine(settings)) if there else {},
            rows_then=manifest.fingerprint.tables if manifest else None,
            connected=databases.connected(server, live),
        )

    return with_server(settings, seen)


def size_of_live(settings: Settings) -> int | None:
    """Return how many bytes the live database takes, if there is one."""
    live = settings.url().database or ""
    return with_server(
        settings,
        lambda server: databases.size(server, live) if databases.exists(server, live) else None,
    )
