"""The verb that proves a backup again, from wherever it lies."""

import os
from argparse import Namespace
from typing import Any

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.clock import now
from backup.errors import BackupError, DamagedError
from backup.history import history
from backup.operator import listing
from backup.operator.answers import answer, verb
from backup.repository.errors import RepositoryDamagedError
from backup.repository.opening import opened
from backup.repository.restic import Repository
from backup.settings import Settings
from backup.taking import damage, proof
from backup.watching import outcome
from common.database import open_engine


def add_to(verbs: Any) -> None:
    """Add the verb."""
    parser = verb(verbs, "verify", verify, "restore a backup into a scratch server and compare")
    parser.add_argument("id", nargs="?", help="the newest proven one if not given")
    parser.add_argument(
        "--target", metavar="NAME", help="read it from there: local, sftp, rest, s3"
    )


def verify(arguments: Namespace, settings: Settings) -> int:
    """Prove a backup again; one that was stored only is proven by that."""
    folder = Folder(settings.backup_folder)
    with opened(settings) as repositories, folder.claimed():
        manifest = folder.find_stored(arguments.id)
        repository = _source(repositories, manifest, arguments.target)
        try:
            found, steps = proof.prove(manifest, repository, folder)
        except RepositoryDamagedError as error:
            told = _dropped(manifest, repository, repositories, folder)
            reason = f"{error}; {told}"
            _tell(reason, folder, settings)
            raise RepositoryDamagedError(reason) from error
        except DamagedError as error:
            folder.save(manifest.model_copy(update={"state": "stored"}))
            _tell(str(error), folder, settings)
            raise
        proven = proof.proven(manifest, found, steps, now())
        folder.save(proven)
        if manifest.state == "stored":
            _record(folder, proven, settings)
    text = (
        f"good: restored from {repository.target.name} and found equal. {listing.sentence(proven)}"
    )
    answer(arguments, text, {**listing.as_object(proven), "target": repository.target.name})
    return os.EX_OK


def _dropped(
    manifest: Manifest, damaged: Repository, repositories: list[Repository], folder: Folder
) -> str:
    """Count a copy at a damaged target no more, unless there is no other; say which it was."""
    others = {r.target.name for r in repositories} & manifest.copies.keys() - {damaged.target.name}
    if not others:
        return f"no other target has the backup {manifest.id}, so it stays in the catalogue"
    damage.drop(folder, manifest, damaged.target.name)
    return (
        f"this copy of the backup {manifest.id} counts no more, it is at {', '.join(sorted(others))};"
        " once the repository is mended, a later run copies it there anew"
    )


def _tell(reason: str, folder: Folder, settings: Settings) -> None:
    """Have it told, as where a run has failed."""
    engine = open_engine(settings, "backup")
    outcome.alerts(settings, folder, engine, now).tell(outcome.FAILED, reason)


def _record(folder: Folder, proven: Manifest, settings: Settings) -> None:
    """Give the history the definitions of a backup that only now is proven."""
    definitions = folder.definitions(proven)
    if definitions.exists():
        history.record(folder, definitions.read_text(encoding="utf-8"), proven, settings)


def _source(repositories: list[Repository], manifest: Manifest, target: str | None) -> Repository:
    """Return the repository to read from: the named one, or the first that has it."""
    wanted = [r for r in repositories if r.target.name == target or target is None]
    having = [r for r in wanted if r.target.name in manifest.copies]
    if not having:
        known = ", ".join(manifest.copies) or "nowhere"
        message = f"the backup {manifest.id} is not at {target or 'any target that is set'}; it is at: {known}"
        raise BackupError(message)
    return having[0]
