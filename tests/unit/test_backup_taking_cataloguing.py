"""The catalogue at the targets: as good as up to date, and stored at last also where it failed at first."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backup.catalogue.folder import Folder
from backup.repository.answers import Saved
from backup.repository.errors import IncompleteError, TargetError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.taking import cataloguing
from backup.taking.copying import Copier
from tests.backup_manifests import NOON, a_manifest

MINUTE = timedelta(minutes=1)


class FakeRepository(Repository):
    """A repository that fails as it is told, and then keeps."""

    def __init__(self, folder: Folder, *failures: Exception) -> None:
        super().__init__(Target("local", "local", f"{folder.path}/repository"), "key", None)
        self._failures = list(failures)
        self.saved = 0

    def exists(self) -> bool:
        """Return that it does."""
        return True

    def save_folder(self, _folder: Path, _tags: Sequence[str]) -> Saved:
        """Keep nothing, or fail."""
        if self._failures:
            raise self._failures.pop(0)
        self.saved += 1
        return Saved("5nap5h0t", 1, 1, 1, 1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.save(a_manifest())
    return made


def watch(folder: Folder, repository: FakeRepository, minute: int) -> int:
    """Look; return how often it has been stored by then."""
    with capture_logs():
        cataloguing.save_what_changed(folder, [repository], NOON + minute * MINUTE)
    return repository.saved


def test_it_is_stored_again_hourly_once_it_has_changed(folder: Folder) -> None:
    repository = FakeRepository(folder)
    assert watch(folder, repository, 0) == 1
    assert watch(folder, repository, 120) == 1  # as it was

    folder.save(a_manifest(NOON + MINUTE))
    assert watch(folder, repository, 59) == 1
    assert watch(folder, repository, 60) == 2


def test_what_a_run_has_stored_is_not_stored_again(folder: Folder) -> None:
    repository = FakeRepository(folder)
    Copier(folder, [repository]).save_catalogue([repository])

    assert watch(folder, repository, 0) == 1


def test_what_could_not_be_stored_is_tried_at_the_next_look(folder: Folder) -> None:
    repository = FakeRepository(folder, TargetError("away"))

    assert watch(folder, repository, 0) == 0
    assert watch(folder, repository, 5) == 1


def test_a_file_that_goes_while_it_is_read_is_no_failure(folder: Folder) -> None:
    repository = FakeRepository(folder, IncompleteError("gone"), IncompleteError("gone"))
    copier = Copier(folder, [repository])

    copier.save_catalogue([repository])

    assert (copier.troubles, repository.saved) == ({}, 1)


def test_without_a_backup_there_is_nothing_to_store(tmp_path: Path) -> None:
    empty = Folder(tmp_path / "empty")

    assert watch(empty, FakeRepository(empty), 0) == 0
