"""The verb of a new machine: it learns from a target what backups there are."""

import os
from argparse import Namespace
from typing import Any

from backup.catalogue.folder import Folder
from backup.operator.answers import answer, verb
from backup.operator.asking import note
from backup.operator.wanted import at_work
from backup.restoring import adopting
from backup.settings import Settings


def add_to(verbs: Any) -> None:
    """Add the verb."""
    parser = verb(
        verbs, "adopt", adopt, "on a new machine: learn from a target what backups there are"
    )
    parser.add_argument("--target", metavar="NAME", help="only from this target")


def adopt(arguments: Namespace, settings: Settings) -> int:
    """Take over the newest catalogue that is stored at the targets."""
    folder = Folder(settings.backup_folder)
    with at_work(arguments, settings, folder) as repositories:
        adopted = adopting.adopt(repositories, folder, note)
    text = (
        f"adopted from {adopted.target}, as of {adopted.at:%Y-%m-%d %H:%M:%S} UTC:"
        f" {adopted.backups} backups, {adopted.bases} base backups."
    )
    if adopted.latest:
        text += f"\nTo have the latest back: make restore AT={adopted.latest}"
    document = {
        "target": adopted.target,
        "at": adopted.at,
        "backups": adopted.backups,
        "bases": adopted.bases,
        "latest": adopted.latest,
    }
    answer(arguments, text, document)
    return os.EX_OK
