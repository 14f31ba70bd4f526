"""When a backup should have been proven by now: also where none ever was."""

import errno
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.operator import watching
from backup.schedule import overdue
from backup.schedule import slots as schedule
from tests.backup_manifests import NOON, a_manifest, some_settings
from tests.unit.test_backup_worker import a_worker

HOUR = timedelta(hours=1)
AT_THREE = schedule.parse("0 3 * * *")
NEXT_THREE = NOON + 15 * HOUR


def in_use(path: Path) -> Folder:
    """Return a volume that came into use at noon."""
    folder = Folder(path, clock=lambda: NOON)
    folder.note_use()
    return folder


@pytest.mark.parametrize(
    ("after", "late"),
    [
        pytest.param(timedelta(), False, id="as it begins"),
        pytest.param(15.9 * HOUR, False, id="the first slot was just now"),
        pytest.param(16 * HOUR, True, id="an hour after the first slot"),
        pytest.param(400 * HOUR, True, id="long after"),
    ],
)
def test_a_volume_without_any_proven_backup_is_overdue_after_its_first_slot(
    tmp_path: Path, after: timedelta, late: bool
) -> None:
    folder = in_use(tmp_path)
    folder.save(a_manifest(NOON, state="stored"))

    told = overdue.backup(folder, AT_THREE, NOON + after)

    assert ("no backup was ever proven" in str(told)) is late


def test_nothing_is_overdue_before_any_worker_has_run(tmp_path: Path) -> None:
    assert overdue.backup(Folder(tmp_path), AT_THREE, NOON + 999 * HOUR) is None


def test_the_watch_and_the_worker_say_the_same(tmp_path: Path) -> None:
    folder, late = in_use(tmp_path), NEXT_THREE + HOUR
    settings = some_settings(backup_schedule="0 3 * * *")

    told = watching.found(settings, folder, late)["backup-overdue"]
    shown = a_worker(tmp_path, [])._overdue(late)  # noqa: SLF001 it goes into the database

    assert told
    assert shown == f"the backup is overdue: {told}"


def test_the_first_use_is_what_counts_unless_it_was_in_the_future(tmp_path: Path) -> None:
    in_use(tmp_path)

    Folder(tmp_path, clock=lambda: NOON + HOUR).note_use()
    first = Folder(tmp_path).in_use_since()
    Folder(tmp_path, clock=lambda: NOON - 99 * HOUR).note_use()

    assert (first, Folder(tmp_path).in_use_since()) == (NOON, NOON - 99 * HOUR)


def test_a_volume_that_is_full_stops_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(manifest, "write", full)

    with capture_logs() as logs:
        in_use(tmp_path)

    assert "No space left" in logs[0]["reason"]
