"""What a run leaves behind, however it ends."""

import shutil
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.errors import Interrupted, NoRoomError
from backup.taking import proof
from backup.taking.run import Run
from tests.backup_manifests import NOON, a_manifest
from tests.backup_taking import NO_SESSION, FakeRepository, a_run


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    "ends", [Interrupted(), OSError("no space left")], ids=["told to end", "a full volume"]
)
def test_what_has_a_manifest_is_not_forgotten_when_the_run_ends_just_then(
    folder: Folder, tmp_path: Path, ends: BaseException
) -> None:
    repository = FakeRepository(tmp_path)

    with pytest.raises(type(ends)):
        a_run(folder, [repository], ends).take(NO_SESSION)

    assert [manifest.state for manifest in folder.stored()] == ["stored"]
    assert repository.forgotten == []
    assert Begun(folder).all() == []


def test_the_definitions_stay_with_a_proven_backup(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "prove", lambda manifest, *_: (manifest.fingerprint, {}))

    proven = a_run(folder, [FakeRepository(folder.path)]).take(NO_SESSION)

    assert proven.state == "proven"
    assert "CREATE TABLE people" in folder.definitions(proven).read_text(encoding="utf-8")


def test_a_run_that_is_told_to_end_leaves_cleaning_up_to_its_note(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told_to_end(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(Run, "_store", told_to_end)
    repository = FakeRepository(folder.path)

    with pytest.raises(Interrupted):
        a_run(folder, [repository]).take(NO_SESSION)

    assert repository.forgotten == []  # that may take minutes, and a container has one
    assert Begun(folder).all() == ["20261122-120000"]


class FakeSession:
    """A session with a database of that many bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    def begin(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def scalars(self, _query: object) -> "FakeSession":
        """Return what has the answer."""
        return self

    def one(self) -> int:
        """Return the size."""
        return self.size


@pytest.fixture
def tight(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a volume with 2.5 times the room of the last dump."""
    folder.save(a_manifest(NOON - timedelta(days=1)).model_copy(update={"bytes": 10**9}))
    usage = SimpleNamespace(free=25 * 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    monkeypatch.setattr(proof, "prove", lambda manifest, *_: (manifest.fingerprint, {}))
    return folder


def test_a_run_that_could_not_be_proven_is_refused_before_anything_is_stored(
    tight: Folder,
) -> None:
    repository = FakeRepository(tight.path)

    with pytest.raises(NoRoomError, match=r"2500 MB are free .* 3000 MB are needed"):
        a_run(tight, [repository]).take(FakeSession(2 * 10**9))  # type: ignore[arg-type]

    assert repository.there == []


def test_a_database_that_is_smaller_by_now_is_dumped_all_the_same(tight: Folder) -> None:
    run = a_run(tight, [FakeRepository(tight.path)])

    assert run.take(FakeSession(8 * 10**8)).state == "proven"  # type: ignore[arg-type]
