"""What a run and a clean-up work with, as tests need it: a repository in memory, and what is around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, create_engine

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.repository.answers import Saved
from backup.repository.restic import Repository, Snapshot
from backup.repository.targets import Target
from backup.taking.copying import Copier
from backup.taking.dumping import Dumped, Dumper
from backup.taking.reporting import Reporter
from backup.taking.run import Run
from tests.backup_manifests import NOON, a_manifest

NO_SESSION = cast("Connection", None)
NOWHERE = create_engine("postgresql+psycopg2://u:p@127.0.0.1:1/keelson")


class FakeRepository(Repository):
    """A repository in memory, that remembers what it was told to do."""

    def __init__(self, folder: Path, name: str = "sftp", *, append_only: bool = False) -> None:
        super().__init__(Target(name, "local", str(folder), append_only=append_only), "key", folder)
        self.there: list[Snapshot] = []
        self.forgotten: list[str] = []
        self.pruned = 0

    def has(self, snapshot: str, *tags: str) -> None:
        """Have it hold one more snapshot."""
        self.there.append(Snapshot(snapshot, NOON, tags, ("/keelson.dump",)))

    def exists(self) -> bool:
        """Be there."""
        return True

    def snapshots(self, *tags: str) -> list[Snapshot]:
        """Return those with all the tags."""
        return [snapshot for snapshot in self.there if set(tags) <= set(snapshot.tags)]

    def forget(self, snapshots: Sequence[str]) -> None:
        """Remember which."""
        self.forgotten += snapshots
        self.there = [snapshot for snapshot in self.there if snapshot.id not in snapshots]

    def prune(self) -> None:
        """Count."""
        self.pruned += 1

    def unlock(self) -> None:
        """Have no locks."""


class FakeDumper(Dumper):
    """Stores a dump of nothing."""

    def dump(
        self, _connection: object, repositories: Sequence[Repository], tags: Sequence[str]
    ) -> Dumped:
        """Have the first repository hold it."""
        first, manifest = repositories[0], a_manifest()
        assert isinstance(first, FakeRepository)
        first.has("5nap5h0t", *tags)
        return Dumped(
            repository=first,
            saved=Saved("5nap5h0t", 1000, 100, 100, 1.0),
            origin=manifest.origin,
            definitions="CREATE TABLE people (id int);\n",
            fingerprint=manifest.fingerprint,
            later_sequences={},
            steps={},
        )


@dataclass(frozen=True)
class FakeReporter(Reporter):
    """Tells nobody; `ends` is raised as soon as the backup is stored."""

    ends: BaseException | None = None

    def close_abandoned(self) -> None:
        """Tell nobody."""

    def begin(self, _backup_id: str, _started_at: object) -> None:
        """Tell nobody."""

    def keep(self, _manifest: Manifest) -> None:
        """End the run here, if it is to end."""
        if self.ends:
            raise self.ends

    def mirror(self) -> None:
        """Tell nobody."""


def a_run(
    folder: Folder, repositories: Sequence[Repository], ends: BaseException | None = None
) -> Run:
    """Return a run at noon."""
    return Run(
        folder=folder,
        copier=Copier(folder, repositories),
        dumper=FakeDumper(NOWHERE.url, folder, {}),
        reporter=FakeReporter(NOWHERE, folder, lambda: NOON, ends),
        record=lambda _schema, _manifest: None,
        clock=lambda: NOON,
    )
