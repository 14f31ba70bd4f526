"""What a clean-up lets go, and what it keeps in mind."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from backup.catalogue import volume
from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy, Manifest
from backup.catalogue.retention import NEWEST, Rules
from backup.repository import preflight
from backup.repository.errors import FullError, TargetError
from backup.repository.restic import Repository, Snapshot
from backup.taking.copying import Copier
from backup.taking.pruning import Pruner
from backup.taking.taker import Taker
from tests.backup_manifests import NOON, a_manifest
from tests.backup_taking import NO_SESSION, NOWHERE, FakeRepository, a_run
from tests.unit.test_backup_stream_service import a_base

KILLED = "20261121-120000"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def pruned(folder: Folder, *repositories: Repository) -> Pruner:
    """Let go what is past its time, and return who did."""
    pruner = Pruner(folder, Copier(folder, repositories), Rules(7))
    pruner.carry_out(pruner.plan(repositories, NOON + timedelta(days=1)), repositories)
    return pruner


class AwayForAMoment(FakeRepository):
    """A repository that can't be listed the first time."""

    away = True

    def snapshots(self, *tags: str) -> list[Snapshot]:
        """Fail once."""
        if self.away:
            self.away = False
            raise TargetError("away")
        return super().snapshots(*tags)


def test_what_a_killed_run_has_left_goes_and_its_note_with_it(folder: Folder) -> None:
    repository = FakeRepository(folder.path)
    repository.has("left", "logical", f"run:{KILLED}")
    Begun(folder).note(KILLED)

    pruned(folder, repository)

    assert repository.forgotten == ["left"]
    assert Begun(folder).all() == []


def test_the_note_of_a_killed_run_stays_where_nobody_has_looked_for_what_it_left(
    folder: Folder,
) -> None:
    repository = AwayForAMoment(folder.path)
    repository.has("left", "logical", f"run:{KILLED}")
    Begun(folder).note(KILLED)

    pruned(folder, repository)
    assert Begun(folder).all() == [KILLED]

    pruned(folder, repository)
    assert repository.forgotten == ["left"]
    assert Begun(folder).all() == []


def full(*_: object) -> None:
    raise FullError("target sftp: 3 MB are free")


@pytest.fixture
def full_target(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> FakeRepository:
    """Return a target without room, where one of four backups is past its time."""
    monkeypatch.setattr(preflight, "check", full)
    repository = FakeRepository(folder.path)
    for days in (1, 2, 3, 30):
        old = a_manifest(NOON - timedelta(days=days))
        copies = {"sftp": Copy(snapshot=f"of {days}", stored_at=NOON)}
        folder.save(old.model_copy(update={"copies": copies}))
        repository.has(f"of {days}", "logical", f"run:{old.id}")
    return repository


def test_a_full_target_is_used_for_letting_go_alone(
    folder: Folder, full_target: FakeRepository
) -> None:
    copier = Copier(folder, [full_target])

    assert copier.usable(also_full=True) == [full_target]
    assert copier.usable() == []
    assert "3 MB are free" in copier.troubles["sftp"]


def test_a_run_that_finds_no_room_makes_some(folder: Folder, full_target: FakeRepository) -> None:
    run = a_run(folder, [full_target])
    taker = Taker(engine=NOWHERE, run=run, pruner=Pruner(folder, run.copier, Rules(7)))

    with pytest.raises(TargetError, match="3 MB are free"):
        taker._take(NO_SESSION, lambda _last: True)  # noqa: SLF001 `take` needs a database for its lock

    assert full_target.forgotten == ["of 30"]
    assert full_target.pruned == 1


def test_room_is_made_also_where_no_snapshot_is_past_its_time(folder: Folder) -> None:
    repository = FakeRepository(folder.path)
    pruner = Pruner(folder, Copier(folder, [repository]), Rules(7))

    pruner.carry_out(pruner.plan([repository], NOON), [repository], make_room=True)

    assert repository.pruned == 1  # of a dump that was cut off, there is data and no snapshot


def stored(folder: Folder, days: int, *targets: FakeRepository) -> Manifest:
    """Have a backup of so many days ago at these targets, one snapshot each."""
    old = a_manifest(NOON - timedelta(days=days))
    for one in targets:
        one.has(f"{days} at {one.target.name}", "logical", f"run:{old.id}")
    copies = {
        one.target.name: Copy(snapshot=f"{days} at {one.target.name}", stored_at=NOON)
        for one in targets
    }
    folder.save(old.model_copy(update={"copies": copies}))
    return old


def where(folder: Folder) -> dict[str, list[str]]:
    return {one.id: list(one.copies) for one in folder.stored()}


def test_a_target_to_which_nothing_new_gets_through_keeps_its_newest(folder: Folder) -> None:
    local, sftp = FakeRepository(folder.path, "local"), FakeRepository(folder.path, "sftp")
    older, last = stored(folder, 31, local, sftp), stored(folder, 30, local, sftp)
    newer = [stored(folder, days, local) for days in (3, 2, 1)]

    pruned(folder, local, sftp)

    assert local.forgotten == ["31 at local", "30 at local"]
    assert sftp.forgotten == ["31 at sftp"]
    assert where(folder) == {last.id: ["sftp"], **{one.id: ["local"] for one in newer}}
    assert older.id not in where(folder)

    stored(folder, 1, local, sftp)  # it gets through again
    pruned(folder, local, sftp)
    assert sftp.forgotten == ["31 at sftp", "30 at sftp"]
    assert last.id not in where(folder)


def test_what_a_target_holds_is_not_called_gone(folder: Folder) -> None:
    local, sftp = FakeRepository(folder.path, "local"), FakeRepository(folder.path, "sftp")
    older, last = stored(folder, 31, local, sftp), stored(folder, 30, local, sftp)
    for days in (3, 2, 1):
        stored(folder, days, local)

    plan = Pruner(folder, Copier(folder, [local, sftp]), Rules(7)).plan([local, sftp], NOON)

    assert [record.id for record in plan.records] == [older.id, last.id]
    assert plan.gone == [older.id]


def test_a_target_that_is_not_in_use_any_more_holds_nothing(folder: Folder) -> None:
    local, sftp = FakeRepository(folder.path, "local"), FakeRepository(folder.path, "sftp")
    stored(folder, 30, sftp)
    newer = [stored(folder, days, local) for days in (3, 2, 1)]

    pruned(folder, local)

    assert list(where(folder)) == [one.id for one in newer]


def left_of(repository: FakeRepository, *tags: str) -> int:
    """Have it hold twelve snapshots with these tags; return how many a clean-up leaves."""
    for number in range(12):
        repository.has(f"{tags} {number}", *tags)
    pruned(Folder(Path(repository.target.location)), repository)
    return len(repository.snapshots(*tags))


def test_of_catalogues_those_of_other_volumes_stay(folder: Folder) -> None:
    repository = FakeRepository(folder.path)

    assert left_of(repository, "catalogue", volume.tag(folder)) == NEWEST
    assert left_of(repository, "catalogue", "volume:another") == 12


def test_of_the_log_only_stretches_that_are_known_or_ours_are_thinned_out(folder: Folder) -> None:
    repository = FakeRepository(folder.path)
    folder.save(a_base("adopted"))

    assert left_of(repository, "wal", "stretch:adopted", "until:noon") == NEWEST
    assert left_of(repository, "wal", "stretch:ours", volume.tag(folder)) == NEWEST
    assert left_of(repository, "wal", "stretch:another", "volume:another") == 12


def test_snapshots_of_a_stretch_are_thinned_out_together_whatever_else_they_say(
    folder: Folder,
) -> None:
    repository = FakeRepository(folder.path)
    folder.save(a_base("adopted"))
    for minute in range(12):
        repository.has(f"of {minute}", "wal", "stretch:adopted", f"until:{minute}")

    pruned(folder, repository)

    assert len(repository.there) == NEWEST


def test_a_volume_keeps_its_name_and_another_has_another(tmp_path: Path) -> None:
    one, other = Folder(tmp_path / "one"), Folder(tmp_path / "other")

    with ThreadPoolExecutor(8) as pool:
        (name,) = set(pool.map(volume.tag, [one] * 8))

    assert volume.tag(one) == name != volume.tag(other)
