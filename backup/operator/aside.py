"""The verbs for what restores have put aside: going back to it, and dropping it for good."""

import os
from argparse import Namespace
from typing import Any

from sqlalchemy import Engine

from backup.catalogue.folder import Folder
from backup.clock import now
from backup.operator import listing
from backup.operator.answers import answer, verb
from backup.operator.asking import require_yes
from backup.operator.restores import add_agreement
from backup.operator.wanted import with_server
from backup.postgres import databases
from backup.restoring import kept
from backup.settings import Settings


def add_to(verbs: Any) -> None:
    """Add the verbs."""
    parser = verb(verbs, "undo", undo, "make the database live again that a restore has put aside")
    parser.add_argument("name", nargs="?", help="the one of the latest restore if not given")
    add_agreement(parser)
    parser = verb(verbs, "drop-old", drop_old, "drop the databases that restores have put aside")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them if none is given")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def undo(arguments: Namespace, settings: Settings) -> int:
    """Make a kept database the live one again; the one that is it now is kept beside."""
    folder, live = Folder(settings.backup_folder), settings.url().database or ""

    def go_back(server: Engine) -> kept.Undone:
        database = kept.find(server, live, arguments.name)
        connected = databases.connected(server, live)
        who = ", ".join(f"{c.application} ({c.role}) {c.count}x" for c in connected) or "nobody"
        require_yes(
            f"{database.name} ({listing.size(database.bytes)}) becomes {live} again;"
            f" what {live} is now is kept beside it. Connected: {who}.",
            "Undo it, and end all connections?" if connected else "Undo it?",
            {"--yes": arguments.yes}
            | ({"--end-connections": arguments.end_connections} if connected else {}),
        )
        end = arguments.end_connections or bool(connected)
        with folder.claimed():
            return kept.undo(server, live, database.name, now(), end_connections=end)

    undone = with_server(settings, go_back)
    aside = f" What it was till now is {undone.aside}." if undone.aside else ""
    document = {"database": live, "again": undone.again, "kept": undone.aside}
    answer(arguments, f"{undone.again} is {live} again.{aside}", document)
    return os.EX_OK


def drop_old(arguments: Namespace, settings: Settings) -> int:
    """Drop the databases that were kept, once somebody has said yes."""
    folder, live = Folder(settings.backup_folder), settings.url().database or ""

    def go_on(server: Engine) -> list[str]:
        wanted = (
            [kept.find(server, live, name) for name in arguments.names]
            if arguments.names
            else kept.all_of(server, live)
        )
        if wanted:
            lines = "\n".join(f"  {d.name}: {listing.size(d.bytes)}" for d in wanted)
            warning = f"These go for good, and no undo leads back to them:\n{lines}"
            require_yes(warning, "Drop them?", {"--yes": arguments.yes})
        with folder.claimed():
            for database in wanted:
                kept.drop(server, database)
        return [database.name for database in wanted]

    dropped = with_server(settings, go_on)
    text = (
        f"dropped: {', '.join(dropped)}" if dropped else "nothing is kept: there is nothing to drop"
    )
    answer(arguments, text, {"dropped": dropped})
    return os.EX_OK
