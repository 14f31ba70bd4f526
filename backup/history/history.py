"""The history of one stack: each backup adds to it, and it goes to the remote, then or later."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog

from backup.catalogue.files import complete_or_absent
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.errors import BackupError
from backup.history import commits, content, remote
from backup.history.git import Git, GitError
from backup.settings import Settings

log = structlog.get_logger(__name__)

FILE = "git.json"


@dataclass(frozen=True, slots=True)
class Pushed:
    """How the remote does: the commit that it has, and what stands in the way of a later one."""

    commit: str | None = None
    trouble: str | None = None
    since: str | None = None  # of the trouble


def record(folder: Folder, schema_sql: str, manifest: Manifest, settings: Settings) -> None:
    """Commit what a backup says of the schema, and push it. Never fails a backup: trouble is kept, and told."""
    try:
        _record(folder, schema_sql, manifest, settings)
    except OSError as error:  # the volume is full, say: not even the trouble can be kept
        log.warning("the history is not kept up", reason=str(error))


def _record(folder: Folder, schema_sql: str, manifest: Manifest, settings: Settings) -> None:
    try:
        add(folder, schema_sql, manifest, settings)
    except (BackupError, OSError) as error:
        log.warning("the history has no entry of this backup", reason=str(error))
        _keep(folder, str(error), state(folder).commit, manifest.finished_at)
        return
    push(folder, settings, manifest.finished_at)


def add(folder: Folder, schema_sql: str, manifest: Manifest, settings: Settings) -> str | None:
    """Commit it, and return the commit; None where the history says just that already."""
    git = Git(folder.history)
    commits.prepare(git)
    head = commits.head(git)
    if head is None:
        _adopt(git, settings)
        head = commits.head(git)
    files = content.files(schema_sql, manifest)
    changed = head is None or commits.content(git, head, content.SCHEMA) != files[content.SCHEMA]
    message = content.message(manifest, schema_changed=changed)
    return commits.commit(git, files, message, manifest.finished_at)


def push(folder: Folder, settings: Settings, now: datetime) -> str | None:
    """Bring the remote up to date if it is not; return what stands in the way. Safe to repeat."""
    git, known = Git(folder.history), state(folder)
    head = commits.head(git) if folder.history.exists() else None
    if not settings.backup_git_remote:
        if known.trouble:
            _keep(folder, None, known.commit, now)
        return None
    if head is None or (head == known.commit and not known.trouble):
        return known.trouble
    try:
        with remote.opened(settings) as there:
            if there:
                there.push(git)
    except (BackupError, OSError) as error:
        log.warning("the history is not pushed; it is tried again", reason=str(error))
        return _keep(folder, str(error), known.commit, now)
    return _keep(folder, None, head, now)


def state(folder: Folder) -> Pushed:
    """Return how the remote does, as far as is known."""
    try:
        return Pushed(**json.loads((folder.state / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):  # none yet, or damaged: the next push writes it anew
        return Pushed()


def _adopt(git: Git, settings: Settings) -> None:
    """Go on from what the remote has; where it can't be asked, begin nothing: it would never lead to what is there."""
    try:
        with remote.opened(settings) as there:
            if there:
                there.adopt(git)
    except GitError as error:
        message = (
            f"the history is not begun, as its remote may have one: {remote.explained(error)};"
            " the next backup begins it"
        )
        raise remote.RemoteError(message) from error


def _keep(folder: Folder, trouble: str | None, commit: str | None, now: datetime) -> str | None:
    since = (state(folder).since or now.isoformat()) if trouble else None
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with complete_or_absent(folder.state / FILE) as out:
        out.write(json.dumps(asdict(Pushed(commit, trouble, since))).encode())
    return trouble
