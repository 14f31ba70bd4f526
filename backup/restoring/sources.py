"""What a restore is made of: a backup's dump from a repository, or one of the cluster as of an instant."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import URL

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Fingerprint, Manifest, Origin
from backup.content import origin, reading, schema
from backup.errors import BackupError, DamagedError
from backup.postgres import programs, scratch
from backup.repository.errors import TargetError
from backup.repository.restic import Repository
from backup.restoring import clusters
from backup.restoring.moments import told
from backup.restoring.progress import Progress
from backup.stream import points, recovery
from backup.taking import proof

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Source:
    """A dump, what it holds, what must exist around it, and the target that it came from."""

    dump: Path
    fingerprint: Fingerprint
    origin: Origin
    target: str
    definitions: Path | None = None  # as the source had them, where they are still known


@contextmanager
def of_backup(
    manifest: Manifest,
    repositories: Sequence[Repository],
    folder: Folder,
    progress: Progress,
) -> Iterator[Source]:
    """Have a backup's dump, from the first target that gives it unharmed."""
    with ExitStack() as stack:
        with progress.step("fetch", f"backup {manifest.id}"):
            tries = {
                repository.target.name: partial(
                    stack.enter_context, proof.fetched(repository, manifest, folder)
                )
                for repository in having(manifest, repositories)
            }
            target, dump = _first(tries, progress.tell)
        definitions = folder.definitions(manifest)
        known = definitions if definitions.exists() else None
        yield Source(dump, manifest.fingerprint, manifest.origin, target, known)


def until(choice: recovery.Choice, folder: Folder) -> datetime:
    """Return the instant, or what is at least reached where the end of the log is wanted."""
    if choice.instant:
        return choice.instant
    spans = points.windows(folder)[choice.target].spans
    return next(span.until for span in spans if span.stretch == choice.base.stretch)


@contextmanager
def of_instant(
    choice: recovery.Choice,
    repositories: Sequence[Repository],
    folder: Folder,
    database: str,
    progress: Progress,
) -> Iterator[Source]:
    """Have a dump of a database as it was at an instant."""
    dump = folder.stage / "instant.dump"
    try:
        with at_instant(choice, repositories, folder, database, progress) as (target, url):
            folder.stage.mkdir(mode=0o700, exist_ok=True)
            with progress.step("dump", f"{database} as it was"):
                _dump(url, dump)
                digest = _digest(url, folder.stage / "instant.sql")
                content = reading.read(scratch.open_engine(url), digest)
                with scratch.open_engine(url).connect() as connection:
                    around = origin.read(connection)
        yield Source(dump, content, around, target)
    finally:
        dump.unlink(missing_ok=True)


@contextmanager
def at_instant(
    choice: recovery.Choice,
    repositories: Sequence[Repository],
    folder: Folder,
    database: str,
    progress: Progress,
) -> Iterator[tuple[str, URL]]:
    """Have a server of our own with everything as it was at an instant, from the first target that can give it."""
    with ExitStack() as stack:
        when = told(choice.instant) if choice.instant else "the end of the log"
        with progress.step("recover", f"the cluster as of {when}"):
            tries = {
                one.target: partial(
                    stack.enter_context,
                    recovery.recovered(
                        named(one.target, repositories), one.base, one.instant, folder
                    ),
                )
                for one in _choices(choice, repositories, folder)
            }
            target, url = _first(tries, progress.tell)
        yield target, url.set(database=database)


def chosen(
    instant: datetime | None, folder: Folder, target: str | None, base: str | None = None
) -> recovery.Choice:
    """Return what an instant, or the end, is recovered from; a BackupError tells which instants there are.

    A base that is named is begun from; else the end has to be that of the only cluster there is.
    """
    bases, windows = folder.bases(), points.windows(folder)
    if target is not None:
        windows = {name: window for name, window in windows.items() if name == target}
    if base is not None:
        bases = clusters.named(bases, base)
    elif instant is None:
        clusters.require_one(bases, windows)
    return recovery.choose(bases, windows, instant)


def _choices(
    choice: recovery.Choice, repositories: Sequence[Repository], folder: Folder
) -> list[recovery.Choice]:
    """Return that choice, and what leads to the same at other targets that may be asked."""
    asked = {repository.target.name for repository in repositories}
    bases = [base for base in folder.bases() if base.stretch == choice.base.stretch]
    found = [choice]
    for target, window in points.windows(folder).items():
        if target != choice.target:
            with suppress(BackupError):  # it does not reach so far
                found.append(recovery.choose(bases, {target: window}, choice.instant))
    return [one for one in found if one.target in asked] or [choice]


def having(manifest: Manifest, repositories: Sequence[Repository]) -> list[Repository]:
    """Return the repositories that have a copy of it; a BackupError where none has."""
    found = [r for r in repositories if r.target.name in manifest.copies]
    if not found:
        asked = ", ".join(r.target.name for r in repositories) or "none"
        message = (
            f"the backup {manifest.id} is at {', '.join(manifest.copies) or 'no target'},"
            f" and asked were: {asked}; see BACKUP_TARGETS"
        )
        raise BackupError(message)
    return found


def named(target: str, repositories: Sequence[Repository]) -> Repository:
    """Return the repository of that target; a BackupError where it is none of ours."""
    for repository in repositories:
        if repository.target.name == target:
            return repository
    known = ", ".join(r.target.name for r in repositories)
    message = f"there is no target {target}; there are: {known}"
    raise BackupError(message)


def _first(
    tries: Mapping[str, Callable[[], Found]], tell: Callable[[str], None]
) -> tuple[str, Found]:
    """Return what the first target gives; of one that can't, say why and ask the next."""
    *others, last = tries
    for target in others:
        try:
            return target, tries[target]()
        except (TargetError, DamagedError) as error:
            tell(f"{error}; asking the next target")
    return last, tries[last]()


def _digest(url: URL, definitions: Path) -> str:
    """Return the digest of the definitions as they read once they are restored."""
    definitions.write_text(schema.read(url), encoding="utf-8")
    try:
        return schema.sha256(schema.reloaded(url, definitions))
    finally:
        definitions.unlink()


def _dump(url: URL, out: Path) -> None:
    with out.open("wb") as output:
        options = ["--format=custom", "--compress=zstd:1", "--no-password"]
        programs.run("pg_dump", *options, "--dbname", programs.conninfo(url), output=output)
