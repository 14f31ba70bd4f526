"""The recovery kit: a key of its own for each repository, and the recipe that it opens them with."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.errors import BackupError, BusyError
from backup.repository import keys, locks
from backup.repository.errors import TargetError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.restoring import recipe
from backup.restoring.recipe import Facts, Place
from backup.settings import Settings

SSH = (
    "-F none -o IdentityFile=$PWD/sftp_key -o UserKnownHostsFile=$PWD/sftp_known_hosts"
    " -o StrictHostKeyChecking=yes -o BatchMode=yes -o IdentitiesOnly=yes"
)


def make(  # noqa: PLR0913, PLR0917 what there is, what is told, when, and who hears of troubles
    repositories: Sequence[Repository],
    folder: Folder,
    settings: Settings,
    versions: dict[str, str],
    now: datetime,
    tell: Callable[[str], None],
) -> tuple[str, dict[str, str]]:
    """Return the kit's text, and the id of its key by target; those of earlier kits still hold.

    A target that is away or busy is told, and is not in the kit; a BackupError if all are.
    """
    password = secrets.token_hex(32)
    places: list[Place] = []
    for repository in repositories:
        try:
            with locks.shared(folder, repository.target.name):
                key_id = keys.add_for_kit(repository, password)
        except (TargetError, BusyError) as error:
            tell(f"{error}; it is not in the kit")
        else:
            places.append(place_of(repository.target, key_id, settings))
    if not places:
        message = (
            "no target could be given a key, so there is no kit; take a backup, then try again"
        )
        raise BackupError(message)
    latest = folder.find(None)
    text = recipe.write(_facts(latest, folder, password, versions, now), places)
    return text, {place.name: place.key_id for place in places}


def retire_others(
    repositories: Sequence[Repository],
    folder: Folder,
    kept: dict[str, str],
    tell: Callable[[str], None],
) -> int:
    """Remove the keys of earlier kits, once this one is written; return how many."""
    removed = 0
    for repository in repositories:
        name = repository.target.name
        if name not in kept:
            continue
        try:
            with locks.exclusive(folder, name):
                removed += keys.retire(repository, kept[name])
        except (TargetError, BusyError) as error:
            tell(f"{error}; there, keys of earlier kits may still be good")
    return removed


def place_of(target: Target, key_id: str, settings: Settings) -> Place:
    """Return how the kit tells of a target: with all that is needed to get in."""
    files, options = {}, []
    if target.kind == "sftp":
        key = settings.backup_sftp_key
        files["sftp_key"] = key.get_secret_value() if key else ""
        files["sftp_known_hosts"] = settings.backup_sftp_known_hosts or ""
        options.append(f"--option=sftp.args={SSH}")
    elif target.off_site and settings.backup_ca_file:
        files["ca.pem"] = settings.backup_ca_file.read_text(encoding="utf-8")
        options.append("--cacert=$PWD/ca.pem")
    return Place(
        name=target.name,
        kind=target.kind,
        location=target.location,
        key_id=key_id,
        environment=dict(target.environment),
        files=files,
        options=tuple(options),
    )


def _facts(
    latest: Manifest, folder: Folder, password: str, versions: dict[str, str], now: datetime
) -> Facts:
    return Facts(
        made_at=now,
        password=password,
        database=latest.origin.database,
        roles=latest.origin.roles,
        catalogue=str(folder.catalogue),
        versions={"PostgreSQL": latest.origin.server_version, **versions},
    )
