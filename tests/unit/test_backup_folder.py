import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from backup.catalogue import manifest as manifests
from backup.catalogue.begun import Begun
from backup.catalogue.files import PARTIAL, complete_or_absent
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy, Fingerprint, Grant, Manifest, Origin, Table
from backup.errors import BackupError, BusyError, DamagedError
from common.settings import ConfigError
from tests.backup_manifests import NOON, a_manifest
from tests.conftest import ROOT
from tests.waiting import eventually

THREE = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def a_backup(
    folder: Folder,
    backup_id: str = "20261122-030000",
    state: Literal["stored", "proven"] = "proven",
) -> Manifest:
    """Have the folder know a backup of one table."""
    manifest = Manifest(
        id=backup_id,
        state=state,
        started_at=THREE,
        finished_at=THREE,
        bytes=7,
        bytes_stored=5,
        steps={"dump": 1.5},
        copies={"local": Copy(snapshot="ab", stored_at=THREE)},
        origin=Origin(
            database="keelson",
            server_version="17.6",
            roles=["keelson_owner"],
            grants=[Grant(role=None, privilege="CONNECT")],
        ),
        fingerprint=Fingerprint(
            tables={"public.t": Table(rows=2, hashes=str(2**70))}, sequences={"public.s": -1}
        ),
    )
    folder.save(manifest)
    return manifest


def path_of(folder: Folder, backup_id: str) -> Path:
    return folder.catalogue / f"{backup_id}.json"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, turn_seconds=0)


def test_manifest_comes_back_as_it_was_written(folder: Folder) -> None:
    written = a_backup(folder)

    assert folder.stored() == [written]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param('{"id": "20261122-030000"', id="cut off"),
        pytest.param("[]", id="something else"),
        pytest.param('{"id": "../../etc/passwd"}', id="not an id"),
    ],
)
def test_damaged_manifest_is_refused_and_does_not_count(folder: Folder, content: str) -> None:
    good = a_backup(folder)
    damaged = path_of(folder, "20261123-030000")
    damaged.write_text(content, encoding="utf-8")

    with pytest.raises(DamagedError, match=f"{damaged} is damaged: .*; use another backup"):
        manifests.read(Manifest, damaged)
    assert folder.proven() == [good]


def test_manifest_of_an_unproven_state_does_not_count(folder: Folder) -> None:
    stored = a_backup(folder, state="stored")

    assert (folder.proven(), folder.stored()) == ([], [stored])
    with pytest.raises(BackupError, match="no proven backup"):
        folder.find(None)
    assert folder.find_stored(stored.id) == stored


def test_newest_backup_is_found_unless_another_is_named(folder: Folder) -> None:
    older, newer = a_backup(folder, "20261121-030000"), a_backup(folder, "20261122-030000")

    assert folder.find(None) == newer
    assert folder.find(older.id) == older
    with pytest.raises(BackupError, match=r"no proven backup 20200101-000000 .* 20261121-030000, "):
        folder.find("20200101-000000")


def test_a_backup_from_the_future_is_not_the_newest(tmp_path: Path) -> None:
    folder = Folder(tmp_path, clock=lambda: NOON)
    ahead = a_manifest(NOON + timedelta(days=4000))
    folder.save(ahead)
    assert folder.find(None) == ahead  # there is no other

    now = a_manifest(NOON)
    folder.save(now)

    assert folder.find(None) == now
    assert folder.find(ahead.id) == ahead


def test_sweeping_leaves_what_counts_and_nothing_else(folder: Folder) -> None:
    kept = a_backup(folder)
    half = folder.catalogue / ".20261124-030000.json.0a1b2c3d.partial"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    for left in (folder.scratch / "data", folder.stage, folder.recovery):
        left.mkdir(parents=True)

    folder.sweep()

    assert [path.name for path in folder.catalogue.iterdir()] == [f"{kept.id}.json"]
    assert [path.name for path in folder.path.iterdir()] == ["catalogue"]


def test_manifest_goes_with_the_definitions_that_wait_for_its_proof(folder: Folder) -> None:
    removed = a_backup(folder, state="stored")
    folder.definitions(removed).write_text("CREATE TABLE t ()", encoding="utf-8")

    folder.remove(removed)

    assert list(folder.catalogue.iterdir()) == []


def test_run_is_noted_until_it_is_settled(folder: Folder) -> None:
    begun = Begun(folder)

    begun.note("20261122-030000")
    begun.note("20261121-030000")
    noted = begun.all()
    begun.settle("20261122-030000")

    assert noted == ["20261121-030000", "20261122-030000"]
    assert begun.all() == ["20261121-030000"]


def test_second_who_claims_the_folder_is_sent_away_until_the_first_is_done(folder: Folder) -> None:
    with (
        folder.claimed(),
        pytest.raises(BusyError, match="try later"),
        Folder(folder.path, turn_seconds=0).claimed(),
    ):
        pytest.fail("two at work in one folder")

    with Folder(folder.path, turn_seconds=0).claimed():
        pass


def test_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^BACKUP_FOLDER: .*/absent is not a folder that user"):
        Folder(tmp_path / "absent").require_writable()


def test_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"before")

    with pytest.raises(OSError, match="disk full"):
        write_half(target)

    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def write_half(target: Path) -> None:
    with complete_or_absent(target) as out:
        out.write(b"after")
        raise OSError("disk full")


def test_writer_that_is_killed_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    target = tmp_path / "file"
    half = (
        "import pathlib, sys, time; from backup.catalogue.files import complete_or_absent as whole\n"
        "with whole(pathlib.Path(sys.argv[1])) as out: out.write(b'half'); out.flush(); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", half, str(target)], cwd=ROOT)
    eventually(lambda: list(tmp_path.iterdir()) != [], 30, "it writes")

    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()

    assert not target.exists()
    assert all(path.match(PARTIAL) for path in tmp_path.iterdir())


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "state.json"

    with complete_or_absent(target) as one:
        one.write(b"one, ")
        with ThreadPoolExecutor(1) as other:
            other.submit(write, target, b"other").result()
        assert target.read_bytes() == b"other"
        one.write(b"complete")

    assert target.read_bytes() == b"one, complete"
    assert list(tmp_path.iterdir()) == [target]


def write(target: Path, content: bytes) -> None:
    with complete_or_absent(target) as out:
        out.write(content)


def test_what_is_being_written_survives_a_clean_up(folder: Folder) -> None:
    folder.catalogue.mkdir()
    target = folder.catalogue / "points.json"

    with complete_or_absent(target) as out:
        folder.sweep()
        out.write(b"{}")

    assert target.read_bytes() == b"{}"
