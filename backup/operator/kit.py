"""The verb that writes what is needed when this machine is gone."""

import os
import subprocess
from argparse import Namespace
from typing import Any

from backup.catalogue.folder import Folder
from backup.clock import now
from backup.operator.answers import answer, say, verb
from backup.operator.asking import note
from backup.repository.opening import opened
from backup.restoring import kit
from backup.settings import Settings
from common.schema import HEAD


def add_to(verbs: Any) -> None:
    """Add the verb."""
    parser = verb(
        verbs, "recovery-kit", recovery_kit, "print what is needed when this machine is gone"
    )
    parser.add_argument(
        "--written",
        nargs="+",
        metavar="TARGET=KEY",
        help="that kit is safely written: end the keys of earlier ones",
    )


def recovery_kit(arguments: Namespace, settings: Settings) -> int:
    """Print a new kit; or, once it is written, end the earlier ones.

    In this order: where printing it fails, the kit that is in the safe is still good.
    """
    folder = Folder(settings.backup_folder)
    folder.find(None)  # without a backup there is nothing to recover
    with opened(settings) as repositories:
        if arguments.written:
            kept = dict(pair.split("=", 1) for pair in arguments.written)
            removed = kit.retire_others(repositories, folder, kept, note)
            answer(
                arguments, f"keys of earlier kits that were ended: {removed}", {"ended": removed}
            )
            return os.EX_OK
        versions = {"restic": restic_version(), "schema": HEAD}
        text, keys = kit.make(repositories, folder, settings, versions, now(), note)
    if arguments.json:
        answer(arguments, text, {"kit": text, "keys": keys})
    else:
        say(text)
    return os.EX_OK


def restic_version() -> str:
    """Return the version of the restic that writes the repositories."""
    told = subprocess.run(["/usr/bin/restic", "version"], capture_output=True, check=True)
    return told.stdout.decode().split()[1]
