"""What a new machine learns of the log at its targets, beyond the catalogue that it has adopted."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.repository.answers import Snapshot
from backup.restoring.present import keep_what_is_there
from backup.stream import points, tags
from backup.stream.points import Mark
from tests.backup_taking import FakeRepository
from tests.unit.test_backup_stream_service import NOON, OURS, a_base


def stored(
    repository: FakeRepository, folder: Folder, name: str, minutes: int, stretch: str = "1"
) -> None:
    """Have the target hold the log up to that minute after noon."""
    path = folder.log / OURS / stretch
    repository.there.append(
        Snapshot(name, at(minutes), tuple(tags.of(path, 1, at(minutes))), (str(path),))
    )


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def a_mark(minutes: int, snapshot: str) -> Mark:
    return Mark(stretch="1", system_id=OURS, first=1, until=at(minutes), snapshot=snapshot)


def learnt(folder: Folder, repository: FakeRepository) -> list[tuple[str, datetime]]:
    """Return what is known of the log once it was asked for."""
    keep_what_is_there([repository], folder, pytest.fail)
    return [(mark.snapshot, mark.until) for mark in points.shipped(folder, "local").marks]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.save(a_base("1"))
    return folder


@pytest.fixture
def repository(folder: Folder) -> FakeRepository:
    found = FakeRepository(folder.path, "local")
    found.has("ba5e", "base")
    return found


def test_the_log_that_was_stored_after_the_catalogue_counts(
    folder: Folder, repository: FakeRepository
) -> None:
    for minutes in (1, 2):
        stored(repository, folder, f"of {minutes}", minutes)
    points.keep(folder, "local", a_mark(1, "of 1"))

    assert learnt(folder, repository) == [("of 2", at(2))]
    assert points.windows(folder)["local"].until == at(2)


def test_a_catalogue_from_before_the_first_log_learns_of_it_too(
    folder: Folder, repository: FakeRepository
) -> None:
    stored(repository, folder, "of 1", 1)

    assert learnt(folder, repository) == [("of 1", at(1))]


def test_log_without_a_base_that_is_known_is_of_no_use(
    folder: Folder, repository: FakeRepository
) -> None:
    stored(repository, folder, "of 9", 9, stretch="another")

    assert learnt(folder, repository) == []


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="nothing"),
        pytest.param(["system:7", "stretch:1", "first:1"], id="not how far"),
        pytest.param(["system:7", "stretch:1", "first:x", "until:noon"], id="nonsense"),
    ],
)
def test_a_snapshot_that_does_not_say_what_it_has_leaves_what_the_catalogue_knows(
    folder: Folder, repository: FakeRepository, told: list[str]
) -> None:
    repository.has("untold", "wal", *told)
    repository.has("of 1")
    points.keep(folder, "local", a_mark(1, "of 1"))

    assert learnt(folder, repository) == [("of 1", at(1))]
