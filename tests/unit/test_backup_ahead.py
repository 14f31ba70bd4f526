"""A clock that was once far ahead stops neither the backups nor the alarm."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.catalogue.retention import Rules
from backup.operator import watching
from backup.schedule import slots as schedule
from backup.taking.pruning import Pruner
from backup.taking.taker import Taker
from tests.backup_manifests import NOON, a_manifest, some_settings
from tests.backup_taking import NO_SESSION, NOWHERE, FakeRepository, a_run

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a volume with a backup of two days ago, and one from the future."""
    folder = Folder(tmp_path, clock=lambda: NOON)
    for at in (NOON - 2 * DAY, NOON + 4000 * DAY):
        folder.save(a_manifest(at))
    return folder


def test_a_backup_is_due_all_the_same(folder: Folder) -> None:
    run = a_run(folder, [FakeRepository(folder.path)], KeyboardInterrupt())
    taker = Taker(engine=NOWHERE, run=run, pruner=Pruner(folder, run.copier, Rules(7)))
    asked = []

    def due(last: datetime | None) -> bool:
        asked.append(last)
        return schedule.is_due(schedule.parse("0 3 * * *"), last, NOON)

    with pytest.raises(KeyboardInterrupt):  # as it is stored
        taker._take_or_prove(NO_SESSION, due)  # noqa: SLF001 `take` needs a database for its lock

    assert asked[0] == NOON - 2 * DAY


def test_it_is_told_and_so_is_what_is_overdue(folder: Folder) -> None:
    found = watching.found(some_settings(), folder, NOON)

    assert "from the future: 20371104-120000" in (found["backup-ahead"] or "")
    assert "the last proven backup is 20261120-120000" in (found["backup-overdue"] or "")


def test_a_clock_that_is_right_is_no_problem(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.save(a_manifest(NOON))

    assert watching.found(some_settings(), folder, NOON)["backup-ahead"] is None
