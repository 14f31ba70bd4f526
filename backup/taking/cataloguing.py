"""The catalogue, at each target: what a new machine begins from, so it is never much older than what it tells of."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from pydantic import AwareDatetime

from backup.catalogue import manifest, volume
from backup.catalogue.files import PARTIAL
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Record
from backup.errors import BackupError, DamagedError
from backup.repository import locks, preflight
from backup.repository.errors import IncompleteError
from backup.repository.restic import Repository

log = structlog.get_logger(__name__)

CATALOGUE = "catalogue"
FILE = "catalogue-saved.json"
EVERY = timedelta(hours=1)
ATTEMPTS = 5  # a file may go while it is read


class Saved(Record):
    """What a target was given last, and when, where that was not with a run."""

    sha256: str
    at: AwareDatetime | None


class AllSaved(Record):
    """The same, by target."""

    targets: dict[str, Saved]


def save(folder: Folder, repository: Repository, at: datetime | None = None) -> None:
    """Store the catalogue at a target."""
    sha256 = _sha256(folder)
    with locks.shared(folder, repository.target.name):
        _save(folder, repository)
    known = {**_known(folder), repository.target.name: Saved(sha256=sha256, at=at)}
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(AllSaved(targets=known), folder.state / FILE)


def save_what_changed(folder: Folder, repositories: Iterable[Repository], now: datetime) -> None:
    """Store it, hourly, where a target has not got what there is by now; one that is away gets it later."""
    for repository in repositories:
        if not _is_due(folder, repository.target.name, now):
            continue
        try:
            preflight.check(repository)
            if repository.exists():
                save(folder, repository, now)
        except BackupError as error:
            name = repository.target.name
            log.warning("the catalogue is not stored yet", target=name, reason=str(error))


def _is_due(folder: Folder, target: str, now: datetime) -> bool:
    if not folder.stored() and not folder.bases():
        return False
    saved = _known(folder).get(target)
    if saved is None:
        return True
    waited = saved.at is None or not timedelta() <= now - saved.at < EVERY
    return waited and saved.sha256 != _sha256(folder)


def _save(folder: Folder, repository: Repository) -> None:
    tags = [CATALOGUE, volume.tag(folder)]
    for _ in range(ATTEMPTS - 1):
        try:
            repository.save_folder(folder.catalogue, tags)
        except IncompleteError:
            continue
        return
    repository.save_folder(folder.catalogue, tags)


def _sha256(folder: Folder) -> str:
    """Return the digest of all that is in it, names and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.catalogue.rglob("*")):
        if not path.match(PARTIAL):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:  # pruned just now; the next look tells
                continue
            name = str(path.relative_to(folder.catalogue)).encode()
            digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return digest.hexdigest()


def _known(folder: Folder) -> dict[str, Saved]:
    try:
        return manifest.read(AllSaved, folder.state / FILE).targets
    except (FileNotFoundError, DamagedError):
        return {}
