"""The verbs that read the history: when the schema changed, and how."""

import os
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.history import reading
from backup.history.git import Git
from backup.operator.answers import answer, verb
from backup.settings import Settings


def add_to(verbs: Any) -> None:
    """Add the verbs."""
    verb(verbs, "schema-log", log, "list the changes of the schema, newest first")
    comparing = verb(verbs, "schema-diff", diff, "show how the schema differs between two moments")
    known = "a backup's id, a day or an instant (UTC), or a commit"
    comparing.add_argument("one", help=known)
    comparing.add_argument("other", nargs="?", help="likewise; the newest if not given")


def log(arguments: Namespace, settings: Settings) -> int:
    """List the changes of the schema."""
    found = reading.changes(opened(settings))
    lines = [f"{change.at}  {change.commit[:12]}  {change.message}" for change in found]
    answer(arguments, "\n".join(lines), [asdict(change) for change in found])
    return os.EX_OK


def diff(arguments: Namespace, settings: Settings) -> int:
    """Show the difference as a patch."""
    patch = reading.difference(opened(settings), arguments.one, arguments.other)
    text = patch.rstrip("\n") or "the schema is the same"
    answer(arguments, text, {"same": not patch, "patch": patch})
    return os.EX_OK


def opened(settings: Settings) -> Git:
    """Return the history, or raise a BackupError where there is none yet."""
    git = Git(Folder(settings.backup_folder).history)
    if not git.folder.is_dir():
        message = "there is no history yet: the first backup begins it (make backup)"
        raise BackupError(message)
    return git
