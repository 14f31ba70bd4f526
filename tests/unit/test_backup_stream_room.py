"""A cluster is not copied to where it has no room."""

import shutil
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.stream import recovery, room
from tests.backup_manifests import NOON
from tests.unit.test_backup_stream_service import a_base


def test_what_does_not_fit_is_refused_with_what_it_takes(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    room.require(Folder(tmp_path), 0, "a base backup")
    with pytest.raises(BackupError, match=f"no room for a base backup: .* {tmp_path}.* are needed"):
        room.require(Folder(tmp_path), free, "a base backup")


def test_a_recovery_without_room_fetches_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    away = Repository(Target("local", "local", "/nowhere"), "key", None)
    huge = a_base("1").model_copy(update={"bytes": shutil.disk_usage(tmp_path).free})

    with (
        pytest.raises(BackupError, match="no room for a recovery"),
        recovery.recovered(away, huge, NOON, folder),
    ):
        pytest.fail("it was recovered")
    assert not folder.recovery.exists()
