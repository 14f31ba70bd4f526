"""The databases that restores have put aside: gone back to, or dropped, when somebody says so."""

from dataclasses import dataclass
from datetime import datetime

from psycopg2.errors import ObjectInUse
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from backup.errors import BackupError, RefusedError
from backup.postgres import databases
from backup.postgres.databases import Database
from common.database import reason_of

BEFORE, UNDONE = "before", "undone"


@dataclass(frozen=True, slots=True)
class Undone:
    """What is the live database again, and what the one is called that was it till now."""

    again: str
    aside: str | None


def all_of(server: Engine, live: str) -> list[Database]:
    """Return what was put aside, oldest first: before a restore, or by undoing one."""
    found = [
        d for kind in (BEFORE, UNDONE) for d in databases.all_stamped(server, f"{live}_{kind}")
    ]
    return sorted(found, key=lambda database: database.name[-len("20261122_030000") :])


def find(server: Engine, live: str, name: str | None) -> Database:
    """Return that one, or the one that the latest restore has put aside; a BackupError if there is none."""
    kept = all_of(server, live)
    wanted = [d for d in kept if d.name == name or (name is None and f"_{BEFORE}_" in d.name)]
    if not wanted:
        known = ", ".join(d.name for d in kept) or "none"
        message = (
            f"there is no database {name or f'{live}_{BEFORE}_...'} to go back to; kept: {known}"
        )
        raise BackupError(message)
    return wanted[-1]


def undo(server: Engine, live: str, again: str, now: datetime, *, end_connections: bool) -> Undone:
    """Make a kept database the live one again, and put the one aside that is it now."""
    aside = databases.stamped(f"{live}_{UNDONE}", now)
    there = databases.exists(server, live)
    try:
        databases.swap(server, live, again, aside, end_connections=end_connections)
    except SQLAlchemyError as error:
        message = f"{reason_of(error)}; all databases are as they were"
        in_use = isinstance(error, OperationalError) and isinstance(error.orig, ObjectInUse)
        raise (RefusedError if in_use else BackupError)(message) from error
    return Undone(again, aside if there else None)


def drop(server: Engine, database: Database) -> None:
    """Drop one for good."""
    try:
        databases.drop(server, database.name)
    except SQLAlchemyError as error:
        message = f"{database.name} is still there: {reason_of(error)}"
        raise BackupError(message) from error
